// The sets that a node knows of: those of which it holds a shard, and those of its own records.

import { decodeShardSet, type ShardSet } from '@mooring/records'

export interface KnownSet {
  readonly setId: Uint8Array
  readonly set: ShardSet
  readonly encodedSet: Uint8Array
  /** Sealed. */
  readonly manifest: Uint8Array
  /** The organisation that keeps each shard, as far as this node was told. */
  readonly holders: readonly string[]
}

export interface KnownSets {
  /** Each once, whichever way it is known. */
  all(): AsyncIterable<KnownSet>
  get(setId: Uint8Array): Promise<KnownSet | undefined>
  /** Some of them, at random. */
  sample(count: number): Promise<KnownSet[]>
  /** Durable: this organisation keeps the shard from now on. */
  moved(setId: Uint8Array, index: number, holder: string): Promise<void>
}

export function knownSet(
  setId: Uint8Array,
  head: { set: Uint8Array; manifest: Uint8Array; holders: readonly string[] },
): KnownSet {
  const { set, manifest, holders } = head
  return { setId, set: decodeShardSet(set), encodedSet: set, manifest, holders }
}

/** One after another in groups of at most so many. */
export async function* inGroups<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<T[]> {
  let group: T[] = []
  for await (const item of items) {
    group.push(item)
    if (group.length < size) continue
    yield group
    group = []
  }
  if (group.length > 0) yield group
}
