/** The part of the client that is about lasting identities. */

import type { Call, Http } from './client.ts'
import type { Identity, RecoverySignature, RelayedEvent } from './identity-answers.ts'
import type { Enrolled, RelayedHandle } from './patient-answers.ts'

/** Keys and digests in hex. */
export interface RecoveryStatementParts {
  as: 'desk' | 'approve' | 'veto'
  identity: string
  sequence: number
  controlKey: string
  nextKeyDigest: string
}

export interface RebindingParts {
  former: string
  sealKey: string
  identity: string
  salt: string
  signature: string
  recoveryCommit?: string
}

const FINAL_MS = 60_000

export function identityCalls({ read }: Pick<Http, 'read'>) {
  const post = <T>(path: string, body: object) => {
    const headers = { 'content-type': 'application/json' }
    const call: Call = { method: 'POST', headers, body: JSON.stringify(body), waitMs: FINAL_MS }
    return read<T>(path, call)
  }
  return {
    identity: (id: string) => read<Identity>(`/v1/identities/${encodeURIComponent(id)}`),
    /** As the ledger package encodes it; anybody may bring it. */
    relayIdentityEvent: (event: Uint8Array) =>
      read<RelayedEvent>('/v1/identities/events', {
        method: 'POST',
        headers: { 'content-type': 'application/cbor' },
        body: event.slice(),
        waitMs: FINAL_MS,
      }),
    /** At a member, by its operator. */
    signRecovery: (statement: RecoveryStatementParts) =>
      post<RecoverySignature>('/v1/recoveries/signatures', statement),
    rebindPatient: (rebinding: RebindingParts) =>
      post<Enrolled>('/v1/patient/rebinding', rebinding),
    openDelegation: (open: { publicKey: string; expiresAt: number; signature: string }) =>
      post<RelayedHandle>('/v1/patient/delegations', open),
  }
}
