export {
  CONFIG_VERSION,
  formatConfigFile,
  formatOptionValue,
  type OptionProblem,
  parseConfigFile,
} from './config-file.ts'
export { type ContextField, type NodeContext, readContext } from './contexts.ts'
export { configSchema } from './config-schema.ts'
export { migrateConfig, setInConfig } from './edit-config.ts'
export { foundersOf } from './authority-sets.ts'
export { makeFirstGuard, makeNewGuard } from './first-guard.ts'
export {
  createDevnet,
  createNewcomer,
  type Devnet,
  type DevnetNode,
  findPortBlock,
  portsOf,
  readDevnet,
  signerHome,
  writeDevnetConfigs,
} from './devnet.ts'
export type { CatalogEntry } from './error-entry.ts'
export {
  type Failure,
  failureDocument,
  failureOf,
  formatExplanation,
  formatFailure,
  wrap,
} from './error-text.ts'
export { allErrors, catalogEntry, explain, type Explanation } from './errors.ts'
export { readCrashReports, writeCrashReport } from './crash-report.ts'
export {
  initAuthority,
  type IssuedFiles,
  issueFromAuthority,
  listCertificates,
} from './authority-files.ts'
export { tokenAnswer } from './admin-access.ts'
export { changeTokens } from './offline-tokens.ts'
export {
  certificateFindings,
  type KnownCertificate,
  readCertificates,
  readTls,
} from './tls-files.ts'
export { runChecks } from './checks.ts'
export { createBundle } from './bundle.ts'
export { homeParts, NEVER_IN_A_BUNDLE, shownOptions } from './bundle-sources.ts'
export { type FileLock, lockFile } from './file-lock.ts'
export { hasCode, isThere, replaceFile, syncFolder, writeNewFile } from './durable-files.ts'
export { inspectHome, type InspectedPart } from './inspect.ts'
export { hostChecks } from './host-checks.ts'
export { homeChecks } from './home-checks.ts'
export { createRedaction } from './redact-text.ts'
export { isHomeInUse } from './home-in-use.ts'
export { checkHome, createHome, type HomePaths, homePaths } from './home.ts'
export {
  createKeyPair,
  createKeyRing,
  type FoundKey,
  KEY_DUTIES,
  type KeyDuty,
  keyFileName,
  type KeyForm,
  type KeyRing,
  type PublicHalf,
  randomSeed,
  readKeyFile,
  readPublicHalf,
  replaceKeyFile,
  writeKeyFile,
  writeKeyRing,
} from './keys.ts'
export { newPassphraseFrom, passphraseFrom } from './passphrase-source.ts'
export { noPassphrase, SeedLock } from './seed-lock.ts'
export { findLocalSecret, keepLocalSecret, recordsSecretPath } from './local-secret.ts'
export {
  type HomeOptions,
  loadHomeOptions,
  loadNodeOptions,
  type LoadSources,
  type NodeOptions,
  type Configuration,
  readConfigFile,
  readConfiguration,
  refuseProblems,
  readGenesisFile,
} from './load-options.ts'
export {
  adoptNextKey,
  findNextHalf,
  findNextKey,
  nextKeyPath,
  prepareNextKey,
  promoteNextKey,
} from './next-keys.ts'
export { createLogger, type Logger, type RootLogger } from './logger.ts'
export { NodeRestart } from './membership-watch.ts'
export { createMetrics, type Metrics } from './metrics.ts'
export { type ErrorData, NodeError } from './node-error.ts'
export {
  formatDuration,
  formatRetention,
  nearest,
  parseDuration,
  parseHostPort,
} from './option-values.ts'
export { type Profile, PROFILES } from './option-kinds.ts'
export { OPTION_ENTRIES, type OptionEntry } from './options.ts'
export { type Origin, parseOptionText, resolveOptions } from './resolve-options.ts'
export { findContradictions } from './guard-check.ts'
export { type RunningNode, startNode } from './node.ts'
export { forgetDecided } from './peer-book.ts'
export { BEHAVIOURS, type Behaviour } from './behaviours.ts'
export { misbehave } from './rehearsal.ts'
export { type Hold, placeHold, readHolds, releaseHold } from './holds.ts'
export {
  createSnapshotOffline,
  planPruningOffline,
  runPruningOffline,
  snapshotFile,
  startHomeFrom,
  startHomeFromFile,
  verifySnapshotFile,
} from './offline.ts'
export { readSnapshots } from './snapshot-exchange.ts'
export type { SnapshotSource } from './snapshot-fetch.ts'
export { planOf } from './storage-answers.ts'
export { evidenceId } from './offences.ts'
export { createBackupOffline, type MadeBackup } from './backup-create.ts'
export { type BackupList, listBackups } from './backup-folder.ts'
export { type BackupHead, type BackupManifest, type Compression } from './backup-format.ts'
export { readKeyFolder, readKeysOfHome, sealKeys } from './backup-keys.ts'
export { readBackup } from './backup-read.ts'
export {
  type KeySource,
  readBackupGenesis,
  restoreBackup,
  restoreChain,
} from './backup-restore.ts'
export { nextRuns } from './backup-schedule.ts'
export { checkHomeData, type DatabaseCheck } from './database-check.ts'
export { openLog } from './open-log.ts'
export { parseSignerAddress } from './signer-address.ts'
export type { SignerInfo } from './signer-messages.ts'
export { askSigner, findSigner, loadSignerOptions, type SignerOptions } from './signer-options.ts'
export { type RunningSigner, startSigner } from './signer.ts'
export { followPeers } from './chain-follow.ts'
export { planRollback, rollBack, type RollbackPlan } from './chain-rollback.ts'
export { type DatabaseInfo, databaseInfo } from './database-info.ts'
export { compactDatabases } from './database-compact.ts'
export { planRepair, type RepairPlan, runRepair } from './database-repair.ts'
export { loadNodeKeys } from './load-options.ts'
export {
  findHomeSecrets,
  finishResealing,
  type HomeSecret,
  resealSecrets,
} from './home-secrets.ts'
export { inStoppedHome } from './stopped-home.ts'
