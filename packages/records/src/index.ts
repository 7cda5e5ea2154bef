export {
  BATCH_BUCKETS,
  BATCH_RECORDS_MAX,
  type Batch,
  batchPath,
  batchPaths,
  buildBatch,
  type InvalidBatch,
  type RandomBytes,
} from './batch.ts'
export type { BundleType } from './bundle.ts'
export {
  type Commitment,
  commitRecord,
  fieldLeafHash,
  type FieldTree,
  fieldTree,
  openingOf,
  rawCommitment,
  recordCommitment,
  type RecordOpening,
  recordSecrets,
  type RecordSecrets,
  type SaltedField,
} from './commit.ts'
export { RecordsError, type RecordsErrorCode } from './errors.ts'
export { type Field, fieldsOf } from './fields.ts'
export { generatePatient } from './generate-patient.ts'
export { formatProblem, type ProblemCode, type SubmissionProblem } from './problems.ts'
export {
  readSubmission,
  type Submission,
  type SubmissionOptions,
  trimJson,
} from './read-submission.ts'
export {
  type AnchorBatch,
  anchorBatchSchema,
  dedupeKey,
  type RecordEntry,
  recordEntrySchema,
} from './record-entry.ts'
export { formatRecordProof, parseRecordProof, type RecordProof } from './record-proof.ts'
export type { SubmissionLimits, SubmittedResource } from './resource.ts'
export {
  type RecordProofFailure,
  type RecordProofResult,
  type RecordProofStep,
  verifyRecordProof,
} from './verify-record-proof.ts'
