// What a custodian keeps about each record, for itself: in its private store, never on the chain.
//
// An entry holds `rec`, the one secret of the record. Destroying it makes the commitment on the chain
// meaningless; whoever reads this store can open everything in it.

import {
  bytes,
  type Infer,
  list,
  nullable,
  refine,
  struct,
  text,
  uint,
  versioned,
} from '@mooring/codec'
import { BATCH_BUCKETS, BATCH_RECORDS_MAX } from './batch.ts'
import { hmacSha256 } from './hmac.ts'
import { FULL_URL_BYTES_MAX, ID_BYTES_MAX } from './resource.ts'

const digest = bytes(32)

export const recordEntrySchema = versioned(1, {
  recordCommit: digest,
  rec: bytes(32),
  fieldRoot: digest,
  rawCommit: digest,
  /** Null for bytes that are no FHIR resource. */
  resourceType: nullable(text(64)),
  resourceId: nullable(text(ID_BYTES_MAX)),
  versionId: nullable(text(ID_BYTES_MAX)),
  fullUrl: nullable(text(FULL_URL_BYTES_MAX)),
  mediaType: text(255),
  receivedAt: uint(),
  /** Names the submission it came with: a `dedupeKey` of the whole. */
  submission: digest,
  /** Null until it is in a batch; then the batch's sequence and the leaf in it. */
  batch: nullable(struct({ sequence: uint(), index: uint(BATCH_RECORDS_MAX - 1) })),
  supersedes: nullable(digest),
})

export type RecordEntry = Infer<typeof recordEntrySchema>

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
