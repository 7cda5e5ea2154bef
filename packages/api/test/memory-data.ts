/** Backups and checks of the node in memory. */

import type { Backups, DatabaseCheck } from '../src/admin-data-answers.ts'
import type { AdminDataHandlers } from '../src/admin-data-handlers.ts'

const DIGEST = '7d'.repeat(32)

export function memoryData(): AdminDataHandlers {
  let state: Backups = {
    schedule: '30 3 * * *',
    dir: '/srv/mooring/backups',
    keep: 7,
    next: '2026-11-21T03:30:00.000Z',
    running: null,
    last: null,
    lastFailure: null,
    items: [],
  }
  let last: DatabaseCheck | null = null
  return {
    backups: () => Promise.resolve(state),
    beginBackup: ({ keys }) => {
      const made = {
        path: '/srv/mooring/backups/st-mary-moor-a1b2c3d4-20261120T093000Z-h7.tar.zst',
        bytes: 4_096,
        node: 'st-mary',
        networkId: 'moor-a1b2c3d4',
        height: 7,
        digest: DIGEST,
        createdAt: '2026-11-20T09:30:00.000Z',
        hasKeys: keys !== null,
        isScheduled: false,
      }
      state = { ...state, last: made, items: [made] }
      return Promise.resolve(state)
    },
    verifications: () => ({ runningSince: null, last, failure: null }),
    beginVerification: () => {
      last = {
        height: 7,
        digest: DIGEST,
        stateRoot: DIGEST,
        blocks: 7,
        transactions: 12,
        values: 40,
        blobs: 0,
        findings: [],
        damaged: 0,
        seconds: 0,
      }
      return { runningSince: null, last, failure: null }
    },
  }
}
