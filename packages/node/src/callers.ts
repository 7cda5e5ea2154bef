// Who may ask this node, as its API is told: tokens, names in certificates, and what is open to anybody.
// What an operator may change while the node runs is read again as a whole.

import type { AccessControl, OpenTo } from '@mooring/api'
import { CALLER_ROLES, type CallerRole } from '@mooring/api/caller'
import type { NodeOptions } from './load-options.ts'
import type { Tokens } from './tokens.ts'

export class Callers implements AccessControl {
  readonly #tokens: Pick<Tokens, 'find'>
  open: OpenTo
  rate: number | null
  #roles: ReadonlyMap<string, CallerRole>

  constructor(http: NodeOptions['http'], tokens: Pick<Tokens, 'find'>) {
    this.#tokens = tokens
    this.open = http.open
    this.rate = http.rate
    this.#roles = rolesOf(http.clientRoles)
  }

  change({ open, rate, clientRoles }: Pick<NodeOptions['http'], 'open' | 'rate' | 'clientRoles'>) {
    this.open = open
    this.rate = rate
    this.#roles = rolesOf(clientRoles)
  }

  token(text: string): ReturnType<AccessControl['token']> {
    return this.#tokens.find(text)
  }

  certificate(names: readonly string[]): ReturnType<AccessControl['certificate']> {
    for (const name of names) {
      const role = this.#roles.get(name)
      if (role !== undefined) return { name, role }
    }
    return undefined
  }
}

function rolesOf(clientRoles: readonly string[]): ReadonlyMap<string, CallerRole> {
  return new Map(
    clientRoles.flatMap((item): [string, CallerRole][] => {
      const at = item.lastIndexOf('=')
      const role = CALLER_ROLES.find((known) => known === item.slice(at + 1))
      return role === undefined ? [] : [[item.slice(0, at), role]]
    }),
  )
}
