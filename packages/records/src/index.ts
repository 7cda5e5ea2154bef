export {
  ACCESS_ENTRY_BYTES_MAX,
  accessEntryCommit,
  accessEntrySchema,
  type AccessEntry,
  openAccessEntry,
  sealAccessEntry,
} from './access-entry.ts'
export {
  HELD_ACCESSES_MAX,
  type HeldAccess,
  heldAccessSchema,
  heldRequestDigest,
  isHeldAccessWhole,
} from './held-access.ts'
export {
  type AdminAct,
  adminActCommit,
  adminActSchema,
  adminParametersDigest,
} from './admin-act.ts'
export { accessNoteCommit, accessNoteSchema, type AccessNote } from './access-note.ts'
export { type AccessProof, formatAccessProof, parseAccessProof } from './access-proof.ts'
export {
  ACCESS_LIFETIME_MS_MAX,
  ACCESS_SETS_MAX,
  accessRequestDigest,
  accessRequestSchema,
  type AccessRequest,
  practitionerMessage,
  readPractitionerMessage,
  signAccessRequest,
  signAsPractitioner,
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
export {
  type Access,
  type AccessActor,
  type AccessedRecord,
  auditEventOf,
  UNATTENDED,
} from './audit-event.ts'
export {
  type AccessGap,
  type AccessLine,
  type AccessWarning,
  type LoggedAccess,
  viewAccessLog,
} from './access-log-view.ts'
export {
  type CustodianTimeline,
  mergeTimelines,
  type Timeline,
  type TimelineGap,
  type TimelineLine,
  type TimelineProblem,
} from './timeline.ts'
export {
  checkTimeline,
  signTimelineHead,
  type SignedTimelineHead,
  signedTimelineHeadSchema,
  type TimelineBreak,
  timelineRoot,
  verifyTimelineHead,
} from './timeline-head.ts'
export {
  type ExportedEntry,
  type ExportedLine,
  formatTimelineBundle,
  type ProvenResource,
  readTimelineBundle,
  TIMELINE_BUNDLE_BYTES_MAX,
} from './timeline-bundle.ts'
export { seenHead, withSeenHead } from './wallet-log.ts'
export { type AuditBundleOf, formatAuditBundle } from './audit-bundle.ts'
export { readAuditEvent } from './audit-event-read.ts'
export { collectAccesses, type HeldAt } from './collect-accesses.ts'
export {
  BATCH_BUCKETS,
  BATCH_RECORDS_MAX,
  type Batch,
  batchPath,
  batchPaths,
  batchRoot,
  buildBatch,
  type InvalidBatch,
  type RandomBytes,
} from './batch.ts'
export {
  decodeBatchDeposit,
  encodeBatchDeposit,
  type LeafPlace,
  leafPlaceSchema,
  leavesOfDeposit,
  rootOfPlace,
} from './batch-leaves.ts'
export type { BundleType } from './bundle.ts'
export { CLOCK_SKEW_MS } from './clock.ts'
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
  checkUse,
  decideAccess,
  decideQuery,
  type GrantStandings,
  type HeldSet,
} from './decide.ts'
export { type Consent, isNarrow, type Provision, provisionOf } from './consent.ts'
export { formatConsent } from './consent-json.ts'
export { decideConsent, factsNeeded } from './decide-consent.ts'
export {
  checkDelegations,
  type DelegationQuestion,
  type DelegationRefusal,
  type HandleStanding,
  type SignedDelegation,
  signDelegation,
  verifyDelegation,
} from './delegation.ts'
export { RecordsError, type RecordsErrorCode } from './errors.ts'
export {
  type FactsOpening,
  factsSchema,
  gateOf,
  gateTagOf,
  openFacts,
  type RecordFacts,
} from './facts.ts'
export { clinicalFactsOf, NO_CLINICAL_FACTS } from './clinical-facts.ts'
export { type Field, fieldsOf } from './fields.ts'
export { generatePatient } from './generate-patient.ts'
export {
  consentOf,
  type Grant,
  GRANT_LIFETIME_MS_MAX,
  type GrantTerms,
  readGrant,
  type SignedGrant,
  signedGrantSchema,
  signGrant,
  verifyGrant,
} from './grant.ts'
export {
  formatGrant,
  parseGrant,
} from './grant-text.ts'
export { isConfidentiality, isSensitivity } from './labels.ts'
export { formatOffer, OFFER_CHARACTERS_MAX, parseOffer } from './grant-offer.ts'
export {
  backupKey,
  deviceSealKey,
  deviceVetoKey,
  guardianSealKey,
  guardianSignKey,
  handleKey,
  organisationDid,
  pairwiseSealKey,
  pairwiseSignKey,
  rootSignKey,
  type SealKeyPair,
} from './patient-keys.ts'
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
} from './anchor-batch.ts'
export {
  type Amendment,
  AMENDMENT_CHARACTERS_MAX,
  type AmendmentAnswer,
  amendmentSchema,
  OPEN_AMENDMENTS_MAX,
} from './amendment.ts'
export {
  type DeletionReceipt,
  deletionReceiptSchema,
  type ErasureOrder,
  isDeletionSigned,
  type RestrictionOrder,
  signDeletion,
} from './erasure.ts'
export {
  decideErasure,
  type ErasureReason,
  type ErasureRefusal,
  type Retention,
} from './retention.ts'
export {
  type FieldsRecordProof,
  formatRecordProof,
  parseRecordProof,
  type RecordProof,
  type WholeRecordProof,
} from './record-proof.ts'
export type { SubmissionLimits, SubmittedResource } from './resource.ts'
export { coversPurpose, isImplicitPurpose, isPurpose, PURPOSES } from './purpose.ts'
export { checkRelease, type ReleaseInput, type ReleaseRefusal } from './release.ts'
export { verifyAccessProof } from './verify-access-proof.ts'
export {
  type RecordProofFailure,
  type RecordProofResult,
  type RecordProofStep,
  verifyRecordProof,
} from './verify-record-proof.ts'
export {
  AUDIT_ANSWER_BYTES,
  AUDIT_NONCE_BYTES,
  auditAnswer,
  auditNonce,
  type AuditJudgement,
  type AuditQuestion,
  auditWindow,
  type AuditWindow,
  judgeAudit,
} from './audit.ts'
export {
  CLASS_KEY_MARK_BYTES,
  CLASS_KEY_WRAP_BYTES,
  CLASS_KEY_WRAPS_MAX,
  type ClassKeyContent,
  classKeyContentSchema,
  createKeyDeposit,
  decodeKeyDeposit,
  encodeKeyDeposit,
  KEY_DEPOSIT_BYTES_MAX,
  type KeyDeposit,
  keyDepositSchema,
  openClassKeyWrap,
  openKeyDeposit,
  wrapClassKey,
} from './class-keys.ts'
export { classOf, isRecordClass, type RecordClass, recordClassSchema } from './classes.ts'
export {
  type Manifest,
  manifestKeyOf,
  manifestSchema,
  openManifest,
  openOneManifest,
  SEALED_MANIFEST_BYTES_MAX,
  sealManifest,
} from './manifest.ts'
export { openRecordKeys, type RecordKey, sealRecordKeys } from './record-keys.ts'
export { bucketFor, nextBucket, paddedBytesFor } from './padding.ts'
export { eventTimeOf, isEnteredInError, isEventTime } from './event-time.ts'
export { NO_PATIENT, type PatientNames, patientNamesOf, patientOf } from './patient.ts'
export {
  organisationIdSchema,
  placementOrder,
  placeShards,
  type PossibleHolder,
  type Split,
  splitOf,
} from './placement.ts'
export {
  decodeShardSet,
  encodeShardSet,
  fragmentBytesOf,
  fragmentOffsetOf,
  SEGMENT_BYTES,
  SEGMENTS_MAX,
  SHARD_SET_BYTES_MAX,
  type ShardSet,
  shardBytesOf,
  shardSetId,
  shardSetSchema,
  SHARDS_MAX,
} from './shard-set.ts'
export {
  BATCH_DEPOSITS_MAX,
  type CatalogueItem,
  FOUND_LEAVES_MAX,
  LEAF_PREFIX_BYTES_MAX,
  AUDIT_SETS_MAX,
  decodeVaultAnswer,
  decodeVaultRequest,
  DEPOSIT_ITEMS_MAX,
  DEPOSIT_PART_BYTES_MAX,
  type DepositItem,
  type DepositReceipt,
  type DepositReceiptContent,
  depositReceiptMessage,
  encodeVaultAnswer,
  encodeVaultRequest,
  FIELD_PROOF_BYTES_MAX,
  FIELD_RECORDS_MAX,
  HAVE_SETS_MAX,
  KEY_DEPOSITS_MAX,
  LIST_ITEMS_MAX,
  MOVED_SETS_MAX,
  type RecordHead,
  RELEASE_ITEMS_MAX,
  type ReleasedShard,
  type ReleaseItem,
  REPAIR_SETS_MAX,
  type ShardHead,
  type ShardName,
  VAULT_MESSAGE_BYTES_MAX,
  type VaultAnswer,
  type VaultRequest,
  WHOLE_SHARD_BYTES_MAX,
} from './vault-messages.ts'
export {
  type RepairHelper,
  repairPart,
  type RepairQuestion,
  repairQuestionSchema,
  sumOfParts,
} from './repair-part.ts'
export {
  areDigestsOfShard,
  fragmentDigest,
  fragmentsOfShard,
  isShard,
  ShardCheck,
} from './fragments.ts'
export {
  type InvalidRecord,
  type OpenedRecord,
  type OpenFailure,
  openRecord,
  RecordOpener,
} from './open.ts'
export {
  type RecordDetails,
  RecordSealer,
  type SealedHead,
  type SealedRecord,
  type SealOptions,
  sealRecord,
  type StreamDetails,
} from './seal.ts'
export type { SealedSegment } from './seal-segments.ts'
export {
  checkShownField,
  discloseFields,
  type FieldsOpening,
  SHOWN_FIELDS_MAX,
  type ShownField,
} from './disclose.ts'
export {
  checkPatientRequest,
  PATIENT_REQUEST_SKEW_MS,
  type PatientCall,
  type PatientRequestRefusal,
  type PatientSigner,
  signPatientRequest,
} from './patient-request.ts'
export {
  type EnrolmentTicket,
  formatTicket,
  parseTicket,
  TICKET_CODE_BYTES,
} from './ticket.ts'
export {
  type DischargeReceipt,
  DISCHARGE_RECEIPTS_MAX,
  type SignedDischargeReceipts,
  signDischargeReceipts,
  signedDischargeReceiptsSchema,
  verifyDischargeReceipts,
} from './discharge-receipts.ts'
export {
  afterRestore,
  createWallet,
  deviceKeyAt,
  handleKeyAt,
  hospitalIn,
  pairwiseKeyAt,
  pairwiseSealKeyAt,
  SEAL_EPOCH,
  sealKeyAt,
  sealKeysAt,
  signerAt,
  takeHandleKey,
  type Wallet,
  WALLET_LABEL_BYTES_MAX,
  withHospital,
} from './wallet.ts'
export {
  sealBackup,
  openBackup,
  type WalletBackup,
  WALLET_BACKUP_BYTES_MAX,
} from './wallet-backup.ts'
export type { GivenDelegation } from './wallet-delegations.ts'
export type { WalletGrant } from './wallet-grants.ts'
export type { WalletHospital } from './wallet-hospital.ts'
export type { OwnIdentity, WalletGuardian } from './wallet-identity.ts'
export { formatDocumentText, parseDocumentText, type DocumentKind } from './document-text.ts'
export { recoveryCommit, recoverySalt, signRebinding, verifyRebinding } from './root-proof.ts'
export {
  DELEGATE_DOCUMENT,
  DELEGATE_INVITE,
  DELEGATE_KEYS,
  type DelegateDocument,
  type DelegateInvite,
  type DelegateKeys,
  openForDelegate,
  sealForDelegate,
} from './delegate-documents.ts'
export {
  ATTESTATION,
  GUARDIAN_APPROVAL,
  GUARDIAN_KEY,
  GUARDIAN_KIT,
  GUARDIAN_VETO,
  type GuardianAnswer,
  type GuardianKey,
  type GuardianKit,
  openShare,
  RECOVERY_REQUEST,
  type RecoveryRequest,
  RELEASE,
  requestFingerprint,
  REVOKE_KIT,
  sealShare,
} from './recovery-documents.ts'
export {
  deriveWalletKey,
  type OpenedWallet,
  openWallet,
  PASSPHRASE_CHARACTERS_MIN,
  sealWallet,
  type WalletKey,
} from './wallet-file.ts'
export {
  type EmergencyAnswer,
  EMERGENCY_VERDICTS,
  type EmergencyMessage,
  type EmergencyVerdict,
  REASON_BYTES_MAX,
  reasonCommit,
  type WrittenReason,
} from './emergency-messages.ts'
export {
  checkDeposit,
  sealEmergencySet,
  type StatementRefusal,
  withdrawEmergencySet,
} from './emergency-deposit.ts'
export {
  type AddressedDeposit,
  addressedDepositsSchema,
  EMERGENCY_CONTENT_BYTES_MAX,
  EMERGENCY_SEALED_BYTES_MAX,
  EMERGENCY_THRESHOLD,
  type EmergencyDeposit,
  emergencyDepositSchema,
  type EmergencyHeader,
  emergencyHeaderDigest,
  emergencyHeaderSchema,
  type EmergencyStatement,
  SPARE_VERSIONS_MAX,
  TRUSTEES_LEAST,
  TRUSTEES_MAX,
} from './emergency-header.ts'
export {
  type EmergencyCard,
  formatCard,
  genesisPrefixOf,
  LOCATOR_BYTES,
  locatorIdOf,
  parseCard,
  setHandleOf,
} from './emergency-locator.ts'
export {
  decideEmergency,
  emergencyAudience,
  emergencyNonce,
  type EmergencyQuestion,
  type EmergencyRefusal,
  type EmergencyRequest,
  emergencyRequestSchema,
  offlineQuestion,
} from './emergency-request.ts'
export {
  type EmergencyShare,
  openEmergencySet,
  openTrusteeShare,
  sealShareFor,
} from './emergency-shares.ts'
export {
  emergencySummary,
  readSummary,
  summarySources,
  type SummarySource,
} from './emergency-summary.ts'
export {
  checkPresentation,
  claimedOrganisation,
  credentialCommit,
  issueCredential,
  type Practitioner,
  presentCredential,
  type PresentationRefusal,
  readCredential,
} from './practitioner-credential.ts'
export { grantIdOf, indexOfGrantId } from './grant-id.ts'
export { emergencyOwner, nextSequence, walletLocator } from './wallet-emergency.ts'
