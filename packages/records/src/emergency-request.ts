// What a hospital asks trustees in an emergency, and whether a trustee gives its share.
//
// The question binds the request's one-time key to the locator, the reason and the hospital; the
// practitioner's key signs it with the credential, and the chain has a commitment to that presentation before
// any trustee is asked. A trustee decides by its own final state and clock, and by nothing that the question
// says of itself.

import {
  encode,
  equalBytes,
  type Infer,
  struct,
  text,
  uint,
  bytes,
  versioned,
} from '@mooring/codec'
import { domainHash } from '@mooring/crypto'
import type { EmergencyHeader } from './emergency-header.ts'
import { organisationIdSchema } from './placement.ts'
import {
  checkPresentation,
  credentialCommit,
  type Practitioner,
  PRESENTATION_BYTES_MAX,
  PRESENTATION_REFUSALS,
} from './practitioner-credential.ts'

const question = {
  /** Random; also on the chain. */
  requestId: bytes(32),
  /** Whose practitioner asks. */
  organisation: organisationIdSchema,
  locatorId: bytes(32),
  /** A code. */
  reason: text(32),
  /** X25519, for this request alone. */
  readerKey: bytes(32),
}

const questionSchema = struct(question)

export const emergencyRequestSchema = versioned(1, {
  ...question,
  issuedAt: uint(),
  presentation: text(PRESENTATION_BYTES_MAX),
})

export type EmergencyQuestion = Infer<typeof questionSchema>
export type EmergencyRequest = Infer<typeof emergencyRequestSchema>

/** What the practitioner's key signs. */
export function emergencyNonce(asked: EmergencyQuestion): Uint8Array {
  const { requestId, organisation, locatorId, reason, readerKey } = asked
  return domainHash(
    'emergency-question',
    encode(questionSchema, { requestId, organisation, locatorId, reason, readerKey }),
  )
}

/** Whom a presentation is for: all members of this network. */
export function emergencyAudience(genesisDigest: Uint8Array): string {
  const names = Array.from(genesisDigest.subarray(0, 16), (byte) => byte.toString(16))
  return `did:mooring:network:${names.map((each) => each.padStart(2, '0')).join('')}`
}

/**
 * What two practitioners sign when the network is not there: no set of trustees, but a patient of their own
 * hospital.
 */
export function offlineQuestion(
  asked: Pick<EmergencyQuestion, 'requestId' | 'organisation' | 'reason'> & { patient: string },
): EmergencyQuestion {
  const { requestId, organisation, reason, patient } = asked
  const locatorId = domainHash('emergency-own-patient', new TextEncoder().encode(patient))
  return { requestId, organisation, reason, locatorId, readerKey: new Uint8Array(32) }
}

export const EMERGENCY_REFUSALS = [
  'sender_differs',
  'emergency_reason_missing',
  'emergency_set_unknown',
  'emergency_opted_out',
  'emergency_not_final',
  'emergency_of_another',
  'emergency_set_differs',
  'emergency_reason_differs',
  'emergency_ended',
  'emergency_too_many',
  'credential_differs',
  ...PRESENTATION_REFUSALS,
  'credential_of_another',
  'credential_without_right',
] as const

export type EmergencyRefusal = (typeof EMERGENCY_REFUSALS)[number]

type EmergencyDecision =
  | { readonly permit: true; readonly practitioner: Practitioner }
  | { readonly permit: false; readonly code: EmergencyRefusal }

/** An opening as the chain has it. */
interface FinalOpening {
  readonly organisation: string
  readonly credentialCommit: Uint8Array
  readonly reason: string
  readonly setHandle: Uint8Array
  readonly isClosed: boolean
}

export interface EmergencyInput {
  readonly request: EmergencyRequest
  /** Organisation that the request came from: of the peer, not of the text. */
  readonly sender: string
  readonly audience: string
  readonly now: number
  readonly reasons: readonly string[]
  /** What this trustee has; `header` is of the version in force, undefined when all are used up. */
  readonly held:
    | { readonly isOptedOut: boolean; readonly header: EmergencyHeader | undefined }
    | undefined
  /** Of this request, in the final state of this trustee. */
  readonly opening: FinalOpening | undefined
  /** When the version was first opened by anybody, and for how long that lets trustees give shares. */
  readonly firstOpenedAt: number | undefined
  readonly openMs: number
  /** Shares given to this organisation within the last hour. */
  readonly recentlyGiven: number
  readonly givenMax: number
  readonly issuerKeys: (organisation: string) => readonly Uint8Array[]
}

export function decideEmergency(input: EmergencyInput): EmergencyDecision {
  const { request, sender, held, reasons } = input
  if (sender !== request.organisation) return refuse('sender_differs')
  if (!reasons.includes(request.reason)) return refuse('emergency_reason_missing')
  if (held === undefined) return refuse('emergency_set_unknown')
  if (held.isOptedOut) return refuse('emergency_opted_out')
  if (held.header === undefined) return refuse('emergency_ended')
  const code = checkOpening(input, held.header)
  if (code !== undefined) return refuse(code)
  if (input.recentlyGiven >= input.givenMax) return refuse('emergency_too_many')
  return decidePractitioner(input)
}

function checkOpening(
  { request, opening, firstOpenedAt, openMs, now }: EmergencyInput,
  header: EmergencyHeader,
): EmergencyRefusal | undefined {
  if (opening === undefined) return 'emergency_not_final'
  if (opening.organisation !== request.organisation) return 'emergency_of_another'
  if (!equalBytes(opening.setHandle, header.setHandle)) return 'emergency_set_differs'
  if (opening.reason !== request.reason) return 'emergency_reason_differs'
  if (!equalBytes(opening.credentialCommit, credentialCommit(request.presentation))) {
    return 'credential_differs'
  }
  const isOver = firstOpenedAt === undefined || now >= firstOpenedAt + openMs
  return opening.isClosed || isOver ? 'emergency_ended' : undefined
}

function decidePractitioner(input: EmergencyInput): EmergencyDecision {
  const { request, audience, now, issuerKeys } = input
  const shown = checkPresentation({
    presentation: request.presentation,
    audience,
    nonce: emergencyNonce(request),
    now,
    issuerKeys,
  })
  if (typeof shown === 'string') return refuse(shown)
  if (shown.organisation !== request.organisation) return refuse('credential_of_another')
  if (!shown.btg) return refuse('credential_without_right')
  return { permit: true, practitioner: shown }
}

function refuse(code: EmergencyRefusal): EmergencyDecision {
  return { permit: false, code }
}
