// A sealed emergency set as trustees keep it: several versions of one content, each for one emergency.
//
// Every version has its own secret, split over the trustees, and its own handle. When one has been opened and
// its time is over, trustees delete its ciphertext and their shares; the next version is there
// already, without the patient: so what a share was good for once, it is not good for again. The patient's
// wallet (or the hospital that hosts it) signs which versions there are; a later statement replaces an earlier one
// whole, and one without versions takes everything back.
//
// A share is sealed to its trustee. Its digest stands in the header, so that a wrong share is known from a
// right one, and all trustees have the same header, so that fewer than k of them cannot present another.

import { concatBytes, deflate, encode, equalBytes } from '@mooring/codec'
import {
  AEAD_TAG_BYTES,
  aeadSeal,
  domainBytes,
  type KeyPair,
  sha256,
  sign,
  splitSecret,
  verify,
} from '@mooring/crypto'
import type { RandomBytes } from './batch.ts'
import {
  EMERGENCY_CONTENT_BYTES_MAX,
  EMERGENCY_SEALED_BYTES_MAX,
  type EmergencyDeposit,
  type EmergencyHeader,
  type EmergencyStatement,
  emergencyStatementSchema,
  SHARE_BYTES,
  type SignedStatement,
  TRUSTEES_LEAST,
} from './emergency-header.ts'
import { emergencyContentKey, locatorIdOf, setHandleOf } from './emergency-locator.ts'
import { RecordsError } from './errors.ts'
import {
  depositAad,
  EMERGENCY_NONCE,
  keyCommitOf,
  sealShare,
  shareDigestOf,
} from './emergency-shares.ts'
import { bucketFor, padded } from './padding.ts'

interface Trustee {
  readonly organisation: string
  /** X25519: what its share is sealed to. */
  readonly sealKey: Uint8Array
}

export interface EmergencySealing {
  readonly locator: Uint8Array
  readonly trustees: readonly Trustee[]
  readonly k: number
  readonly firstVersion: number
  readonly count: number
  readonly sequence: number
  readonly owner: KeyPair
  readonly madeAt: number
  readonly home: string
  readonly patientKey: Uint8Array
  readonly logKey: Uint8Array
  readonly notified: readonly { organisation: string; key: Uint8Array }[]
  readonly random: RandomBytes
}

/** A deposit for each trustee, in their order. @throws RecordsError too_large */
export function sealEmergencySet(
  content: Uint8Array,
  sealing: EmergencySealing,
): EmergencyDeposit[] {
  if (content.length > EMERGENCY_CONTENT_BYTES_MAX) {
    throw new RecordsError('too_large', '', `more than ${EMERGENCY_CONTENT_BYTES_MAX} bytes`)
  }
  const deflated = deflate(content)
  const plaintext = padded(deflated, bucketFor(deflated.length + 4))
  if (plaintext.length + AEAD_TAG_BYTES > EMERGENCY_SEALED_BYTES_MAX) {
    throw new RecordsError(
      'too_large',
      '',
      `more than ${EMERGENCY_SEALED_BYTES_MAX} bytes when sealed`,
    )
  }
  const versions = Array.from({ length: sealing.count }, (_, at) =>
    sealVersion(plaintext, sealing.firstVersion + at, sealing),
  )
  const signed = signStatement(
    sealing,
    versions.map(({ header }) => header),
  )
  return sealing.trustees.map((_, trustee) => ({
    signed,
    parts: versions.flatMap(({ ciphertext, shares }) => {
      const share = shares[trustee]
      return share === undefined ? [] : [{ ciphertext, share }]
    }),
  }))
}

/** Without versions: takes back what there is, for good or until the next statement. */
export function withdrawEmergencySet(
  sealing: Pick<EmergencySealing, 'locator' | 'owner' | 'sequence' | 'home'>,
  isOptedOut: boolean,
): EmergencyDeposit {
  return { signed: signStatement(sealing, [], isOptedOut), parts: [] }
}

