// The entry of an organisation as its home has it: name, owner, and the public half of each key.

import type { Organisation } from '@mooring/ledger'
import { homePaths } from '@mooring/node/home'
import { readConfigFile } from '@mooring/node/load-options'
import { NodeError } from '@mooring/node/node-error'
import { resolveOptions } from '@mooring/node/resolve-options'
import { type Context, configOf, type GlobalOptions, homeOf } from './context.ts'
import { readKeyStates } from './home-keys.ts'

export type EntryOptions = GlobalOptions & {
  governanceKey?: string
  id?: string
  displayName?: string
  legalGroup?: string
}

export async function ownValues(context: Context, options: GlobalOptions) {
  const { configFile } = homePaths(homeOf(context, options))
  const file = await readConfigFile(configOf(context, options) ?? configFile)
  return resolveOptions({ flags: {}, env: context.env, file }).values
}

/** @throws NodeError founding_key_missing */
export async function ownEntry(
  context: Context,
  options: EntryOptions,
  { governance, role }: { governance: Uint8Array; role: 'authority' | 'observer' },
): Promise<Organisation> {
  const { node } = await ownValues(context, options)
  const { id = node.name, displayName = id, legalGroup = displayName } = options
  const states = await readKeyStates(context, options)
  const keyOf = (duty: string): Uint8Array => {
    const state = states.find((each) => each.duty === duty)
    if (state?.current != null) return state.current.publicKey
    throw new NodeError('founding_key_missing', { duty, path: state?.path ?? '' })
  }
  return {
    id,
    name: displayName,
    legalGroup,
    roles: [role],
    keys: {
      governance,
      consensus: keyOf('consensus'),
      transport: keyOf('transport'),
      anchor: keyOf('anchor'),
      seal: keyOf('seal'),
      issuer: null,
    },
  }
}
