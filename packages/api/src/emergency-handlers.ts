/**
 * The part of `handlers.ts` that is about emergencies.
 *
 * What opens a set (the card, the one-time secret) stays with the client: a node passes on what trustees
 * have sealed to the request. Digests and keys are bytes here.
 */

import type { PatientCaller } from './patient-handlers.ts'

export interface EmergencyQuestion {
  requestId: Uint8Array
  locatorId: Uint8Array
  reason: string
  /** X25519, for this request alone. */
  readerKey: Uint8Array
  /** The credential, shown for this question. */
  presentation: string
}

export interface EmergencyShareAnswer {
  organisation: string
  /** CBOR of the header of the set. */
  header: Uint8Array
  ciphertext: Uint8Array
  share: Uint8Array
}

export interface EmergencyOpening {
  requestId: string
  transactionId: string
  height: number
  openedAt: string
  /** When trustees give no more shares. */
  endsAt: string
  shares: EmergencyShareAnswer[]
  refused: { organisation: string; code: string }[]
}

export interface EmergencyAnswer {
  requestId: string
  reason: string
  role: string
  /** did:key of the practitioner. */
  practitioner: string
  openedAt: string
  endsAt: string
  height: number
  status: 'open' | 'ended' | 'closed' | 'overdue'
  /** Until when the written reason is due. */
  reasonDueAt: string
  outcome: string | null
  /** Who reviews it; null when no other owner is there. */
  reviewer: string | null
  isOffline: boolean
}

export interface EmergencyNoticeAnswer {
  requestId: string
  organisation: string
  reason: string
  time: string
  as: 'patient' | 'guardian'
  written: string | null
  verdict: { reviewer: string; verdict: string; note: string } | null
  isLate: boolean
}

export interface EmergencyReviewAnswer {
  requestId: string
  organisation: string
  reason: string
  time: string
  /** Null: it is not there, in time or at all. */
  written: string | null
  isOverdue: boolean
  verdict: string | null
  note: string | null
}

export interface EmergencySetStatus {
  /** Null where no set was deposited through this hospital. */
  set: {
    locatorId: string
    sequence: number
    isOptedOut: boolean
    isHosted: boolean
    /** Numbers of the deposited versions. */
    versions: number[]
    /** Versions that nobody has opened. */
    spare: number
  } | null
  notices: EmergencyNoticeAnswer[]
}

export interface CredentialQuestion {
  key: Uint8Array
  role: string
  name: string
  licence: string
  btg: boolean
  /** Unix milliseconds. */
  expiresAt: number
}

export interface DepositOutcome {
  taken: string[]
  waiting: string[]
}

export interface OfflineQuestion {
  requestId: Uint8Array
  patient: string
  reason: string
  /** Of two practitioners. */
  presentations: string[]
}

export interface EmergencyHandlers {
  /** Refuses with the reason; resolves when enough shares are here. */
  open(question: EmergencyQuestion, signal: AbortSignal): Promise<EmergencyOpening>
  /** Without the network: a patient of this hospital, with two practitioners. */
  openOffline(question: OfflineQuestion): Promise<{ summary: Uint8Array; number: number }>
  list(page: {
    after: string | null
    limit: number
  }): Promise<{ items: EmergencyAnswer[]; next: string | null }>
  find(requestId: string): EmergencyAnswer | undefined
  close(requestId: string, end: { outcome: string; text: string }): Promise<EmergencyAnswer>
  reviews(page: {
    after: string | null
    limit: number
  }): Promise<{ items: EmergencyReviewAnswer[]; next: string | null }>
  judge(
    requestId: string,
    judgement: { verdict: string; note: string },
  ): Promise<EmergencyReviewAnswer>
  /** For a patient whose wallet is hosted here; the text of the card. */
  depositHosted(
    patient: string,
    how: { withSensitive: boolean; isOptedOut: boolean },
  ): Promise<DepositOutcome & { card: string }>
  statusOf(patient: string): EmergencySetStatus
  issueCredential(question: CredentialQuestion): Promise<{ credential: string; index: number }>
  revokeCredential(index: number): Promise<void>
  /** Of the patient that asks, from here on. */
  status(caller: PatientCaller): EmergencySetStatus
  summary(caller: PatientCaller, withSensitive: boolean): Promise<Uint8Array>
  trustees(locatorId: Uint8Array): {
    k: number
    trustees: { organisation: string; sealKey: string }[]
  }
  /** CBOR of the deposits. */
  deposit(caller: PatientCaller, deposits: Uint8Array): Promise<DepositOutcome>
}
