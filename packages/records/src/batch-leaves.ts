// The leaves of an anchored batch as holders keep them, and the way from one leaf to the root.
//
// A record is anchored when its commitment is a leaf of a batch whose root is final on the chain. The chain
// has the root alone, so the leaves go to holders as shards do: without them a record outlives its custodian
// and nobody can show that it was anchored. They open nothing. They are the commitments among random bytes, in
// shuffled order, and nothing beside them says which are records. The places of records in the batch, which
// the custodian knows, are no part of it.

import {
  bytes,
  bytesMax,
  decode,
  encode,
  type Infer,
  list,
  refine,
  struct,
  uint,
  versioned,
} from '@mooring/codec'
import { leafHash, nodeHash } from '@mooring/crypto'
import { BATCH_BUCKETS, BATCH_RECORDS_MAX } from './batch.ts'
import { organisationIdSchema } from './placement.ts'

const LEAF_BYTES = 32
const PATH_MAX = Math.log2(BATCH_RECORDS_MAX)
const LEAVES_BYTES_MAX = BATCH_RECORDS_MAX * LEAF_BYTES
/** The leaves, and where they are on the chain. */
export const BATCH_DEPOSIT_BYTES_MAX = LEAVES_BYTES_MAX + 256

const digest = bytes(32)

const batchDepositShape = versioned(1, {
  custodian: organisationIdSchema,
  /** What anchored it: sequence among the batches of the custodian, transaction, height of its block. */
  sequence: uint(),
  transaction: digest,
  height: uint(),
  /** One after the other. */
  leaves: bytesMax(LEAVES_BYTES_MAX),
})

const batchDepositSchema = refine(
  batchDepositShape,
  ({ leaves }) => BATCH_BUCKETS.some((bucket) => bucket * LEAF_BYTES === leaves.length),
  'leaves fill a bucket',
)

type BatchDeposit = Infer<typeof batchDepositShape>

/** From a leaf to what anchored it. */
export const leafPlaceSchema = struct({
  transaction: digest,
  height: uint(),
  index: uint(BATCH_RECORDS_MAX - 1),
  path: list(digest, PATH_MAX),
})

export type LeafPlace = Infer<typeof leafPlaceSchema>

export function encodeBatchDeposit(deposit: BatchDeposit): Uint8Array {
  return encode(batchDepositSchema, deposit)
}

/** @throws CodecError */
export function decodeBatchDeposit(encoded: Uint8Array): BatchDeposit {
  return decode(batchDepositSchema, encoded, BATCH_DEPOSIT_BYTES_MAX)
}

export function leavesOfDeposit({ leaves }: Pick<BatchDeposit, 'leaves'>): Uint8Array[] {
  return Array.from({ length: leaves.length / LEAF_BYTES }, (_, index) =>
    leaves.subarray(index * LEAF_BYTES, (index + 1) * LEAF_BYTES),
  )
}

/** The root that a leaf at this place is under; undefined where no batch has such a place. */
export function rootOfPlace(
  leaf: Uint8Array,
  { index, path }: Pick<LeafPlace, 'index' | 'path'>,
): Uint8Array | undefined {
  const size = 2 ** path.length
  if (!BATCH_BUCKETS.some((bucket) => bucket === size) || index >= size) return undefined
  return path.reduce(
    (hash, sibling, height) =>
      (index >> height) % 2 === 0 ? nodeHash(hash, sibling) : nodeHash(sibling, hash),
    leafHash(leaf),
  )
}
