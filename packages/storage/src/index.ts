export { AccountOrder, type AccountPlace } from './account-order.ts'
export { AccessStore, type StoredAccess } from './access-store.ts'
export type { BatchBytes, BatchedId, BatchPlace } from './batches.ts'
export { BLOB_BYTES_MAX, PIECE_BYTES_MAX, PIECES_MAX } from './blob-format.ts'
export type { BlobShape, BlobStat, BlobStore, BlobWriter } from './blob-store.ts'
export { type EntriesCheck, checkEntries } from './check-entries.ts'
export { ChainStore } from './chain.ts'
export { ChainImport, frontierAfter, type ImportedEpoch } from './chain-import.ts'
export { type ChainOptions, tipOf } from './chain-check.ts'
export type { FinalBlock, StoredHeader, Tip, TransactionLocation } from './chain-records.ts'
export {
  type Database,
  type DatabaseObserver,
  type DatabaseOptions,
  formatOf,
  openDatabase,
  openDatabaseOn,
  type PinnedDatabase,
} from './database.ts'
export {
  CHUNK_OF_ENTRIES_BYTES_MAX,
  exportEntries,
  importEntries,
} from './entries.ts'
export type { EndedEpoch } from './epochs.ts'
export { EvidenceStore, type NewEvidence, type StoredEvidence } from './evidence.ts'
export {
  StorageError,
  type StorageErrorCode,
  type StorageErrorDetails,
  storageErrorOf,
} from './errors.ts'
export type { FileIdentity, FileSystem, OpenFile } from './file-system.ts'
export { Guard, type GuardOptions, markForRejoin, type OpenedGuard } from './guard.ts'
export type { Floor, GuardMemory } from './guard-place.ts'
export { type HomeLock, type HomeUser, lockHome, readHomeUser } from './home-lock.ts'
export { Journal, type JournalOptions, type OpenedJournal } from './journal.ts'
export type { JournalRecord, JournalRecordType } from './journal-format.ts'
export type { Marks } from './marks.ts'
export { faultsOfLevel, type LevelFault } from './level-files.ts'
export { LocalBlobs, type LocalBlobsOptions } from './local-blobs.ts'
export {
  type HelpGiven,
  INLINE_SHARD_BYTES_MAX,
  type KeyDepositEntry,
  type NewShard,
  type ShardContent,
  type ShardHead,
  type ShardList,
  type ShardName,
  type Usage,
} from './kept-shard.ts'
export {
  LIBRARY_NAME_BYTES,
  type LibraryEntry,
  LibraryStore,
  SCOPE_BYTES,
} from './library-store.ts'
export { type FoundLeaf, type KeptBatch, LeafStore, type NewKeptBatch } from './leaf-store.ts'
export { MemoryFileSystem } from './memory-file-system.ts'
export { MemoryLevel } from './memory-level.ts'
export { type BlobPlace, openBlobStore } from './open-blob-store.ts'
export { PendingTransactions } from './pending-transactions.ts'
export { AccountStore, type NewAccount } from './account-store.ts'
export type {
  ErasedNames,
  HolderUpdate,
  NewRecord,
  PrivateBatch,
  PrivateRecord,
} from './private-record.ts'
export {
  PRIVATE_VALUE_BYTES_MAX,
  type PrivateOperation,
  type PrivateValue,
  PrivateValues,
} from './private-values.ts'
export { PrivateStore, type RestoredRecord } from './records.ts'
export { PinnedChain, type StateValue } from './pinned-chain.ts'
export { type MarkedSet, type SetMark, SetMarks } from './set-marks.ts'
export { ShardStore } from './shard-store.ts'
export { isRecordIndex, type Salvaged, salvage } from './salvage.ts'
export { copyBeside, type StoredBlocks, storedBlocks } from './stored-blocks.ts'
export { exportSnapshot } from './snapshot-export.ts'
export {
  chunksHeld,
  fetchingPath,
  listSnapshots,
  SnapshotFile,
  snapshotPath,
  SnapshotWriter,
  tidySnapshots,
} from './snapshot-file.ts'
export {
  CHUNK_BYTES_MAX,
  chunkDigest,
  chunksOf,
  decodeBlocks,
  decodeManifest,
  decodeValues,
  encodeManifest,
  MANIFEST_BYTES_MAX,
  type SnapshotCore,
  type SnapshotManifest,
} from './snapshot-format.ts'
export { type StateEntry, StateTree, type StateView } from './state-tree.ts'
export type { Pause, StartTurns } from './steps.ts'
export { type ChainVerification, verifyChain } from './verify.ts'
