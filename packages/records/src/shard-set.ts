// The public half of a sealed record: what a holder knows about the shard that it keeps.
//
// The plaintext is cut into segments of 1 MiB, each sealed on its own and split into n fragments of
// which any k give it back. Shard j is fragment j of every segment, in order, and its leaf the RFC 9162
// root over them: one fragment can be checked without the rest. The name of the set is a hash over all
// of it, with the gate, so that whoever knows the name can be told nothing else. It never contains
// the record's commitment: a holder cannot match what it keeps with what is on the chain.

import {
  bytes,
  decode,
  encode,
  equalBytes,
  type Infer,
  list,
  refine,
  uint,
  versioned,
} from '@mooring/codec'
import { AEAD_TAG_BYTES, domainHash, merkleRootOfHashes } from '@mooring/crypto'
import { organisationIdSchema } from './placement.ts'

/** Plaintext bytes of every segment but the last. */
export const SEGMENT_BYTES = 1024 * 1024
export const SEALED_SEGMENT_BYTES_MAX = SEGMENT_BYTES + AEAD_TAG_BYTES
/** 64 GiB in one record. */
export const SEGMENTS_MAX = 65_536
export const SHARDS_MAX = 16
/** Encoded. */
export const SHARD_SET_BYTES_MAX = 1024

const digest = bytes(32)
const sealedBytes = uint(SEALED_SEGMENT_BYTES_MAX)

const shardSetShape = versioned(1, {
  custodian: organisationIdSchema,
  k: uint(SHARDS_MAX),
  n: uint(SHARDS_MAX),
  segmentCount: uint(SEGMENTS_MAX),
  /** Sealed size of every segment but the last; with one segment, of that. */
  segmentBytes: sealedBytes,
  lastSegmentBytes: sealedBytes,
  /** Commits to the data key, which the cipher does not. */
  kc: digest,
  shardRoot: digest,
  leaves: list(digest, SHARDS_MAX),
  gate: digest,
})

export type ShardSet = Infer<typeof shardSetShape>

export const shardSetSchema = refine(
  shardSetShape,
  ({ k, n, segmentCount, segmentBytes, lastSegmentBytes, leaves, shardRoot }) =>
    k >= 1 &&
    k <= n &&
    leaves.length === n &&
    segmentCount >= 1 &&
    lastSegmentBytes > AEAD_TAG_BYTES &&
    (segmentCount === 1 ? segmentBytes === lastSegmentBytes : segmentBytes >= lastSegmentBytes) &&
    equalBytes(merkleRootOfHashes(leaves), shardRoot),
  'k of n shards, a leaf for each under the root, no empty segment',
)

export function encodeShardSet(set: ShardSet): Uint8Array {
  return encode(shardSetSchema, set)
}

/** @throws CodecError */
export function decodeShardSet(encoded: Uint8Array): ShardSet {
  return decode(shardSetSchema, encoded, SHARD_SET_BYTES_MAX)
}

export function shardSetId(encoded: Uint8Array): Uint8Array {
  return domainHash('shard-set', encoded)
}

export function sealedBytesOf(set: ShardSet, segment: number): number {
  return segment === set.segmentCount - 1 ? set.lastSegmentBytes : set.segmentBytes
}

/** Bytes of a fragment of this segment, the same in every shard. */
export function fragmentBytesOf(set: ShardSet, segment: number): number {
  return Math.ceil(sealedBytesOf(set, segment) / set.k)
}

/** Where the fragment of this segment begins in a shard. */
export function fragmentOffsetOf(set: ShardSet, segment: number): number {
  return segment * Math.ceil(set.segmentBytes / set.k)
}

export function shardBytesOf(set: ShardSet): number {
  const last = set.segmentCount - 1
  return fragmentOffsetOf(set, last) + fragmentBytesOf(set, last)
}
