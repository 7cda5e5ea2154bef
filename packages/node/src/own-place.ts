// Where this node stands in its network, as the final state says: a member, a newcomer that the others
// have not admitted yet, or one that they have removed; and whether its keys are those that the state
// names. A configuration says neither; membership is a matter of the chain.

import { equalBytes } from '@mooring/codec'
import type { KeyPair } from '@mooring/crypto'
import {
  isIdTaken,
  type Organisation,
  organisationOf,
  ownerOfKey,
  type State,
} from '@mooring/ledger'
import type { NodeKeys, NodeOptions } from './load-options.ts'
import type { Logger } from './logger.ts'
import { adoptNextKey, findNextKey } from './next-keys.ts'
import { NodeError } from './node-error.ts'

type Reader = Pick<State, 'get'>

export type NodeDuty = keyof NodeKeys

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
    const next = await findNextKey(keyPaths[duty], duty)
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
  options: Pick<NodeOptions, 'name' | 'keys' | 'keyPaths'>,
  state: Reader,
  logger: Logger,
): Promise<NodeKeys> {
  const place = placeOf(state, options.name)
  if (place.kind !== 'member') return options.keys
  const adopted: Partial<Record<NodeDuty, KeyPair>> = {}
  for (const duty of await nextDuties(options, place.organisation)) {
    adopted[duty] = await adoptNextKey(options.keyPaths[duty], duty)
    const fate = duty === 'seal' ? 'is kept, for what was sealed to it' : 'is destroyed'
    logger.info('the chain names the next key: it is in use now', { duty, theOneBefore: fate })
  }
  return { ...options.keys, ...adopted }
}

/** A consensus key of ours, the present or the next one, by its public key. */
export async function consensusKeyNamed(
  publicKey: Uint8Array,
  { keys, keyPaths }: Pick<NodeOptions, 'keys' | 'keyPaths'>,
): Promise<KeyPair | undefined> {
  if (equalBytes(keys.consensus.publicKey, publicKey)) return keys.consensus
  const next = await findNextKey(keyPaths.consensus, 'consensus')
  return next !== undefined && equalBytes(next.publicKey, publicKey) ? next : undefined
}
