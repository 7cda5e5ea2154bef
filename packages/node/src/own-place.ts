// Where this node stands in its network, as the final state says: a member, a newcomer that the others
// have not admitted yet, or one that they have removed; and whether its keys are those that the state
// names. A configuration says neither; membership is a matter of the chain.

import { equalBytes } from '@mooring/codec'
import {
  isIdTaken,
  type Organisation,
  organisationOf,
  ownerOfKey,
  type State,
} from '@mooring/ledger'
import { type PublicHalf, readPublicHalf } from './keys.ts'
import type { ConsensusKey, NodeKeys, NodeOptions } from './load-options.ts'
import type { Logger } from './logger.ts'
import { adoptNextKey, findNextHalf, findNextKey, promoteNextKey } from './next-keys.ts'
import { NodeError } from './node-error.ts'

type Reader = Pick<State, 'get'>

export type NodeDuty = keyof NodeKeys

type OwnKeys = Pick<NodeOptions, 'keys' | 'keyPaths' | 'lock'>

const DUTIES: readonly NodeDuty[] = ['consensus', 'transport', 'anchor', 'seal']

export type OwnPlace =
  | { kind: 'member'; organisation: Organisation }
  /** Never admitted. */
  | { kind: 'stranger' }
  | { kind: 'removed' }

export function placeOf(state: Reader, id: string): OwnPlace {
  const organisation = organisationOf(state, id)
  if (organisation !== undefined) return { kind: 'member', organisation }
  return { kind: isIdTaken(state, id) ? 'removed' : 'stranger' }
}

/** @throws NodeError removed */
export function refuseRemoved(state: Reader, name: string, height: number): void {
  if (placeOf(state, name).kind === 'removed') throw new NodeError('removed', { name, height })
}

/**
 * The organisation that this node belongs to: the one whose consensus key it has or had; or, when the
 * chain knows none, the one that its configuration names.
 */
export function ownIdOf(state: Reader, { name, keys }: Pick<NodeOptions, 'name' | 'keys'>): string {
  return ownerOfKey(state, keys.consensus.publicKey) ?? name
}

/** The duties whose key in the state is another one than ours. */
export function foreignDuties(keys: NodeKeys, organisation: Organisation): NodeDuty[] {
  return DUTIES.filter((duty) => !equalBytes(organisation.keys[duty], keys[duty].publicKey))
}

/** Those of them whose named key waits as the next one. */
export async function nextDuties(
  { keys, keyPaths }: Pick<NodeOptions, 'keys' | 'keyPaths'>,
  organisation: Organisation,
): Promise<NodeDuty[]> {
  const waiting: NodeDuty[] = []
  for (const duty of foreignDuties(keys, organisation)) {
    const next = await findNextHalf(keyPaths[duty], duty)
    if (next !== undefined && equalBytes(next.publicKey, organisation.keys[duty]))
      waiting.push(duty)
  }
  return waiting
}

/**
 * The keys that the durable state names, next ones put in place of those they follow. A duty whose named
 * key is not here keeps the one that is: the chain may only be behind.
 */
export async function takeNamedKeys(
  options: OwnKeys & Pick<NodeOptions, 'name'>,
  state: Reader,
  logger: Logger,
): Promise<NodeKeys> {
  const place = placeOf(state, options.name)
  if (place.kind !== 'member') return options.keys
  let keys = options.keys
  for (const duty of await nextDuties(options, place.organisation)) {
    keys = await takeNextKey({ ...options, keys }, duty)
    const fate = duty === 'seal' ? 'is kept, for what was sealed to it' : 'is destroyed'
    logger.info('the chain names the next key: it is in use now', { duty, theOneBefore: fate })
  }
  return keys
}

async function takeNextKey(options: OwnKeys, duty: NodeDuty): Promise<NodeKeys> {
  const { keys, keyPaths, lock } = options
  const path = keyPaths[duty]
  if (duty !== 'consensus' || keys.consensus.seed !== null) {
    return { ...keys, [duty]: await adoptNextKey(path, duty, lock) }
  }
  await promoteNextKey(path, duty)
  return { ...keys, consensus: { ...(await readPublicHalf(path, duty)), seed: null } }
}

/** A consensus key of ours, the present or the next one, by its public key. */
export async function consensusKeyNamed(
  publicKey: Uint8Array,
  { keys, keyPaths, lock }: OwnKeys,
): Promise<ConsensusKey | undefined> {
  const isNamed = (key: PublicHalf | undefined) =>
    key !== undefined && equalBytes(key.publicKey, publicKey)
  if (isNamed(keys.consensus)) return keys.consensus
  const half = await findNextHalf(keyPaths.consensus, 'consensus')
  if (!isNamed(half)) return undefined
  if (keys.consensus.seed === null) return { publicKey, seed: null }
  return findNextKey(keyPaths.consensus, 'consensus', lock)
}
