// May this holder answer this request? One function of what was asked and what the holder knows.
//
// It looks at who asks, when, and for which network; at the entry that leaves the trace; at the grant
// as the chain has it at the holder's own final height, or the custodian's own right where there is
// none; at the consent, for every set; and at the gates of those sets that this holder has. What the
// answer is does not depend on the order of sets, of what the consent lists, or of the audience. Of
// several faults the first in the order below is named.

import { equalBytes } from '@mooring/codec'
import {
  ACCESS_LIFETIME_MS_MAX,
  type AccessRequest,
  type SignedAccessRequest,
  verifyAccessRequest,
  verifyPractitioner,
} from './access-request.ts'
import { CLOCK_SKEW_MS } from './clock.ts'
import { type ConsentRefusal, decideConsent } from './decide-consent.ts'
import type { HandleStanding } from './delegation.ts'
import { gateOfOpening, shownFacts } from './facts.ts'
import {
  checkGrant,
  type Grant,
  type GrantRefusal,
  type SignedGrant,
  verifyGrant,
} from './grant.ts'
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
  'grant_malformed',
  'chain_stale',
  'grant_of_another_custodian',
  'not_the_recipient',
  'grant_unknown',
  'grant_revoked',
  'grant_too_long',
  'grant_not_valid_yet',
  'grant_expired',
  'key_replaced',
  'delegation_forged',
  'delegation_revoked',
  'delegation_not_valid_yet',
  'delegation_expired',
  'wrong_patient',
  'facts_missing',
  'denied',
  'practitioner_missing',
  'purpose_not_covered',
  'class_not_covered',
  'type_not_covered',
  'record_not_covered',
  'encounter_not_covered',
  'author_not_covered',
  'date_not_covered',
  'label_not_covered',
  'field_only',
  'gate_differs',
  'grant_forged',
  'practitioner_forged',
  'request_forged',
] as const

export type AccessRefusal = (typeof ACCESS_REFUSALS)[number]

export type AccessDecision =
  | { readonly permit: true }
  | { readonly permit: false; readonly code: AccessRefusal }

/** What the final state of the decider's chain says of grants and of patients' keys at a custodian. */
export interface GrantStandings {
  /** Undefined for a handle that never was opened. */
  handle(handle: Uint8Array): HandleStanding | undefined
  isReplaced(custodian: string, key: Uint8Array): boolean
  /** Whether both are keys of one patient there: one is the other, or came after it. */
  isSuccessor(custodian: string, former: Uint8Array, key: Uint8Array): boolean
}

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
  /** The grant as `readGrant` reads it; undefined for one that it does not. */
  readonly grantOf: (signed: SignedGrant) => Grant | undefined
  readonly standings: GrantStandings
  readonly tip: number
  /** Of a final block of ours. */
  readonly blockDigestAt: (height: number) => Uint8Array | undefined
  /** No earlier than the tip: whose clock is slow does not keep a grant alive. */
  readonly now: number
  /** No final block for so long that revocations may be missed here: grants do not count. */
  readonly isStale: boolean
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

/** Of a request: undefined where it has no grant, or none that can be read. */
type ReadableGrant = Grant | undefined

export function decideAccess(input: AccessInput): AccessDecision {
  const { request } = input.signed
  const grant = request.grant === null ? undefined : input.grantOf(request.grant)
  const code =
    checkParties(input) ??
    checkTimes(request, input.now) ??
    (input.isVerified === true ? undefined : checkBlock(request, input)) ??
    checkQuestion(request, input) ??
    checkRight(request, grant, input) ??
    checkSets(request, input) ??
    (input.isVerified === true ? undefined : checkSignatures(input, grant))
  return code === undefined ? { permit: true } : { permit: false, code }
}

/**
 * The same for a question of what there is: it names no set, needs a grant, and asks the custodian.
 */
export function decideQuery(input: Omit<AccessInput, 'heldSet'>): AccessDecision {
  const { request } = input.signed
  const grant = request.grant === null ? undefined : input.grantOf(request.grant)
  const asked = { ...input, heldSet: () => undefined }
  const code =
    checkParties(asked) ??
    checkTimes(request, input.now) ??
    checkBlock(request, asked) ??
    checkQuery(request, grant, asked) ??
    checkSignatures(asked, grant)
  return code === undefined ? { permit: true } : { permit: false, code }
}

