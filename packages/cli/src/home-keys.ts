// The key files of a home, beside what the chain says: which key is in use, which one waits. Only the
// public halves are looked at, so that nobody is asked for a passphrase.

import { resolve } from 'node:path'
import type { Member } from '@mooring/api'
import { toHex } from '@mooring/codec'
import { homePaths } from '@mooring/node/home'
import { KEY_DUTIES, readPublicHalf, type FoundKey, type KeyDuty } from '@mooring/node/keys'
import { readConfigFile } from '@mooring/node/load-options'
import { findNextHalf } from '@mooring/node/next-keys'
import { NodeError } from '@mooring/node/node-error'
import { resolveOptions } from '@mooring/node/resolve-options'
import { type Context, configOf, type GlobalOptions, homeOf } from './context.ts'
import { governanceKeyPath } from './governance.ts'

export type KeyState = {
  duty: KeyDuty
  path: string
  // Null for a file that is not there: a governance key belongs elsewhere.
  current: FoundKey | null
  next: FoundKey | null
  // What the chain names; null while no node says it.
  chain: string | null
}

type KeyOptions = GlobalOptions & { governanceKey?: string }

/** Where the key of each duty lies, as the configuration of the home says. */
export async function keyPaths(
  context: Context,
  options: KeyOptions,
): Promise<Record<KeyDuty, string>> {
  const home = homeOf(context, options)
  const file = await readConfigFile(configOf(context, options) ?? homePaths(home).configFile)
  const { values } = resolveOptions({ flags: {}, env: context.env, file })
  const { consensus, transport, anchor, seal } = values.keys
  return {
    governance: governanceKeyPath(context, options),
    consensus: resolve(home, consensus),
    transport: resolve(home, transport),
    anchor: resolve(home, anchor),
    seal: resolve(home, seal),
  }
}

async function readIfThere(path: string, duty: KeyDuty): Promise<FoundKey | null> {
  try {
    return await readPublicHalf(path, duty)
  } catch (error) {
    if (error instanceof NodeError && error.code === 'key_missing') return null
    throw error
  }
}

export async function readKeyStates(context: Context, options: KeyOptions): Promise<KeyState[]> {
  const paths = await keyPaths(context, options)
  const states: KeyState[] = []
  for (const duty of KEY_DUTIES) {
    const path = paths[duty]
    const current = await readIfThere(path, duty)
    const next = (await findNextHalf(path, duty)) ?? null
    states.push({ duty, path, current, next, chain: null })
  }
  return states
}

const isOf = (key: FoundKey | null, hex: string | null | undefined) =>
  key !== null && toHex(key.publicKey) === hex

/** The member that has one of these keys. */
export function ownerOf(
  states: readonly KeyState[],
  members: readonly Member[],
): Member | undefined {
  return members.find(({ keys }) =>
    states.some(({ duty, current, next }) => isOf(current, keys[duty]) || isOf(next, keys[duty])),
  )
}

/** With what the chain names for the member that has one of these keys. */
export function withChain(states: readonly KeyState[], members: readonly Member[]): KeyState[] {
  const owner = ownerOf(states, members)
  return states.map((state) => ({ ...state, chain: owner?.keys[state.duty] ?? null }))
}

export type KeyStanding = 'in force' | 'next in force' | 'other' | 'unknown'

/** Which of the two keys the chain names. */
export function standingOf({ current, next, chain }: KeyState): KeyStanding {
  if (chain === null) return 'unknown'
  if (isOf(current, chain)) return 'in force'
  return isOf(next, chain) ? 'next in force' : 'other'
}
