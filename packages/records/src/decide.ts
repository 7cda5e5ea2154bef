// May this holder answer this request? One function of what was asked and what the holder knows.
//
// It looks at who asks, when, and for which network; at the entry that leaves the trace; at the grant,
// or the custodian's own right where there is none; and at the gates of those sets that this holder
// has. What the answer is does not depend on the order of sets, classes, purposes or audience. Of
// several faults the first in the order below is named.

import { equalBytes } from '@mooring/codec'
import {
  ACCESS_LIFETIME_MS_MAX,
  type AccessRequest,
  type SignedAccessRequest,
  verifyAccessRequest,
} from './access-request.ts'
import { gateOfOpening } from './facts.ts'
import { CLOCK_SKEW_MS } from './clock.ts'
import { GRANT_LIFETIME_MS_MAX, type SignedGrant, verifyGrant } from './grant-document.ts'
import { coversPurpose, isImplicitPurpose, isPurpose } from './purpose.ts'

export const ACCESS_REFUSALS = [
  'unknown_reader',
  'sender_differs',
  'not_addressed',
  'not_issued_yet',
  'request_expired',
  'request_too_long',
  'block_unknown',
  'block_differs',
  'block_too_old',
  'entry_differs',
  'purpose_unknown',
  'several_patients',
  'no_such_set',
  'wrong_custodian',
  'grant_missing',
  'grant_of_another_custodian',
  'not_the_recipient',
  'grant_too_long',
  'grant_not_valid_yet',
  'grant_expired',
  'purpose_not_covered',
  'class_not_covered',
  'wrong_patient',
  'gate_differs',
  'grant_forged',
  'request_forged',
] as const

export type AccessRefusal = (typeof ACCESS_REFUSALS)[number]

export type AccessDecision =
  | { readonly permit: true }
  | { readonly permit: false; readonly code: AccessRefusal }

export interface AccessInput {
  readonly signed: SignedAccessRequest
  /** Organisation that the request came from: of the peer, not of the text. */
  readonly sender: string
  /** Organisation that decides. */
  readonly self: string
  /** Commitment of the entry that came with the request. */
  readonly entry: Uint8Array
  /** Anchor key of a member; undefined for who is none. */
  readonly anchorKeyOf: (organisation: string) => Uint8Array | undefined
  readonly tip: number
  /** Of a final block of ours. */
  readonly blockDigestAt: (height: number) => Uint8Array | undefined
  readonly now: number
  /** What this holder has of a set; undefined for none. At least one of the sets must be here. */
  readonly heldSet: (setId: Uint8Array) => HeldSet | undefined
  /**
   * True when the same request with the same signature was permitted here before: its signatures are
   * checked, and its block was recent then. A long record outlasts that, and its request still expires.
   */
  readonly isVerified?: boolean
}

export interface HeldSet {
  readonly custodian: string
  readonly gate: Uint8Array
}

export const BLOCK_AGE_MAX = 64

export function decideAccess(input: AccessInput): AccessDecision {
  const { request } = input.signed
  const code =
    checkParties(input) ??
    checkTimes(request, input.now) ??
    (input.isVerified === true ? undefined : checkBlock(request, input)) ??
    checkQuestion(request, input) ??
    checkRight(request, input.now) ??
    checkSets(request, input) ??
    (input.isVerified === true ? undefined : checkSignatures(input))
  return code === undefined ? { permit: true } : { permit: false, code }
}

/**
 * The same for a question of what there is: it names no set, needs a grant, and asks the custodian.
 */
export function decideQuery(input: Omit<AccessInput, 'heldSet'>): AccessDecision {
  const { request } = input.signed
  const asked = { ...input, heldSet: () => undefined }
  const code =
    checkParties(asked) ??
    checkTimes(request, input.now) ??
    checkBlock(request, asked) ??
    checkQuery(request, asked) ??
    checkSignatures(asked)
  return code === undefined ? { permit: true } : { permit: false, code }
}

