// A batch: the commitments that one anchor puts on the chain, among dummies.
//
// The number of leaves is a bucket, not the number of records, and the order is shuffled, so that
// neither the chain nor the place in somebody's proof tells how much a hospital did. Buckets are powers
// of two: the tree is a full one, and the RFC 9162 rules for odd sizes never apply.

import { leafHash, nodeHash } from '@mooring/crypto'
import { RecordsError } from './errors.ts'

/** Fourfold steps: at most five sizes to tell apart, at most four leaves for one record from 16 on. */
export const BATCH_BUCKETS = [16, 64, 256, 1024, 4096] as const

export const BATCH_RECORDS_MAX = 4096

/** Random bytes, as many as asked for. Whoever calls says where they come from. */
export type RandomBytes = (length: number) => Uint8Array

export interface Batch {
  readonly root: Uint8Array
  readonly bucket: number
  readonly leaves: readonly Uint8Array[]
  /** Where each record went, in the order they were given. */
  readonly positions: readonly number[]
}

export type InvalidBatch =
  | { readonly code: 'empty_batch' }
  | { readonly code: 'too_many_records'; readonly records: number; readonly max: number }
  | { readonly code: 'duplicate_record'; readonly index: number }

const LEAF_BYTES = 32

export function buildBatch(
  recordCommits: readonly Uint8Array[],
  random: RandomBytes,
): Batch | InvalidBatch {
  const records = recordCommits.length
  if (records === 0) return { code: 'empty_batch' }
  const bucket = BATCH_BUCKETS.find((size) => size >= records)
  if (bucket === undefined) return { code: 'too_many_records', records, max: BATCH_RECORDS_MAX }
  const duplicate = findDuplicate(recordCommits)
  if (duplicate !== undefined) return { code: 'duplicate_record', index: duplicate }
  const order = shuffled(bucket, random)
  const leaves = order.map((item) => recordCommits[item] ?? random(LEAF_BYTES))
  const positions = Array.from({ length: records }, () => 0)
  for (const [position, item] of order.entries()) {
    if (item < records) positions[item] = position
  }
  return { root: batchRoot(leaves), bucket, leaves, positions }
}

/** The inclusion path of one leaf; for many leaves of one batch, see `batchPaths`. */
export function batchPath(leaves: readonly Uint8Array[], index: number): Uint8Array[] {
  const [path] = batchPaths(leaves, [index])
  if (path === undefined) throw new RecordsError('out_of_range', 'index', `no leaf ${index}`)
  return path
}

/** The inclusion paths of some leaves, with one walk over the tree. */
export function batchPaths(
  leaves: readonly Uint8Array[],
  indexes: readonly number[],
): Uint8Array[][] {
  const levels = levelsOf(leaves)
  return indexes.map((index) => {
    if (!Number.isInteger(index) || index < 0 || index >= leaves.length) {
      throw new RecordsError('out_of_range', 'index', `no leaf ${index} of ${leaves.length}`)
    }
    return levels.slice(0, -1).map((level, height) => at(level, (index >> height) ^ 1))
  })
}

/** The root over leaves that fill a bucket. */
export function batchRoot(leaves: readonly Uint8Array[]): Uint8Array {
  return at(levelsOf(leaves).at(-1) ?? [], 0)
}

function levelsOf(leaves: readonly Uint8Array[]): Uint8Array[][] {
  if (!BATCH_BUCKETS.some((size) => size === leaves.length)) {
    throw new RecordsError('out_of_range', 'leaves', `${leaves.length} leaves are no bucket`)
  }
  let level = leaves.map((leaf) => leafHash(leaf))
  const levels = [level]
  while (level.length > 1) {
    const above: Uint8Array[] = []
    for (let index = 0; index < level.length; index += 2) {
      above.push(nodeHash(at(level, index), at(level, index + 1)))
    }
    level = above
    levels.push(level)
  }
  return levels
}

function findDuplicate(recordCommits: readonly Uint8Array[]): number | undefined {
  const seen = new Set<string>()
  for (const [index, commit] of recordCommits.entries()) {
    seen.add(String.fromCharCode(...commit))
    if (seen.size === index) return index
  }
  return undefined
}

/** The numbers below `count` in an order that is uniformly random (Fisher and Yates). */
function shuffled(count: number, random: RandomBytes): number[] {
  const order = Array.from({ length: count }, (_, index) => index)
  for (let last = count - 1; last > 0; last -= 1) {
    const chosen = uniformBelow(last + 1, random)
    const moved = at(order, last)
    order[last] = at(order, chosen)
    order[chosen] = moved
  }
  return order
}

// Numbers above the last multiple of the bound would favour the small remainders: drawn again.
function uniformBelow(bound: number, random: RandomBytes): number {
  const limit = 0x1_0000 - (0x1_0000 % bound)
  while (true) {
    const [high = 0, low = 0] = random(2)
    const drawn = high * 0x100 + low
    if (drawn < limit) return drawn % bound
  }
}

function at<T>(items: readonly T[], index: number): T {
  const item = items[index]
  if (item === undefined) throw new RecordsError('out_of_range', 'index', `nothing at ${index}`)
  return item
}
