// A grant: a consent that lets one organisation read of one custodian, until a time, with its signature.
//
// The document is FHIR (see consent-json.ts) in a JWS; it stays off the chain and travels in every
// request, so that each holder judges it for itself. It is signed by the patient's pairwise key at the
// custodian, or by a key that the delegations beside it lead to. Its handle on the chain takes it back.
//
// A wide grant opens whole classes, so their keys can be given. Every other is narrow: the custodian
// gives the keys of single records, and each is decided.

import { equalBytes, type Infer, list, struct, text } from '@mooring/codec'
import type { KeyPair } from '@mooring/crypto'
import { CLOCK_SKEW_MS } from './clock.ts'
import { type Consent, hasContent, isNarrow, type Provision, provisionOf } from './consent.ts'
import { CONSENT_BYTES_MAX, formatConsent, parseConsent } from './consent-json.ts'
import {
  checkDelegations,
  DELEGATIONS_MAX,
  type DelegationRefusal,
  type HandleStanding,
  type SignedDelegation,
  signedDelegationSchema,
  verifyDelegation,
} from './delegation.ts'
import { RecordsError } from './errors.ts'
import { formatJws, joinJws, parseJws, verifyJws } from './jws.ts'

/** A year and a day, so that "one year from now" never depends on the calendar. */
export const GRANT_LIFETIME_MS_MAX = 366 * 86_400_000
export const GRANT_JWS_BYTES_MAX = 16 * 1024

const TYPE = 'mooring-consent+jws'

export const signedGrantSchema = struct({
  jws: text(GRANT_JWS_BYTES_MAX),
  delegations: list(signedDelegationSchema, DELEGATIONS_MAX),
})

export type SignedGrant = Infer<typeof signedGrantSchema>

export interface Grant {
  readonly id: Uint8Array
  readonly handle: Uint8Array
  readonly patientKey: Uint8Array
  readonly signerKey: Uint8Array
  readonly logKey: Uint8Array
  readonly custodian: string
  /** Organisation that may read. */
  readonly recipient: string
  /** Key of the one practitioner there who may; null for whoever it sends. */
  readonly practitioner: Uint8Array | null
  /** Of its permits, as are types and purposes; empty where no permit limits them. */
  readonly classes: readonly string[]
  readonly types: readonly string[]
  readonly purposes: readonly string[]
  /** JSON pointers, when all that it opens is fields; empty otherwise. */
  readonly fields: readonly string[]
  readonly notBefore: number
  /** Exclusive. */
  readonly expiresAt: number
  readonly isNarrow: boolean
  readonly consent: Consent
  readonly signed: SignedGrant
}

/** What most grants say; whatever else a consent can say goes into `provisions`. */
export interface GrantTerms
  extends Omit<Consent, 'root' | 'provisions' | 'signerKey' | 'signedAt'> {
  /** The patient's key unless it is said. */
  readonly signerKey?: Uint8Array
  readonly recipient: string
  readonly practitioner?: Uint8Array | null
  readonly purposes: readonly string[]
  readonly notBefore: number
  readonly expiresAt: number
  /** What it is limited to, beside time, reader and purpose. */
  readonly content?: Partial<Omit<Provision, 'type' | 'start' | 'end' | 'actors' | 'purposes'>>
  readonly provisions?: readonly Provision[]
}

export function consentOf(terms: GrantTerms): Consent {
  const { id, handle, patientKey, logKey, custodian, notBefore, provisions = [] } = terms
  const actor = { organisation: terms.recipient, practitioner: terms.practitioner ?? null }
  return {
    id,
    handle,
    patientKey,
    signerKey: terms.signerKey ?? patientKey,
    logKey,
    custodian,
    signedAt: notBefore,
    root: provisionOf('permit', {
      ...terms.content,
      start: notBefore,
      end: terms.expiresAt,
      actors: [actor],
      purposes: terms.purposes,
    }),
    provisions,
  }
}

/** @throws RecordsError for a consent that is no grant, or not to be signed by this key. */
export function signGrant(
  signer: KeyPair,
  consent: Consent,
  delegations: SignedDelegation[] = [],
): SignedGrant {
  if (!equalBytes(signer.publicKey, consent.signerKey)) {
    throw new RecordsError('out_of_range', 'performer', 'a grant is signed by the key it names')
  }
  const payload = formatConsent(consent)
  if (payload.length > CONSENT_BYTES_MAX) {
    throw new RecordsError('too_large', '', `more than ${CONSENT_BYTES_MAX} bytes of consent`)
  }
  const signed = { jws: formatJws(signer, TYPE, payload), delegations }
  readGrant(signed)
  return signed
}

export interface SignedParts {
  /** JSON, as it was signed. */
  readonly consent: Uint8Array
  readonly signature: Uint8Array
  readonly delegations: SignedDelegation[]
}

/** What is in the document beside words that are the same in all. */
export function signedPartsOf({ jws, delegations }: SignedGrant): SignedParts {
  const { payload, signature } = parseJws(jws, TYPE, 'jws')
  return { consent: payload, signature, delegations }
}

