// A submission made ready for the private store: taken apart, and each record with a secret of its
// own and the commitment that follows from it.
//
// The work is a generator that yields record by record, so that whoever runs it decides how long it
// may hold a thread, and which one. Offsets instead of slices: they cross to another thread.

import {
  commitRecord,
  dedupeKey,
  fieldsOf,
  type RandomBytes,
  readSubmission,
  recordSecrets,
  type SubmissionProblem,
  type SubmittedResource,
} from '@mooring/records'
import { encodeRecord } from './custody.ts'

export interface Preparation {
  readonly format: 'json' | 'ndjson'
  /** Keep the good lines of NDJSON although others are bad. */
  readonly isPartial: boolean
  readonly mediaType: string
  readonly receivedAt: number
  /** Keys the names by which a submission and a record are found again. */
  readonly secret: Uint8Array
}

export interface PreparedRecord {
  /** The record commitment. */
  readonly id: Uint8Array
  readonly dedupeKey: Uint8Array
  /** What custody.ts reads. */
  readonly metadata: Uint8Array
  /** Where its bytes are in the submission. */
  readonly start: number
  readonly end: number
  readonly resourceType: string
  readonly entry: number
}

export interface PreparedSubmission {
  /** The deduplication key of the whole. */
  readonly submission: Uint8Array
  readonly problems: readonly SubmissionProblem[]
}

const REC_BYTES = 32
const LINE_TYPE = 'application/fhir+json'

/** Yields nothing when the submission is refused. */
export function* prepareRecords(
  bytes: Uint8Array,
  preparation: Preparation,
  random: RandomBytes,
): Generator<PreparedRecord, PreparedSubmission, undefined> {
  const { format, isPartial, secret } = preparation
  const submission = dedupeKey(secret, bytes)
  const { resources, problems } = readSubmission(bytes, { format })
  if (problems.length > 0 && !isPartial) return { submission, problems }
  for (const resource of resources) {
    const start = resource.raw.byteOffset - bytes.byteOffset
    yield {
      ...commit(resource, { ...preparation, submission }, random(REC_BYTES)),
      start,
      end: start + resource.raw.length,
    }
  }
  return { submission, problems }
}

function commit(
  resource: SubmittedResource,
  context: Preparation & { submission: Uint8Array },
  rec: Uint8Array,
): Omit<PreparedRecord, 'start' | 'end'> {
  const { raw, node, resourceType, entry } = resource
  const { format, mediaType, receivedAt, secret, submission } = context
  const { recordCommit, fieldRoot, rawCommit } = commitRecord(
    fieldsOf(node),
    raw,
    recordSecrets(rec),
  )
  const record = {
    recordCommit,
    rec,
    fieldRoot,
    rawCommit,
    resourceType,
    resourceId: resource.id,
    versionId: resource.versionId,
    fullUrl: resource.fullUrl,
    mediaType: format === 'ndjson' ? LINE_TYPE : mediaType,
    receivedAt,
    submission,
    batch: null,
    supersedes: null,
  }
  const metadata = encodeRecord(record, raw.length)
  return { id: recordCommit, dedupeKey: dedupeKey(secret, raw), metadata, resourceType, entry }
}
