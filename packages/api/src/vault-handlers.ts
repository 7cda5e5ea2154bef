/**
 * What a node supplies for the routes of the vault: its health, and records that are opened through
 * the holders, each reading with a trace.
 */

import type {
  GrantedRecord,
  VaultProgress,
  VaultRepair,
  VaultStatus,
  VaultVerification,
} from './vault-answers.ts'

export interface VaultVerifyOptions {
  /** Audit every set instead of a sample. */
  isFull: boolean
}

export interface VaultRepairOptions {
  /** Also of holders that are unreachable for less than the grace. */
  isImmediate: boolean
}

export interface RecordReadOptions {
  /** JSON of a signed grant, as its file holds it; null: the custodian reads what it keeps itself. */
  grant: Uint8Array | null
  /** A code of v3-ActReason, as TREAT. */
  purpose: string
}

export interface BadHolder {
  holder: string
  code: string
}

export interface RecordReading {
  record: GrantedRecord
  contentType: string
  /** Size of the whole body. */
  size: number
  /**
   * The bytes as they were received. A small record is checked whole before its first byte is given; of
   * a large one every part is authentic, and the iterator throws at the end when the whole is not what
   * was committed to: then nothing that was read counts.
   */
  body: AsyncIterable<Uint8Array>
  /** Holders that were skipped because of what they answered; complete when the body has ended. */
  badHolders: readonly BadHolder[]
  /** Commitment of the access entry that this reading left; of the same request, of the same one. */
  entryCommit: string
}

export interface VaultHandlers {
  vaultStatus(): VaultStatus
  verifyVault(
    options: VaultVerifyOptions,
    onProgress: (progress: VaultProgress) => void,
    signal: AbortSignal,
  ): Promise<VaultVerification>
  repairVault(
    options: VaultRepairOptions,
    onProgress: (progress: VaultProgress) => void,
    signal: AbortSignal,
  ): Promise<VaultRepair>
  /** By id of the set, or by commitment; undefined: no such record for this grant. */
  readRecord(
    id: string,
    options: RecordReadOptions,
    signal: AbortSignal,
  ): Promise<RecordReading | undefined>
  /** What a grant opens, in the order of its set ids; from the custodian, or from the holders when it is gone. */
  listForGrant(
    options: RecordReadOptions & { after: string | null; limit: number },
    signal: AbortSignal,
  ): Promise<{ items: GrantedRecord[]; next: string | null }>
}
