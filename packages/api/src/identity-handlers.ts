/**
 * The part of `handlers.ts` that is about lasting identities and their recovery.
 *
 * An event of an identity is signed by whom it concerns; a node relays it and has no say. What a member
 * says itself (as a desk that has seen somebody, or as one of the guardians) its operator lets it sign.
 */

import type { HandleOpening, PatientCaller, RelayedHandle } from './patient-handlers.ts'

export interface PendingAnswer {
  controlKey: string
  openedAt: string
  unlocksAt: string
  isAttested: boolean
}

export interface IdentityAnswer {
  id: string
  /** Of its last event; the next one carries the number after it. */
  sequence: number
  controlKey: string
  nextKeyDigest: string
  recovery: {
    guardians: string
    threshold: number
    vetoes: number
    lockMs: number
    deskLockMs: number
  } | null
  devices: string[]
  /** A recovery that runs. */
  pending: PendingAnswer | null
  /** Of the tip: what time locks are compared with. */
  time: string
}

/** What a recovery says: see `identity.recover` and `identity.veto` of the ledger. */
export interface RecoveryStatement {
  /** `desk`: somebody was seen. `approve` and `veto`: as guardian. */
  as: 'desk' | 'approve' | 'veto'
  identity: Uint8Array
  sequence: number
  controlKey: Uint8Array
  nextKeyDigest: Uint8Array
}

export interface IdentityHandlers {
  /** Refuses what no member may relay; resolves when it is final. */
  relay(event: Uint8Array): Promise<{ transactionId: string; height: number }>
  find(id: string): IdentityAnswer | undefined
  /** With the anchor key of this member. */
  sign(statement: RecoveryStatement): { organisation: string; key: string; signature: string }
  /** The handle of a delegation of the patient that asks goes on the chain. */
  openDelegation(caller: PatientCaller, open: HandleOpening): Promise<RelayedHandle>
}