function checkQuery(request: AccessRequest, { entry, self, now }: AccessInput) {
  const { custodian, purpose, grant, sets } = request
  if (!equalBytes(request.entry, entry)) return 'entry_differs'
  if (!isPurpose(purpose)) return 'purpose_unknown'
  if (sets.length > 0) return 'no_such_set'
  if (custodian !== self) return 'wrong_custodian'
  return grant === null ? 'grant_missing' : checkGrant(grant, request, now)
}

function checkParties({ signed, sender, self, anchorKeyOf }: AccessInput) {
  const { reader, audience } = signed.request
  if (anchorKeyOf(reader) === undefined) return 'unknown_reader'
  if (sender !== reader) return 'sender_differs'
  if (!audience.includes(self)) return 'not_addressed'
  return undefined
}

function checkTimes({ issuedAt, expiresAt }: AccessRequest, now: number) {
  if (issuedAt > now + CLOCK_SKEW_MS) return 'not_issued_yet'
  if (expiresAt <= now - CLOCK_SKEW_MS) return 'request_expired'
  if (expiresAt > issuedAt + ACCESS_LIFETIME_MS_MAX) return 'request_too_long'
  return undefined
}

function checkBlock({ block }: AccessRequest, { tip, blockDigestAt }: AccessInput) {
  if (block.height > tip) return 'block_unknown'
  if (block.height < tip - BLOCK_AGE_MAX) return 'block_too_old'
  const own = blockDigestAt(block.height)
  if (own === undefined) return 'block_unknown'
  return equalBytes(own, block.digest) ? undefined : 'block_differs'
}

function checkQuestion({ entry, purpose, sets }: AccessRequest, input: AccessInput) {
  if (!equalBytes(entry, input.entry)) return 'entry_differs'
  if (!isPurpose(purpose)) return 'purpose_unknown'
  const [first] = sets
  if (first === undefined) return 'no_such_set'
  const { patientKey } = first.facts
  const isOfOne = sets.every(({ facts }) => equalBytes(facts.patientKey, patientKey))
  return isOfOne ? undefined : 'several_patients'
}

function checkRight(request: AccessRequest, now: number) {
  const { grant, reader, custodian, purpose } = request
  if (grant !== null) return checkGrant(grant, request, now)
  if (reader !== custodian) return 'grant_missing'
  return isImplicitPurpose(purpose) ? undefined : 'purpose_not_covered'
}

function checkGrant({ document }: SignedGrant, request: AccessRequest, now: number) {
  const { notBefore, expiresAt, classes } = document
  if (document.custodian !== request.custodian) return 'grant_of_another_custodian'
  if (document.recipient !== request.reader) return 'not_the_recipient'
  if (expiresAt > notBefore + GRANT_LIFETIME_MS_MAX) return 'grant_too_long'
  if (notBefore > now + CLOCK_SKEW_MS) return 'grant_not_valid_yet'
  if (expiresAt <= now) return 'grant_expired'
  if (!coversPurpose(document.purposes, request.purpose)) return 'purpose_not_covered'
  if (!request.sets.every(({ facts }) => classes.includes(facts.class))) return 'class_not_covered'
  const isOfPatient = request.sets.every(({ facts }) =>
    equalBytes(facts.patientKey, document.patientKey),
  )
  return isOfPatient ? undefined : 'wrong_patient'
}

function checkSets({ custodian, sets }: AccessRequest, { heldSet }: AccessInput) {
  const here = sets.flatMap(({ setId, gateTag, facts }) => {
    const held = heldSet(setId)
    return held === undefined ? [] : [{ held, gateTag, facts }]
  })
  if (here.length === 0) return 'no_such_set'
  if (here.some(({ held }) => held.custodian !== custodian)) return 'wrong_custodian'
  const isOpen = here.every(({ held, gateTag, facts }) =>
    equalBytes(held.gate, gateOfOpening(gateTag, facts)),
  )
  return isOpen ? undefined : 'gate_differs'
}

/** Last, being the dearest. */
function checkSignatures({ signed, anchorKeyOf }: AccessInput) {
  const { reader, grant } = signed.request
  const readerKey = anchorKeyOf(reader)
  if (readerKey === undefined || !verifyAccessRequest(signed, readerKey)) return 'request_forged'
  return grant === null || verifyGrant(grant) ? undefined : 'grant_forged'
}