/**
 * Why a grant does not let this reader ask at all, whatever for: what a reader looks at before it asks
 * anybody, and everybody before what the consent says of a record.
 */
export function checkUse(
  grant: Grant,
  { reader, custodian }: { readonly reader: string; readonly custodian: string },
  { now, standings, isStale }: Pick<AccessInput, 'now' | 'standings' | 'isStale'>,
): AccessRefusal | GrantRefusal | undefined {
  if (isStale) return 'chain_stale'
  if (grant.custodian !== custodian) return 'grant_of_another_custodian'
  if (grant.recipient !== reader) return 'not_the_recipient'
  return checkGrant(grant, {
    now,
    handleOf: (handle) => standings.handle(handle),
    isReplaced: (key) => standings.isReplaced(custodian, key),
  })
}

function checkQuery(
  request: AccessRequest,
  grant: ReadableGrant,
  input: AccessInput,
): AccessRefusal | undefined {
  const { custodian, purpose, sets, practitioner } = request
  if (!equalBytes(request.entry, input.entry)) return 'entry_differs'
  if (!isPurpose(purpose)) return 'purpose_unknown'
  if (sets.length > 0) return 'no_such_set'
  if (custodian !== input.self) return 'wrong_custodian'
  if (request.grant === null) return 'grant_missing'
  if (grant === undefined) return 'grant_malformed'
  const unusable = checkUse(grant, request, input)
  if (unusable !== undefined) return unusable
  if (grant.practitioner !== null) {
    if (practitioner === null) return 'practitioner_missing'
    if (!equalBytes(grant.practitioner, practitioner.key)) return 'practitioner_missing'
  }
  return coversPurpose(grant.purposes, purpose) ? undefined : 'purpose_not_covered'
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

function checkQuestion({ entry, purpose, sets, custodian }: AccessRequest, input: AccessInput) {
  if (!equalBytes(entry, input.entry)) return 'entry_differs'
  if (!isPurpose(purpose)) return 'purpose_unknown'
  const [first] = sets
  if (first === undefined) return 'no_such_set'
  const { patientKey } = first.facts
  const isOfOne = sets.every(({ facts }) =>
    isSamePatient(custodian, [patientKey, facts.patientKey], input),
  )
  return isOfOne ? undefined : 'several_patients'
}

function isSamePatient(
  custodian: string,
  [one, other]: readonly [Uint8Array, Uint8Array],
  { standings }: Pick<AccessInput, 'standings'>,
): boolean {
  if (equalBytes(one, other)) return true
  return (
    standings.isSuccessor(custodian, one, other) || standings.isSuccessor(custodian, other, one)
  )
}

function checkRight(
  request: AccessRequest,
  grant: ReadableGrant,
  input: AccessInput,
): AccessRefusal | undefined {
  const { reader, custodian, purpose } = request
  if (request.grant === null) {
    if (reader !== custodian) return 'grant_missing'
    return isImplicitPurpose(purpose) ? undefined : 'purpose_not_covered'
  }
  if (grant === undefined) return 'grant_malformed'
  return checkUse(grant, request, input) ?? checkConsent(request, grant, input)
}

/** The first by the order of refusals, so that the order of sets does not matter. */
function checkConsent(
  { sets, custodian, reader, practitioner, purpose }: AccessRequest,
  { consent, patientKey }: Grant,
  { now, standings }: AccessInput,
): AccessRefusal | undefined {
  const codes = new Set<AccessRefusal | ConsentRefusal>()
  for (const { facts } of sets) {
    if (!standings.isSuccessor(custodian, facts.patientKey, patientKey)) return 'wrong_patient'
    const decision = decideConsent(consent, {
      time: now,
      organisation: reader,
      practitioner: practitioner?.key ?? null,
      purpose,
      facts: shownFacts(facts),
    })
    if (!decision.permit) codes.add(decision.code)
    else if (decision.fields.length > 0) codes.add('field_only')
  }
  return ACCESS_REFUSALS.find((code) => codes.has(code))
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
function checkSignatures({ signed, anchorKeyOf }: AccessInput, grant: ReadableGrant) {
  const { request } = signed
  const readerKey = anchorKeyOf(request.reader)
  if (readerKey === undefined || !verifyAccessRequest(signed, readerKey)) return 'request_forged'
  if (!verifyPractitioner(request)) return 'practitioner_forged'
  return grant === undefined || verifyGrant(grant) ? undefined : 'grant_forged'
}
