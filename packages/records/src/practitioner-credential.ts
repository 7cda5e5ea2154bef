// Who a practitioner is: a credential of the organisation, shown with a signature of the practitioner's key.
//
// An SD-JWT VC (RFC 9901, draft-ietf-oauth-sd-jwt-vc): the organisation signs role, rights and a key; licence
// and name are shown only where they are wanted. Whoever shows it signs a key binding over what is
// asked, so that a presentation serves for one request alone. It lives a week at most: then a fresh one is
// fetched, and who has lost the right gets none.
//
// The organisation's issuer key signs, or its anchor key where it has none.

import { canonicalJson, CodecError } from '@mooring/codec'
import {
  CryptoError,
  decodeBase64url,
  domainHash,
  encodeBase64url,
  formatDidKey,
  type KeyPair,
  sha256,
} from '@mooring/crypto'
import { RecordsError } from './errors.ts'
import { formatJws, parseJws, verifyJws } from './jws.ts'
import { organisationDid } from './patient-keys.ts'
import {
  type Claims,
  type ClaimValue,
  isClaims,
  packClaims,
  parseClaim,
  SdJwtError,
  selectDisclosures,
  unpackClaims,
} from './sd-jwt.ts'

const PRACTITIONER_VCT = 'urn:mooring:credential:practitioner:1'
const CREDENTIAL_LIFETIME_MS_MAX = 7 * 86_400_000
export const PRESENTATION_BYTES_MAX = 16 * 1024
/** How old the key binding may be, and how far clocks may differ. */
const BINDING_AGE_MS = 10 * 60_000
const SKEW_MS = 60_000
const CREDENTIAL_TYPE = 'dc+sd-jwt'
const BINDING_TYPE = 'kb+jwt'
const TEXT_MAX = 128
const DISCLOSURES_MAX = 16
const utf8 = new TextEncoder()

export interface Practitioner {
  readonly organisation: string
  /** Ed25519, of the practitioner's device. */
  readonly key: Uint8Array
  readonly role: string
  /** Whether emergency access is a right of this practitioner. */
  readonly btg: boolean
  readonly issuedAt: number
  readonly expiresAt: number
  /** As the organisation numbers its credentials. */
  readonly statusIndex: number
  /** Null where it was not shown. */
  readonly licence: string | null
  readonly name: string | null
}

export const PRESENTATION_REFUSALS = [
  'credential_malformed',
  'credential_forged',
  'credential_not_valid_yet',
  'credential_expired',
  'credential_too_long',
  'binding_malformed',
  'binding_forged',
  'binding_differs',
  'binding_too_old',
] as const

export type PresentationRefusal = (typeof PRESENTATION_REFUSALS)[number]

/** @throws RecordsError out_of_range for what no credential may say */
export function issueCredential(
  practitioner: Omit<Practitioner, 'licence' | 'name'> & { licence: string; name: string },
  { issuerKey, random }: { issuerKey: KeyPair; random: (length: number) => Uint8Array },
): string {
  const { organisation, key, role, btg, issuedAt, expiresAt, licence, name } = practitioner
  if (expiresAt <= issuedAt || expiresAt > issuedAt + CREDENTIAL_LIFETIME_MS_MAX) {
    throw new RecordsError('out_of_range', 'expiresAt', 'not within seven days')
  }
  for (const [path, value] of Object.entries({ role, licence, name })) {
    if (value === '' || utf8.encode(value).length > TEXT_MAX) {
      throw new RecordsError('out_of_range', path, `not a text of 1 to ${TEXT_MAX} bytes`)
    }
  }
  const iss = organisationDid(organisation)
  const { claims, disclosures } = packClaims(
    { name, licence },
    { _sd: ['name', 'licence'] },
    random,
  )
  const payload = {
    ...claims,
    _sd_alg: 'sha-256',
    vct: PRACTITIONER_VCT,
    iss,
    sub: formatDidKey(key),
    iat: secondsOf(issuedAt),
    exp: secondsOf(expiresAt),
    cnf: { jwk: { kty: 'OKP', crv: 'Ed25519', x: encodeBase64url(key) } },
    status: { status_list: { idx: practitioner.statusIndex, uri: `${iss}/credential-status` } },
    role,
    btg,
  }
  const jws = formatJws(issuerKey, CREDENTIAL_TYPE, utf8.encode(canonicalJson(payload)))
  return [jws, ...disclosures, ''].join('~')
}