export function signedOfParts({ consent, signature, delegations }: SignedParts): SignedGrant {
  return { jws: joinJws(TYPE, consent, signature), delegations }
}

/** Reads and does not judge. @throws RecordsError with the path of the member that is wrong. */
export function readGrant(signed: SignedGrant): Grant {
  if (signed.jws.length > GRANT_JWS_BYTES_MAX) {
    throw new RecordsError('too_large', 'jws', `more than ${GRANT_JWS_BYTES_MAX} characters`)
  }
  const consent = parseConsent(parseJws(signed.jws, TYPE, 'jws').payload)
  const { root } = consent
  const [actor, ...others] = root.actors
  if (actor === undefined || others.length > 0) {
    throw new RecordsError('out_of_range', 'provision.actor', 'a grant has one recipient')
  }
  if (root.start === null || root.end === null) {
    throw new RecordsError('missing_member', 'provision.period', 'a grant begins and ends')
  }
  checkActors(consent, actor.organisation)
  const permits = permitsOf(consent)
  const { id, handle, patientKey, signerKey, logKey, custodian } = consent
  return {
    id,
    handle,
    patientKey,
    signerKey,
    logKey,
    custodian,
    recipient: actor.organisation,
    practitioner: actor.practitioner,
    classes: unionOf(permits, ({ what }) => what.classes),
    types: unionOf(permits, ({ what }) => what.types),
    fields: unionOf(permits, ({ what }) => what.fields),
    purposes: unionOf(permits, ({ why }) => why.purposes),
    notBefore: root.start,
    expiresAt: root.end,
    isNarrow: consent.provisions.length > 0 || isNarrow(root) || root.classes.length === 0,
    consent,
    signed,
  }
}

function checkActors({ provisions }: Consent, recipient: string): void {
  for (const [index, { actors }] of provisions.entries()) {
    if (actors.some(({ organisation }) => organisation !== recipient)) {
      const path = `provision.provision[${index}].actor`
      throw new RecordsError('out_of_range', path, 'a grant has one recipient')
    }
  }
}

interface Permit {
  readonly what: Provision
  readonly why: Provision
}

/** With what each takes over from the root. */
function permitsOf({ root, provisions }: Consent): Permit[] {
  const permits = [root, ...provisions]
    .filter(({ type }) => type === 'permit')
    .map((permit) => ({
      what: hasContent(permit) ? permit : root,
      why: permit.purposes.length > 0 ? permit : root,
    }))
  if (permits.length === 0) {
    throw new RecordsError('out_of_range', 'provision.type', 'a grant permits something')
  }
  if (permits.some(({ why }) => why.purposes.length === 0)) {
    throw new RecordsError('missing_member', 'provision.purpose', 'a grant says what for')
  }
  return permits
}

/** Empty as soon as one permit has no limit there. */
function unionOf(permits: readonly Permit[], of: (permit: Permit) => readonly string[]): string[] {
  const lists = permits.map(of)
  return lists.some((items) => items.length === 0) ? [] : [...new Set(lists.flat())]
}

/** Whether the signature is the signer's, and those of the delegations are theirs. */
export function verifyGrant({ signed, signerKey }: Grant): boolean {
  return (
    verifyJws(parseJws(signed.jws, TYPE, 'jws'), signerKey) &&
    signed.delegations.every(verifyDelegation)
  )
}

export type GrantRefusal =
  | 'grant_unknown'
  | 'grant_revoked'
  | 'grant_expired'
  | 'grant_not_valid_yet'
  | 'grant_too_long'
  | 'key_replaced'
  | DelegationRefusal

export interface GrantQuestion {
  readonly now: number
  /** At the own final height; undefined for a handle that never was opened. */
  readonly handleOf: (handle: Uint8Array) => HandleStanding | undefined
  /** Whether the custodian has replaced this key of a patient by another. */
  readonly isReplaced: (key: Uint8Array) => boolean
}

/** Why the grant is not in force, whoever asks for whatever; signatures are left to `verifyGrant`. */
export function checkGrant(grant: Grant, question: GrantQuestion): GrantRefusal | undefined {
  const { notBefore, expiresAt, patientKey, signerKey, signed } = grant
  const { now, handleOf, isReplaced } = question
  const standing = handleOf(grant.handle)
  if (standing === undefined || standing.kind === 'delegation') return 'grant_unknown'
  if (standing.revokedAt !== null) return 'grant_revoked'
  if (expiresAt > notBefore + GRANT_LIFETIME_MS_MAX) return 'grant_too_long'
  if (notBefore > now + CLOCK_SKEW_MS) return 'grant_not_valid_yet'
  if (expiresAt <= now || standing.expiresAt <= now) return 'grant_expired'
  if (isReplaced(patientKey) || isReplaced(signerKey)) return 'key_replaced'
  return checkDelegations(signed.delegations, { ...grant, now, handleOf })
}
