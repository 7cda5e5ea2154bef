/**
 * What a node supplies about its backups and the checking of its databases.
 */

import type { Backups, Verifications } from './admin-data-answers.ts'

export interface BackupRequest {
  readonly compression: 'zstd' | 'gzip' | 'none'
  /** Sealed; null: none. */
  readonly keys: Uint8Array | null
}

export interface AdminDataHandlers {
  backups(): Promise<Backups>
  /** Resolves as soon as it runs. */
  beginBackup(request: BackupRequest): Promise<Backups>
  verifications(): Verifications
  /** One at a time: while one runs, it is that one. */
  beginVerification(): Verifications
}
