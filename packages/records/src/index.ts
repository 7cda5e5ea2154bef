export {
  ACCESS_ENTRY_BYTES_MAX,
  accessEntryCommit,
  accessEntrySchema,
  type AccessEntry,
} from './access-entry.ts'
export {
  ACCESS_LIFETIME_MS_MAX,
  ACCESS_SETS_MAX,
  accessRequestDigest,
  accessRequestSchema,
  type AccessRequest,
  signAccessRequest,
  type SignedAccessRequest,
  signedRequestSchema,
  verifyAccessRequest,
} from './access-request.ts'
export {
  type AccessWitness,
  accessWitnessSchema,
  signWitness,
  verifyWitness,
} from './access-witness.ts'
export { type Access, type AccessedRecord, auditEventOf } from './audit-event.ts'
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
export {
  ACCESS_REFUSALS,
  type AccessDecision,
  type AccessInput,
  type AccessRefusal,
  BLOCK_AGE_MAX,
  CLOCK_SKEW_MS,
  decideAccess,
  type HeldSet,
} from './decide.ts'
export { RecordsError, type RecordsErrorCode } from './errors.ts'
export { factsSchema, gateOf, gateTagOf, type RecordFacts } from './facts.ts'
export { type Field, fieldsOf } from './fields.ts'
export { generatePatient } from './generate-patient.ts'
export {
  formatGrant,
  GRANT_LIFETIME_MS_MAX,
  type GrantDocument,
  grantSchema,
  parseGrant,
  type SignedGrant,
  signedGrantSchema,
  signGrant,
  verifyGrant,
} from './grant-document.ts'
export {
  organisationDid,
  pairwiseSealKey,
  pairwiseSignKey,
  type SealKeyPair,
} from './hosted-keys.ts'
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
export { coversPurpose, isImplicitPurpose, isPurpose, PURPOSES } from './purpose.ts'
export { checkRelease, type ReleaseInput, type ReleaseRefusal } from './release.ts'
export {
  type RecordProofFailure,
  type RecordProofResult,
  type RecordProofStep,
  verifyRecordProof,
} from './verify-record-proof.ts'
