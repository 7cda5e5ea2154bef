/** The part of the client that is about emergencies. */

import type { Call, Http, PageOptions } from './client.ts'
import type {
  Emergency,
  EmergencyDeposited,
  EmergencyList,
  EmergencyOpened,
  EmergencyReview,
  EmergencyReviews,
  EmergencyStatus,
  EmergencySummary,
  EmergencyTrustees,
  HostedEmergencySet,
  OfflineSummary,
  PractitionerCredential,
} from './emergency-answers.ts'

/** Keys and digests in hex. */
export interface EmergencyParts {
  requestId: string
  locatorId: string
  reason: string
  readerKey: string
  presentation: string
}

export interface OfflineParts {
  requestId: string
  patient: string
  reason: string
  presentations: string[]
}

export interface CredentialParts {
  key: string
  role: string
  name: string
  licence: string
  btg: boolean
  expiresAt: number
}

const FINAL_MS = 60_000

export function emergencyCalls({ read }: Pick<Http, 'read'>) {
  const post = <T>(path: string, body: object) => {
    const headers = { 'content-type': 'application/json' }
    const call: Call = { method: 'POST', headers, body: JSON.stringify(body), waitMs: FINAL_MS }
    return read<T>(path, call)
  }
  return {
    openEmergency: (parts: EmergencyParts) => post<EmergencyOpened>('/v1/emergencies', parts),
    openOfflineEmergency: (parts: OfflineParts) =>
      post<OfflineSummary>('/v1/emergencies/offline', parts),
    emergencies: (page: PageOptions = {}) =>
      read<EmergencyList>('/v1/emergencies', { query: { ...page } }),
    emergency: (id: string) => read<Emergency>(`/v1/emergencies/${encodeURIComponent(id)}`),
    closeEmergency: (id: string, end: { outcome: string; text: string }) =>
      post<Emergency>(`/v1/emergencies/${encodeURIComponent(id)}/close`, end),
    emergencyReviews: (page: PageOptions = {}) =>
      read<EmergencyReviews>('/v1/emergency-reviews', { query: { ...page } }),
    judgeEmergency: (id: string, judgement: { verdict: string; note: string }) =>
      post<EmergencyReview>(`/v1/emergency-reviews/${encodeURIComponent(id)}`, judgement),
    depositHostedEmergencySet: (parts: {
      patient: string
      withSensitive?: boolean
      optOut?: boolean
    }) => post<HostedEmergencySet>('/v1/emergency-sets', parts),
    hostedEmergencySet: (patient: string) =>
      read<EmergencyStatus>('/v1/emergency-sets', { query: { patient } }),
    issueCredential: (parts: CredentialParts) =>
      post<PractitionerCredential>('/v1/practitioners/credentials', parts),
    revokeCredential: (index: number) =>
      post<{ index: number }>(`/v1/practitioners/credentials/${index}/revoke`, {}),
    ownEmergencyStatus: () => read<EmergencyStatus>('/v1/patient/emergency'),
    ownEmergencySummary: (sensitive: boolean) =>
      read<EmergencySummary>('/v1/patient/emergency/summary', { query: { sensitive } }),
    emergencyTrustees: (locatorId: string) =>
      read<EmergencyTrustees>('/v1/patient/emergency/trustees', { query: { locatorId } }),
    /** CBOR of the deposits. */
    depositEmergencySet: (deposits: Uint8Array) =>
      read<EmergencyDeposited>('/v1/patient/emergency/sets', {
        method: 'POST',
        headers: { 'content-type': 'application/cbor' },
        body: deposits.slice(),
        waitMs: FINAL_MS,
      }),
  }
}
