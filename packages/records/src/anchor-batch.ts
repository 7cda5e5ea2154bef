// What a custodian keeps for itself beside the sealed records: its batches, and names for bytes.

import { bytes, type Infer, list, refine, uint, versioned } from '@mooring/codec'
import { hmacSha256 } from '@mooring/crypto'
import { BATCH_BUCKETS, BATCH_RECORDS_MAX } from './batch.ts'

const digest = bytes(32)

const anchorBatchShape = versioned(1, {
  sequence: uint(),
  root: digest,
  bucket: uint(BATCH_RECORDS_MAX),
  leaves: list(digest, BATCH_RECORDS_MAX),
  /** The leaves that are records, in the order they were accepted; the others are dummies. */
  positions: list(uint(BATCH_RECORDS_MAX - 1), BATCH_RECORDS_MAX),
  createdAt: uint(),
})

export type AnchorBatch = Infer<typeof anchorBatchShape>

export const anchorBatchSchema = refine(
  anchorBatchShape,
  ({ bucket, leaves, positions }) =>
    BATCH_BUCKETS.some((size) => size === bucket) &&
    leaves.length === bucket &&
    new Set(positions).size === positions.length &&
    positions.every((position) => position < bucket),
  'leaves fill a bucket, and positions name different leaves of it',
)

/**
 * Finds a record again when the same bytes are submitted again. Keyed, since a plain hash of a record
 * could be compared with guesses by whoever sees an index of them.
 */
export function dedupeKey(localSecret: Uint8Array, raw: Uint8Array): Uint8Array {
  return hmacSha256(localSecret)(raw)
}
