export {
  type AppliedBlock,
  type AppliedTransactions,
  applyBlock,
  applyBlockInSteps,
  applyTransactions,
  applyTransactionsInSteps,
  type BlockContext,
  checkBody,
  checkSignatures,
  checkTransaction,
  type FindVerified,
  type IsVerified,
  type TransactionContext,
} from './apply.ts'
export {
  type AuthoritySet,
  authoritySetDigest,
  decodeAuthoritySet,
  encodeAuthoritySet,
} from './authority-set.ts'
export type { BatchRoot } from './batch-transaction.ts'
export type { InvalidBlock } from './block-rules.ts'
export {
  type Admission,
  admissionBytes,
  admissionSchema,
  type Change,
  type ChangeOf,
  type ChangeRecord,
  type NewKey,
  type RecordedChange,
  signAdmission,
  signNewKey,
} from './change.ts'
export type { ChangeApprove } from './change-approve.ts'
export { CHANGE_OPEN_MAX_MS, type ChangePropose } from './change-propose.ts'
export type { ChangeReady } from './change-ready.ts'
export {
  approvalsNeeded,
  type ChangePreview,
  type ChangeProblem,
  planChange,
  previewChange,
  quorumArithmetic,
  type QuorumArithmetic,
} from './change-rules.ts'
export type { ChangeWithdraw } from './change-withdraw.ts'
export {
  type Block,
  blockDigest,
  createBlock,
  type DecodedBlock,
  decodeBlock,
  decodeHeader,
  encodeBlock,
  encodeHeader,
  type Header,
  headerDigest,
  isSealing,
  joinBlock,
  type ParentBlock,
  parentOf,
  readOwnBlock,
  transactionRoot,
} from './block.ts'
export {
  changeAsJson,
  formatAdmissionJson,
  formatChangeJson,
  formatPayloadJson,
  formatRecordedChangeJson,
  parseAdmissionJson,
  parseChangeJson,
  parsePayloadJson,
  parseRecordedChangeJson,
  payloadAsJson,
  recordedChangeAsJson,
} from './changes-json.ts'
export {
  EMERGENCIES_PER_HOUR,
  EMERGENCY_OPEN_MS,
  EMERGENCY_OUTCOMES,
  EMERGENCY_REASON_MS,
  EMERGENCY_REASONS,
  type Emergency,
  emergencyOf,
  type EmergencyOutcome,
  type EmergencyReason,
  type FirstOpening,
  firstOpeningOf,
} from './emergency.ts'
export type { EmergencyClose } from './emergency-close.ts'
export type { EmergencyOpen } from './emergency-open.ts'
export { type DocumentProblem, LedgerError, type LedgerErrorCode } from './errors.ts'
export type {
  CertifiedHeader,
  FailedProof,
  FinalizationVerifier,
  ProofFailure,
  ProofStep,
} from './finality.ts'
export {
  checkGenesis,
  createGenesis,
  decodeGenesis,
  encodeGenesis,
  type Genesis,
  type GenesisEntry,
  type GenesisProblem,
  genesisDigest,
  genesisParent,
  genesisState,
  networkId,
  PROTOCOL_VERSION,
  signGenesisEntry,
} from './genesis.ts'
export { formatGenesisJson, parseGenesisJson } from './genesis-json.ts'
export {
  addressSchema,
  addressesSchema,
  checkFounders,
  type Founder,
  formatFounderJson,
  formatTermsJson,
  foundGenesis,
  type FoundingProblem,
  type FoundingTerms,
  parseFounderJson,
  parseTermsJson,
  signFounder,
  termsDigest,
} from './founding.ts'
export {
  BUNDLE_BYTES_MAX,
  type BundleHints,
  checkBundle,
  formatBundleJson,
  type NetworkBundle,
  parseBundleJson,
  signBundle,
} from './network-bundle.ts'
export {
  type GrantHandle,
  grantHandleOf,
  type GrantKind,
  type GrantTerms,
  HANDLE_LIVES_MAX_MS,
  handleOfKey,
  isGrantOpenSigned,
  isGrantRevokeSigned,
  isLiveHandle,
  signGrantOpen,
  signGrantRevoke,
  wholeDayAfter,
} from './grant-handle.ts'
export type { GrantOpen } from './grant-open.ts'
export type { GrantRevoke } from './grant-revoke.ts'
export {
  controlKeyDigest,
  DESK_LOCK_MS,
  DEVICES_MAX,
  deviceKeyDigest,
  GUARDIANS_MAX,
  type Identity,
  identityIdOf,
  identityOf,
  type IdentityProblem,
  type IdentitySettings,
  pendingAt,
  type RecoveryPolicy,
  TIME_LOCK_MS,
  TIME_LOCK_MS_MAX,
} from './identity.ts'
export { signIdentityCreate } from './identity-create.ts'
export {
  decodeIdentityEvent,
  encodeIdentityEvent,
  type IdentityEvent,
  relayedBy,
} from './identity-events.ts'
export { signIdentityFinalize } from './identity-finalize.ts'
export {
  type Guardian,
  GUARDIAN_LEAVES,
  type GuardianApproval,
  guardianPath,
  guardiansRoot,
  isGuardian,
} from './identity-guardians.ts'
export {
  attestRecovery,
  type DeskAttestation,
  recoveryMessage,
  type RecoveryContent,
  verifyAttestation,
} from './identity-recover.ts'
export { signIdentityRotate } from './identity-rotate.ts'
export { signObjection, vetoMessage } from './identity-veto.ts'
export type { JsonValue } from './json-form.ts'
export {
  currentKeyOf,
  type KeyReplace,
  patientKeyDigest,
  type Replacement,
  REPLACEMENTS_MAX,
  successorOf,
} from './key-replace.ts'
export type { Kind, Payload, PayloadOf } from './kinds.ts'
export {
  changeOf,
  epochOf,
  isIdTaken,
  openChanges,
  organisations,
  ownerOfKey,
  type Protocol,
  protocolOf,
  type Seal,
  sealOf,
} from './membership.ts'
export { DUTIES, type Duty, type Organisation, type Role } from './organisation.ts'
export {
  BLOCK_BYTES_MAX,
  BLOCK_TRANSACTIONS_MAX,
  DEVNET_PARAMETERS,
  type Parameters,
  parametersSchema,
  PRODUCTION_PARAMETERS,
  TRANSACTION_BYTES_MAX,
  type UnixMs,
} from './parameters.ts'
export {
  createTransactionProof,
  decodeStateProof,
  decodeTransactionProof,
  encodeStateProof,
  encodeTransactionProof,
  type StateProof,
  type TransactionProof,
  type VerifiedState,
  type VerifiedTransaction,
  verifyFinalHeader,
  verifyStateProof,
  verifyTransactionProof,
} from './proofs.ts'
export {
  formatStateProofJson,
  formatTransactionProofJson,
  parseStateProofJson,
  parseTransactionProofJson,
} from './proofs-json.ts'
export { checkQuota, type SequenceCounter } from './quota.ts'
export {
  ERASURE_REASONS,
  type ErasureReason,
  type RecordTombstone,
  type Tombstone,
  tombstoneItem,
  tombstoneOf,
} from './record-tombstone.ts'
export { decodeReceipts, encodeReceipts, type Receipt, receiptOf } from './receipts.ts'
export { type BlockPlace, dueChange, isOwnRotation, type Tally, tallyOf } from './settle.ts'
export {
  authoritySet,
  countersOf,
  KnownValues,
  organisationOf,
  parametersOf,
  type State,
  type StateDiff,
  type StateReader,
} from './state.ts'
export {
  accessKey,
  anchorKey,
  authoritySetKey,
  changeKey,
  countersKey,
  identityKey,
  organisationKey,
  organisationsKey,
  parametersKey,
  sealKey,
} from './state-keys.ts'
export { complete, type Steps } from './steps.ts'
export {
  createTransaction,
  type DecodedTransaction,
  decodeTransaction,
  describeMalformed,
  hasValidSignature,
  ownKeysOf,
  payerOf,
  placeOf,
  purseOf,
  signedBytesOf,
  transactionId,
} from './transaction.ts'
export type {
  InvalidEmergency,
  InvalidForPatients,
  InvalidTransaction,
  PlaceInSequence,
} from './transaction-kind.ts'
