/** Emergencies of the node in memory: one set, one emergency, one review. */

import { toHex } from '@mooring/codec'
import { Refusal } from '../src/errors.ts'
import type {
  CredentialQuestion,
  EmergencyAnswer,
  EmergencyHandlers,
  EmergencyQuestion,
  EmergencyReviewAnswer,
  EmergencySetStatus,
} from '../src/emergency-handlers.ts'
import { digestOf, timeOf } from './memory-vault.ts'

export const EMERGENCY: EmergencyAnswer = {
  requestId: digestOf('emergency'),
  reason: 'unconscious',
  role: 'physician',
  practitioner: 'did:key:z6Mk',
  openedAt: timeOf(1),
  endsAt: timeOf(2),
  height: 4,
  status: 'open',
  reasonDueAt: timeOf(3),
  outcome: null,
  reviewer: 'county',
  isOffline: false,
}

const REVIEW: EmergencyReviewAnswer = {
  requestId: EMERGENCY.requestId,
  organisation: 'county',
  reason: 'unconscious',
  time: timeOf(1),
  written: null,
  isOverdue: true,
  verdict: null,
  note: null,
}

const STATUS: EmergencySetStatus = {
  set: {
    locatorId: digestOf('locator'),
    sequence: 2,
    isOptedOut: false,
    isHosted: true,
    versions: [0, 1],
    spare: 1,
  },
  notices: [
    {
      requestId: EMERGENCY.requestId,
      organisation: 'county',
      reason: 'unconscious',
      time: timeOf(1),
      as: 'patient',
      written: 'as it was',
      verdict: { reviewer: 'lakeview', verdict: 'justified', note: '' },
      isLate: false,
    },
  ],
}

export class MemoryEmergencies implements EmergencyHandlers {
  readonly questions: EmergencyQuestion[] = []
  readonly credentials: CredentialQuestion[] = []
  readonly deposits: Uint8Array[] = []

  open(question: EmergencyQuestion) {
    if (question.reason === '') {
      return Promise.reject(new Refusal('emergency_reason_missing', 'There is no reason.'))
    }
    this.questions.push(question)
    const bytes = Uint8Array.of(1, 2)
    const share = { organisation: 'county', header: bytes, ciphertext: bytes, share: bytes }
    const { openedAt, endsAt, height } = EMERGENCY
    return Promise.resolve({
      requestId: toHex(question.requestId),
      transactionId: digestOf('transaction'),
      height,
      openedAt,
      endsAt,
      shares: [share],
      refused: [{ organisation: 'lakeview', code: 'unreachable' }],
    })
  }

  openOffline() {
    return Promise.resolve({ summary: new TextEncoder().encode('{}'), number: 1 })
  }

  list() {
    return Promise.resolve({ items: [EMERGENCY], next: EMERGENCY.requestId })
  }

  find(requestId: string) {
    return requestId === EMERGENCY.requestId ? EMERGENCY : undefined
  }

  close(requestId: string, { outcome }: { outcome: string }): Promise<EmergencyAnswer> {
    return Promise.resolve({ ...EMERGENCY, requestId, status: 'closed', outcome })
  }

  reviews() {
    return Promise.resolve({ items: [REVIEW], next: null })
  }

  judge(requestId: string, { verdict, note }: { verdict: string; note: string }) {
    return Promise.resolve({ ...REVIEW, requestId, verdict, note })
  }

  depositHosted() {
    return Promise.resolve({ card: 'mooring-emergency:1:x:y', taken: ['county'], waiting: [] })
  }

  statusOf() {
    return STATUS
  }

  issueCredential(question: CredentialQuestion) {
    this.credentials.push(question)
    return Promise.resolve({ credential: 'a.b.c~', index: 7 })
  }

  revokeCredential() {
    return Promise.resolve()
  }

  status() {
    return STATUS
  }

  summary() {
    return Promise.resolve(new TextEncoder().encode('{}'))
  }

  trustees() {
    return { k: 2, trustees: [{ organisation: 'county', sealKey: digestOf('seal') }] }
  }

  deposit(_caller: unknown, deposits: Uint8Array) {
    this.deposits.push(deposits)
    return Promise.resolve({ taken: ['county'], waiting: ['lakeview'] })
  }
}
