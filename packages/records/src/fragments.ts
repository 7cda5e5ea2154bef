// Checking shards against their set: whole, as they arrive, or one fragment at a time.
//
// The leaf of a shard is the RFC 9162 root over the digests of its fragments, and every leaf is in the
// set. So whoever has the digests of a shard checks them once, and then each fragment alone.

import { equalBytes } from '@mooring/codec'
import { createSha256, type IncrementalHash, leafHash, merkleRootOfHashes } from '@mooring/crypto'
import { fragmentBytesOf, fragmentOffsetOf, type ShardSet, shardBytesOf } from './shard-set.ts'

const LEAF_PREFIX = Uint8Array.of(0)

export function fragmentDigest(fragment: Uint8Array): Uint8Array {
  return leafHash(fragment)
}

/** The fragments of a shard that is all here, as views. */
export function fragmentsOfShard(set: ShardSet, shard: Uint8Array): Uint8Array[] {
  return Array.from({ length: set.segmentCount }, (_, segment) => {
    const offset = fragmentOffsetOf(set, segment)
    return shard.subarray(offset, offset + fragmentBytesOf(set, segment))
  })
}

export function isShard(set: ShardSet, index: number, shard: Uint8Array): boolean {
  if (shard.length !== shardBytesOf(set)) return false
  return areDigestsOfShard(set, index, fragmentsOfShard(set, shard).map(leafHash))
}

/** Whether these are the digests of all fragments of this shard. */
export function areDigestsOfShard(
  set: ShardSet,
  index: number,
  digests: readonly Uint8Array[],
): boolean {
  const leaf = set.leaves[index]
  return (
    leaf !== undefined &&
    digests.length === set.segmentCount &&
    equalBytes(merkleRootOfHashes(digests), leaf)
  )
}

/** Checks a shard that comes in parts, in order. */
export class ShardCheck {
  readonly #set: ShardSet
  readonly #digests: Uint8Array[] = []
  #hash = startLeaf()
  #inFragment = 0
  #received = 0

  constructor(set: ShardSet) {
    this.#set = set
  }

  get received(): number {
    return this.#received
  }

  /** Of the fragments that are complete. */
  get digests(): readonly Uint8Array[] {
    return this.#digests
  }

  /** False when this is more than the shard has; then nothing of it counts. */
  push(part: Uint8Array): boolean {
    if (this.#received + part.length > shardBytesOf(this.#set)) return false
    for (let at = 0; at < part.length; ) {
      const size = fragmentBytesOf(this.#set, this.#digests.length)
      const piece = part.subarray(at, at + size - this.#inFragment)
      this.#hash.update(piece)
      this.#inFragment += piece.length
      at += piece.length
      if (this.#inFragment < size) continue
      this.#digests.push(this.#hash.digest())
      this.#hash = startLeaf()
      this.#inFragment = 0
    }
    this.#received += part.length
    return true
  }

  /** Whether all that came is this shard, whole. */
  isShard(index: number): boolean {
    return areDigestsOfShard(this.#set, index, this.#digests)
  }
}

function startLeaf(): IncrementalHash {
  const hash = createSha256()
  hash.update(LEAF_PREFIX)
  return hash
}