function signStatement(
  {
    locator,
    owner,
    sequence,
    home,
  }: Pick<EmergencySealing, 'locator' | 'owner' | 'sequence' | 'home'>,
  versions: EmergencyHeader[],
  isOptedOut = false,
): SignedStatement {
  const locatorId = locatorIdOf(locator)
  const ownerKey = owner.publicKey
  const statement = { locatorId, ownerKey, sequence, home, isOptedOut, versions }
  return { statement, signature: sign(owner, statementBytes(statement)) }
}

function sealVersion(plaintext: Uint8Array, version: number, sealing: EmergencySealing) {
  const { locator, trustees, k, madeAt, home, patientKey, logKey, notified, random } = sealing
  const locatorId = locatorIdOf(locator)
  const secret = random(SHARE_BYTES)
  const key = emergencyContentKey(secret, locator)
  const setHandle = setHandleOf(locator, version)
  const ciphertext = aeadSeal(key, EMERGENCY_NONCE, setHandle, plaintext)
  const shares = splitSecret(secret, { k, n: trustees.length, random })
  const header: EmergencyHeader = {
    locatorId,
    version,
    setHandle,
    k,
    trustees: shares.map((share, at) => ({
      organisation: trustees[at]?.organisation ?? '',
      shareDigest: shareDigestOf(setHandle, share),
    })),
    ciphertextDigest: sha256(ciphertext),
    keyCommit: keyCommitOf(key),
    madeAt,
    home,
    patientKey,
    logKey,
    notified: [...notified],
  }
  const sealed = shares.map((share, at) => {
    const recipient = trustees[at]?.sealKey ?? NO_KEY
    return sealShare(share, { recipient, aad: depositAad(header, share.index), random })
  })
  return { header, ciphertext, shares: sealed }
}

const NO_KEY = new Uint8Array(0)
function statementBytes(statement: EmergencyStatement): Uint8Array {
  return concatBytes(
    domainBytes('emergency-statement'),
    encode(emergencyStatementSchema, statement),
  )
}

const STATEMENT_REFUSALS = [
  'statement_forged',
  'statement_of_another',
  'statement_old',
  'statement_incomplete',
  'trustees_too_few',
  'trustees_of_one_group',
] as const

export type StatementRefusal = (typeof STATEMENT_REFUSALS)[number]

/** Whether a trustee takes a deposit; `known` is what it has of this locator. */
export function checkDeposit(
  { signed: { statement, signature }, parts }: EmergencyDeposit,
  {
    self,
    known,
    groupOf,
  }: {
    self: string
    known: Pick<EmergencyStatement, 'ownerKey' | 'sequence'> | undefined
    groupOf: (organisation: string) => string | undefined
  },
): StatementRefusal | undefined {
  const { ownerKey, sequence, versions, locatorId, isOptedOut, home } = statement
  if (known !== undefined && !equalBytes(known.ownerKey, ownerKey)) return 'statement_of_another'
  if (known !== undefined && sequence <= known.sequence) return 'statement_old'
  const isComplete =
    parts.length === versions.length &&
    (versions.length === 0 || !isOptedOut) &&
    versions.every(
      (header, at) =>
        equalBytes(header.locatorId, locatorId) &&
        header.home === home &&
        header.version === (versions[0]?.version ?? 0) + at &&
        header.trustees.some(({ organisation }) => organisation === self) &&
        equalBytes(header.ciphertextDigest, sha256(parts[at]?.ciphertext ?? NO_KEY)),
    )
  if (!isComplete) return 'statement_incomplete'
  for (const { trustees, k } of versions) {
    if (trustees.length < TRUSTEES_LEAST || trustees.length < k) return 'trustees_too_few'
    const groups = trustees.map(({ organisation }) => groupOf(organisation))
    if (groups.includes(undefined) || new Set(groups).size < groups.length) {
      return 'trustees_of_one_group'
    }
  }
  return verify(ownerKey, statementBytes(statement), signature) ? undefined : 'statement_forged'
}