/** Everything it says, unverified: for whoever holds it. @throws RecordsError */
export function readCredential(credential: string): Practitioner {
  return read(credential, 'credential').practitioner
}

/** What a verifier is given: with these claims, for this question, and nobody else's. */
export function presentCredential(
  credential: string,
  {
    keyPair,
    audience,
    nonce,
    now,
    show = [],
  }: {
    keyPair: KeyPair
    audience: string
    nonce: Uint8Array
    now: number
    show?: readonly ('licence' | 'name')[]
  },
): string {
  const { claims, disclosures, jws } = read(credential, 'credential')
  const wanted = Object.fromEntries(show.map((name) => [name, true] as const))
  const shown = [jws, ...selectDisclosures({ claims, disclosures }, wanted), ''].join('~')
  const binding = {
    iat: secondsOf(now),
    aud: audience,
    nonce: encodeBase64url(nonce),
    sd_hash: hashOf(shown),
  }
  return shown + formatJws(keyPair, BINDING_TYPE, utf8.encode(canonicalJson(binding)))
}

/** Whose credential it claims to be, unverified; undefined for what is none. */
export function claimedOrganisation(presentation: string): string | undefined {
  try {
    const { practitioner } = read(presentation.slice(0, presentation.lastIndexOf('~') + 1), '')
    return practitioner.organisation
  } catch (error) {
    if (error instanceof RecordsError) return undefined
    throw error
  }
}

/** What stands on the chain for a presentation; its signature makes it unguessable. */
export function credentialCommit(presentation: string): Uint8Array {
  return domainHash('emergency-credential', utf8.encode(presentation))
}

export interface PresentationQuestion {
  readonly presentation: string
  readonly audience: string
  readonly nonce: Uint8Array
  readonly now: number
  /** Keys with which that organisation issues. */
  readonly issuerKeys: (organisation: string) => readonly Uint8Array[]
}

/** The practitioner, or why the presentation proves nothing. */
export function checkPresentation(
  question: PresentationQuestion,
): Practitioner | PresentationRefusal {
  const { presentation, now, issuerKeys } = question
  const cut = presentation.lastIndexOf('~') + 1
  let parts: ReturnType<typeof read>
  try {
    parts = read(presentation.slice(0, cut), 'presentation')
  } catch (error) {
    if (error instanceof RecordsError) return 'credential_malformed'
    throw error
  }
  const { practitioner, signed } = parts
  const { issuedAt, expiresAt, organisation } = practitioner
  if (!issuerKeys(organisation).some((key) => verifyJws(signed, key))) return 'credential_forged'
  if (expiresAt > issuedAt + CREDENTIAL_LIFETIME_MS_MAX) return 'credential_too_long'
  if (issuedAt > now + SKEW_MS) return 'credential_not_valid_yet'
  if (expiresAt <= now) return 'credential_expired'
  const bound = checkBinding(presentation, cut, { ...question, key: practitioner.key })
  return bound ?? practitioner
}

