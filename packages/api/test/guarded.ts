/** A listener that knows its callers: one token for each role, and what is open to others. */

import type { AccessControl, OpenTo, TokenFinding, TlsIdentity } from '../src/index.ts'
import { CALLER_ROLES, type CallerRole, startApi } from '../src/index.ts'
import { MemoryNode } from './memory-node.ts'

export interface Guarded {
  url: string
  metricsUrl: string
  node: MemoryNode
  control: MutableControl
  /** Reasons for which somebody was not let in, and roles that were over their rate. */
  refused: string[]
  limited: string[]
  changeTls: (tls: TlsIdentity) => void
}

export class MutableControl implements AccessControl {
  open: OpenTo = 'nobody'
  rate: number | null = null
  roles = new Map<string, CallerRole>()

  token(text: string): TokenFinding {
    const role = CALLER_ROLES.find((known) => text === tokenOf(known))
    if (role !== undefined) return { name: role, role }
    if (text === tokenOf('expired')) return { refused: 'token_expired', detail: 'Since yesterday.' }
    return { refused: 'token_unknown', detail: 'No token is like that.' }
  }

  certificate(names: readonly string[]) {
    for (const name of names) {
      const role = this.roles.get(name)
      if (role !== undefined) return { name, role }
    }
    return undefined
  }
}

export function tokenOf(name: string): string {
  return `mor_${name}`
}

export const bearer = (name: string) => ({ authorization: `Bearer ${tokenOf(name)}` })

export async function guarded(
  scenario: (world: Guarded) => Promise<void>,
  tls: TlsIdentity | null = null,
): Promise<void> {
  const node = new MemoryNode()
  const control = new MutableControl()
  const refused: string[] = []
  const limited: string[] = []
  const api = await startApi(
    {
      listen: '127.0.0.1:0',
      metricsListen: '127.0.0.1:0',
      hostNames: [],
      catalogue: () => undefined,
      cursorKey: new Uint8Array(32),
      limits: { closeTimeoutMs: 200 },
      access: control,
      admissions: {
        limited: (role) => limited.push(role),
        refused: (reason) => refused.push(reason),
      },
      tls,
    },
    node,
  )
  const { url, metricsUrl } = api
  try {
    const changeTls = (next: TlsIdentity) => api.changeTls('api', next)
    await scenario({
      url,
      metricsUrl: metricsUrl ?? '',
      node,
      control,
      refused,
      limited,
      changeTls,
    })
  } finally {
    await api.close()
  }
}
