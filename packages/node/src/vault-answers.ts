// What a node answers about its vault: the handlers of the API that read, grant, check and repair.

import type { ApiHandlers, Vault, VaultHandlers } from '@mooring/api'
import { NodeError } from './node-error.ts'

/** All but what the custodian answers itself. */
export type VaultAnswers = Omit<VaultHandlers, 'createGrant' | 'submitUpload'>

const EMPTY: Vault = {
  scheme: null,
  records: { total: 0, waiting: 0, full: 0, reduced: 0, critical: 0, lost: 0 },
  held: { custodians: 0, shards: 0, bytes: 0, keyDeposits: 0 },
  holders: [],
  challenges: { lastAt: null, checked: 0, bad: 0 },
  repair: { active: false, waiting: 0, repaired: 0, lastAt: null },
}

// Until the parts of the vault are there, the node is not ready for any of this.
const notYet = (): never => {
  throw new NodeError('not_ready', {})
}

export function createVaultAnswers(): Pick<ApiHandlers, keyof VaultAnswers> {
  return {
    recordContent: notYet,
    readable: notYet,
    recordHistory: notYet,
    disclose: notYet,
    vault: () => Promise.resolve(EMPTY),
    verifyVault: notYet,
    repairVault: notYet,
  }
}
