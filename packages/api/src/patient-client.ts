/**
 * The part of the client that is for patients and for the desk.
 *
 * The calls of a patient are signed (`authorize` of the client's options); a node that is asked without
 * that answers `patient_unsigned`.
 */

import type { Call, Http, PageOptions } from './client.ts'
import type { EnrolmentRequest } from './patient-handlers.ts'
import type {
  Enrolled,
  Enrolment,
  GrantDeposit,
  KnownGrants,
  RelayedHandle,
} from './patient-answers.ts'

export interface EnrolParts {
  /** Of the ticket, as base64url. */
  code: string
  /** Keys and digests in hex, here and below. */
  sealKey: string
  recoveryCommit?: string
}

export interface OpenParts {
  publicKey: string
  /** Unix milliseconds. */
  expiresAt: number
  kind: 'share' | 'standing' | 'research' | 'delegation'
  signature: string
}

/** A block, and the keys of the recipient with it. */
const FINAL_MS = 60_000

export function patientCalls({ read }: Pick<Http, 'read'>) {
  const post = <T>(path: string, body: object) => {
    const headers = { 'content-type': 'application/json' }
    const call: Call = { method: 'POST', headers, body: JSON.stringify(body), waitMs: FINAL_MS }
    return read<T>(path, call)
  }
  return {
    /** At the desk. */
    createEnrolment: (enrolment: EnrolmentRequest) => post<Enrolment>('/v1/enrolments', enrolment),
    enrolPatient: (enrolment: EnrolParts) => post<Enrolled>('/v1/patient/enrolment', enrolment),
    /** The grant document as text. */
    depositGrant: (grant: string, open: OpenParts) =>
      post<GrantDeposit>('/v1/patient/grants', { grant: JSON.parse(grant), open }),
    ownGrants: (page: PageOptions = {}) =>
      read<KnownGrants>('/v1/patient/grants', { query: { ...page } }),
    /** Anybody may bring it. */
    revokeHandle: (revocation: { publicKey: string; signature: string }) =>
      post<RelayedHandle>('/v1/revocations', revocation),
    grants: (patient: string, page: PageOptions = {}) =>
      read<KnownGrants>('/v1/grants', { query: { ...page, patient } }),
    /** Of a grant that was signed with a key hosted at the node. */
    revokeGrant: (handle: string) =>
      post<RelayedHandle>(`/v1/grants/${encodeURIComponent(handle)}/revoke`, {}),
  }
}
