/**
 * Calls about backups of a node and the checking of its databases.
 */

import type { Backups, Verifications } from './admin-data-answers.ts'
import type { Http } from './client.ts'

export interface BackupWanted {
  readonly compression: 'zstd' | 'gzip' | 'none'
  /** Sealed; base64url. */
  readonly keys?: string
}

export function adminDataCalls({ read, post }: Http) {
  return {
    backups: () => read<Backups>('/v1/admin/backups'),
    beginBackup: (wanted: BackupWanted) =>
      post<Backups>('/v1/admin/backups', 'application/json', { body: JSON.stringify(wanted) }),
    verifications: () => read<Verifications>('/v1/admin/verifications'),
    beginVerification: () =>
      post<Verifications>('/v1/admin/verifications', 'application/json', { body: '{}' }),
  }
}