function checkBinding(
  presentation: string,
  cut: number,
  { audience, nonce, now, key }: PresentationQuestion & { key: Uint8Array },
): PresentationRefusal | undefined {
  let binding: ClaimValue
  let signed: ReturnType<typeof parseJws>
  try {
    signed = parseJws(presentation.slice(cut), BINDING_TYPE, 'binding')
    binding = parseClaim(signed.payload)
  } catch (error) {
    if (error instanceof RecordsError || error instanceof SdJwtError) return 'binding_malformed'
    throw error
  }
  if (!isClaims(binding) || typeof binding['iat'] !== 'number') return 'binding_malformed'
  if (!verifyJws(signed, key)) return 'binding_forged'
  const isForThis =
    binding['aud'] === audience &&
    binding['nonce'] === encodeBase64url(nonce) &&
    binding['sd_hash'] === hashOf(presentation.slice(0, cut))
  if (!isForThis) return 'binding_differs'
  const made = binding['iat'] * 1_000
  const isFresh = made <= now + SKEW_MS && made > now - BINDING_AGE_MS
  return isFresh ? undefined : 'binding_too_old'
}

/** @throws RecordsError */
function read(credential: string, path: string) {
  if (credential.length > PRESENTATION_BYTES_MAX) {
    throw new RecordsError('too_large', path, `more than ${PRESENTATION_BYTES_MAX} bytes`)
  }
  const [jws = '', ...rest] = credential.split('~')
  const disclosures = rest.slice(0, -1)
  if (rest.at(-1) !== '' || disclosures.length > DISCLOSURES_MAX) {
    throw new RecordsError('bad_encoding', path, 'not a credential with its disclosures')
  }
  const signed = parseJws(jws, CREDENTIAL_TYPE, path)
  try {
    const claims = parseClaim(signed.payload)
    if (!isClaims(claims)) throw new SdJwtError('the claims are no object')
    const practitioner = practitionerOf(unpackClaims({ claims, disclosures }))
    return { jws, claims, disclosures, signed, practitioner }
  } catch (cause) {
    const isFault = [SdJwtError, CryptoError, CodecError].some((each) => cause instanceof each)
    if (!isFault || !(cause instanceof Error)) throw cause
    throw new RecordsError('bad_encoding', path, cause.message, { cause })
  }
}

function practitionerOf(claims: Claims): Practitioner {
  const { vct, iss, sub, cnf, iat, exp, role, btg, status, licence, name } = claims
  const organisation = typeof iss === 'string' ? iss.slice(organisationDid('').length) : ''
  const jwk = isClaims(cnf) ? cnf['jwk'] : undefined
  const list = isClaims(status) ? status['status_list'] : undefined
  if (vct !== PRACTITIONER_VCT) throw new SdJwtError('not a credential of a practitioner')
  if (iss !== organisationDid(organisation)) throw new SdJwtError('no organisation issued it')
  if (!isClaims(jwk) || jwk['kty'] !== 'OKP' || jwk['crv'] !== 'Ed25519') {
    throw new SdJwtError('it is bound to no key')
  }
  const key = decodeBase64url(textOf(jwk['x'], 'cnf'))
  if (key.length !== 32) throw new SdJwtError('it is bound to no key')
  if (sub !== formatDidKey(key)) throw new SdJwtError('sub is another key')
  return {
    organisation,
    key,
    role: textOf(role, 'role'),
    btg: btg === true,
    issuedAt: numberOf(iat, 'iat') * 1_000,
    expiresAt: numberOf(exp, 'exp') * 1_000,
    statusIndex: numberOf(isClaims(list) ? list['idx'] : undefined, 'status'),
    licence: licence === undefined ? null : textOf(licence, 'licence'),
    name: name === undefined ? null : textOf(name, 'name'),
  }
}

function textOf(value: ClaimValue | undefined, name: string): string {
  if (typeof value !== 'string' || value.length > TEXT_MAX) throw new SdJwtError(`no ${name}`)
  return value
}

function numberOf(value: ClaimValue | undefined, name: string): number {
  const isCount = typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
  if (!isCount || value > 253_402_300_799) throw new SdJwtError(`no ${name}`)
  return value
}

function hashOf(text: string): string {
  return encodeBase64url(sha256(utf8.encode(text)))
}

function secondsOf(ms: number): number {
  return Math.floor(ms / 1_000)
}
