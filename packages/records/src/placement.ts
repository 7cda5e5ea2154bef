// Who keeps which shard: rendezvous hashing over legal groups.
//
// k of n counts owners, not machines: two hospitals of one group are one place to rob or to order
// about, so a group keeps at most one shard of a set. Every group gets a score for the set, a hash of both,
// and the n best keep the shards, best first; within a group the same rule picks the organisation.
// Everybody computes the same places, load spreads evenly, and a member that comes or goes moves only
// the shards that it gains or loses.

import { compareBytes, refine, text } from '@mooring/codec'
import { domainHash } from '@mooring/crypto'
import { RecordsError } from './errors.ts'

export interface Split {
  /** Shards that rebuild a record. */
  readonly k: number
  /** Shards that there are. */
  readonly n: number
}

export interface PossibleHolder {
  readonly id: string
  readonly legalGroup: string
}

const IDENTIFIER = /^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/

/** The id of an organisation, as the ledger has it. */
export const organisationIdSchema = refine(
  text(64),
  (id) => IDENTIFIER.test(id),
  'a-z, 0-9 and inner hyphens, 1 to 64 of them',
)

const utf8 = new TextEncoder()

/**
 * By the number of legal groups that have an authority. Undefined below three: of two sites one could
 * not be lost without the record, or would hold all of it.
 */
export function splitOf(legalGroups: number): Split | undefined {
  if (legalGroups >= 5) return { k: 3, n: 5 }
  if (legalGroups === 4) return { k: 2, n: 4 }
  if (legalGroups === 3) return { k: 2, n: 3 }
  return undefined
}

/** One organisation a legal group, best first: the first n keep the shards, the next one replaces. */
export function placementOrder(
  setId: Uint8Array,
  organisations: readonly PossibleHolder[],
): string[] {
  const bestOf = new Map<string, Scored>()
  for (const { id, legalGroup } of organisations) {
    const scored = { name: id, score: scoreOf('placement-organisation', setId, id) }
    const best = bestOf.get(legalGroup)
    if (best === undefined || byScore(scored, best) < 0) bestOf.set(legalGroup, scored)
  }
  return [...bestOf]
    .map(([group, { name }]) => ({ name, score: scoreOf('placement-group', setId, group) }))
    .toSorted(byScore)
    .map(({ name }) => name)
}

/** The organisation that keeps shard 0, shard 1, ... up to n. */
export function placeShards(
  setId: Uint8Array,
  organisations: readonly PossibleHolder[],
  n: number,
): string[] {
  const order = placementOrder(setId, organisations)
  if (order.length < n) {
    throw new RecordsError('out_of_range', 'n', `${n} shards for ${order.length} legal groups`)
  }
  return order.slice(0, n)
}

interface Scored {
  readonly name: string
  readonly score: Uint8Array
}

function scoreOf(domain: string, setId: Uint8Array, name: string): Uint8Array {
  return domainHash(domain, setId, utf8.encode(name))
}

function byScore(a: Scored, b: Scored): number {
  return compareBytes(b.score, a.score)
}
