export type {
  Block,
  BlockSummary,
  Condition,
  Member,
  Network,
  Peer,
  Status,
  StoredRecord,
  Transaction,
  Verification,
} from './answers.ts'
export {
  type ApiCode,
  ApiError,
  type Catalogue,
  type CatalogueEntry,
  type ProblemItem,
  Refusal,
} from './errors.ts'
export type {
  ApiEvent,
  ApiHandlers,
  BlockName,
  EventSource,
  EventType,
  ProofOutcome,
  RecordAnswer,
  RecordContent,
  RecordQuery,
  RecordSubmission,
  SubmissionOutcome,
  SubmittedRecordAnswer,
  TransactionOutcome,
} from './handlers.ts'
export { type ApiLimits, DEFAULT_LIMITS } from './limits.ts'
export {
  type ApiOptions,
  type ApiServer,
  type ApiStats,
  type ObservedRequest,
  startApi,
} from './server.ts'
