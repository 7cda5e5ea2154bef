export type {
  Alarm,
  Block,
  BlockPage,
  BlockSummary,
  Condition,
  Finalization,
  Health,
  Peer,
  RecordPage,
  Status,
  StoredRecord,
  Submission,
  SubmissionProblem,
  SubmittedRecord,
  SubmittedTransaction,
  Transaction,
  TransactionResult,
  Verification,
} from './answers.ts'
export type {
  AdminPeers,
  BookedPeer,
  PeerBan,
  PeerOutcome,
  PeerPing,
  PeerProbe,
} from './admin-peers-answers.ts'
export type { AdminPeersHandlers } from './admin-peers-handlers.ts'
export type { Acknowledged, Check, Checks, LogLevel } from './admin-seeing-answers.ts'
export type { AdminSeeingHandlers, BundleQuery } from './admin-seeing-handlers.ts'
export {
  type HeldOptions,
  type HeldReason,
  type HeldServer,
  startHeldServer,
} from './held-server.ts'
export type { Checkpoint } from './checkpoint-answers.ts'
export type {
  Backup,
  Backups,
  DatabaseCheck,
  DatabaseFinding,
  Verifications,
} from './admin-data-answers.ts'
export type { AdminDataHandlers } from './admin-data-handlers.ts'
export type { AdminAct, CreatedToken, Reloaded, Token } from './admin-access-answers.ts'
export type {
  AdminAccessHandlers,
  AuditHandlers,
  NotedAct,
  TokenRequest,
} from './admin-access-handlers.ts'
export type { AccessControl, AdmissionObservers, OpenTo, TokenFinding } from './admission.ts'
export { type ApiCaller, CALLER_ROLES, type CallerRole, includesRole } from './caller.ts'
export type { Evidence, EvidencePage } from './evidence-answers.ts'
export {
  type ApiCode,
  ApiError,
  type Catalogue,
  type CatalogueEntry,
  type ProblemItem,
  Refusal,
  SignatureNeeded,
} from './errors.ts'
export type {
  ApiEvent,
  AccessQuery,
  ApiHandlers,
  BlockName,
  ChangePreviewOutcome,
  EventSource,
  EventType,
  ProofOutcome,
  RecordAnswer,
  RecordQuery,
  RecordSubmission,
  SubmissionOutcome,
  SubmittedRecordAnswer,
  TransactionOutcome,
} from './handlers.ts'
export { EVENT_TYPES } from './handlers.ts'
export type { TlsIdentity } from './listener-server.ts'
export { type ApiLimits, DEFAULT_LIMITS } from './limits.ts'
export type { PageFile } from './pages.ts'
export type {
  Change,
  ChangeEffect,
  ChangePreview,
  Epoch,
  Member,
  Network,
} from './membership-answers.ts'
export type { Hold, Pruned, PrunePlan, Snapshot } from './storage-answers.ts'
export {
  type ApiOptions,
  type ApiServer,
  type ApiStats,
  type ObservedRequest,
  startApi,
} from './server.ts'
export type { RequestTrace, RequestTracer } from './tracing.ts'
export type {
  Emergency,
  EmergencyNotice,
  EmergencyOpened,
  EmergencyReview,
  EmergencyStatus,
} from './emergency-answers.ts'
export type { EmergencyParts } from './emergency-client.ts'
export type {
  CredentialQuestion,
  EmergencyAnswer,
  EmergencyHandlers,
  EmergencyNoticeAnswer,
  EmergencyOpening,
  EmergencyQuestion,
  EmergencyReviewAnswer,
  EmergencySetStatus,
  OfflineQuestion,
} from './emergency-handlers.ts'
export type { Amendment, Erasure, LegalHold, Released } from './erasure-answers.ts'
export type { ErasureHandlers } from './erasure-handlers.ts'
export type { Identity } from './identity-answers.ts'
export type {
  IdentityAnswer,
  IdentityHandlers,
  RecoveryStatement,
} from './identity-handlers.ts'
export type {
  EnrolmentRequest,
  HandleOpening,
  KnownGrantAnswer,
  KnownGrantQuery,
  PatientCall,
  PatientCaller,
  PatientDelegate,
  PatientHandlers,
  RelayedHandle,
  WalletEnrolment,
  WalletRebinding,
} from './patient-handlers.ts'
export type {
  Accounting,
  Disclosure,
  Question,
  TimelineItem,
  TimelinePage,
  Trace,
  TracePage,
} from './timeline-answers.ts'
export type { SequencePage, TimelineHandlers, TraceQuery } from './timeline-handlers.ts'
export { QUESTION_CHARACTERS_MAX } from './timeline-routes.ts'
export type {
  GrantRequest,
  PractitionerProof,
  ReadableQuery,
  ReadRequest,
  RecordContent,
  RepairRequest,
  UploadSubmission,
  VaultHandlers,
  VerifyRequest,
} from './vault-handlers.ts'
export {
  type Access,
  ACCESS_OUTCOMES,
  type AccessOutcome,
  type AccessPage,
} from './access-answers.ts'
export type {
  ReadableRecord,
  RecordVersion,
  ShownFields,
  Vault,
  VaultHolder,
  VaultScheme,
  VaultStep,
} from './vault-answers.ts'
export type { Enrolled, Enrolment, GrantDeposit, KnownGrant } from './patient-answers.ts'
