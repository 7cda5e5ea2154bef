// Shares of an emergency set on their way: to a trustee, from it to a request, and together.
//
// A share is sealed to its trustee for a place in a version of a set, and by the trustee to the one-time key
// of a request: in any other place, for any other request, it does not open. Its digest stands in the
// header, so that a wrong one is told from a right one, whoever sent it.

import { concatBytes, encode, equalBytes, inflate, struct, uint } from '@mooring/codec'
import {
  AEAD_NONCE_BYTES,
  aeadOpen,
  combineShares,
  domainHash,
  hpkeOpen,
  hpkeSeal,
  type SecretShare,
  sha256,
} from '@mooring/crypto'
import type { RandomBytes } from './batch.ts'
import {
  EMERGENCY_CONTENT_BYTES_MAX,
  type EmergencyHeader,
  emergencyHeaderDigest,
  SHARE_ENC_BYTES,
  TRUSTEES_MAX,
} from './emergency-header.ts'
import { EMERGENCY_VERSIONS_MAX, emergencyContentKey, setHandleOf } from './emergency-locator.ts'
import { unpadded } from './padding.ts'

// The content key follows from a secret of this version alone and seals one content.
export const EMERGENCY_NONCE = new Uint8Array(AEAD_NONCE_BYTES)
const INFO = new TextEncoder().encode('emergency-share/v1')

export function sealShare(
  { bytes: plaintext }: SecretShare,
  { recipient, aad, random }: { recipient: Uint8Array; aad: Uint8Array; random: RandomBytes },
): Uint8Array {
  const { enc, ciphertext } = hpkeSeal({
    recipient,
    info: INFO,
    aad,
    plaintext,
    ephemeral: random(32),
  })
  return concatBytes(enc, ciphertext)
}

function openShare(
  sealed: Uint8Array,
  { secret, aad, index }: { secret: Uint8Array; aad: Uint8Array; index: number },
): SecretShare | undefined {
  const enc = sealed.subarray(0, SHARE_ENC_BYTES)
  const ciphertext = sealed.subarray(SHARE_ENC_BYTES)
  const opened = hpkeOpen({ secret, enc, info: INFO, aad, ciphertext })
  return opened && { index, bytes: opened }
}

export function depositAad({ locatorId, version }: EmergencyHeader, index: number): Uint8Array {
  return domainHash('emergency-share-place', locatorId, encode(placeSchema, { version, index }))
}

const placeSchema = struct({ version: uint(EMERGENCY_VERSIONS_MAX), index: uint(TRUSTEES_MAX) })

function requestAad(requestId: Uint8Array, setHandle: Uint8Array): Uint8Array {
  return domainHash('emergency-share-for', requestId, setHandle)
}

export function shareDigestOf(
  setHandle: Uint8Array,
  { index, bytes: share }: SecretShare,
): Uint8Array {
  return domainHash('emergency-share', setHandle, Uint8Array.of(index), share)
}

export function keyCommitOf(key: Uint8Array): Uint8Array {
  return domainHash('emergency-key', key)
}

/** Of a trustee's share in its own words: undefined when the deposit was not for it. */
export function openTrusteeShare(
  header: EmergencyHeader,
  sealed: Uint8Array,
  { self, secrets }: { self: string; secrets: readonly Uint8Array[] },
): SecretShare | undefined {
  const at = header.trustees.findIndex(({ organisation }) => organisation === self)
  const index = at + 1
  for (const secret of at < 0 ? [] : secrets) {
    const share = openShare(sealed, { secret, aad: depositAad(header, index), index })
    if (share !== undefined && isShareOf(header, share)) return share
  }
  return undefined
}

function isShareOf({ setHandle, trustees }: EmergencyHeader, share: SecretShare): boolean {
  const expected = trustees[share.index - 1]?.shareDigest
  return expected !== undefined && equalBytes(expected, shareDigestOf(setHandle, share))
}

/** The share for the one-time key of a request; it opens for no other request. */
export function sealShareFor(
  share: SecretShare,
  {
    requestId,
    setHandle,
    readerKey,
    random,
  }: {
    requestId: Uint8Array
    setHandle: Uint8Array
    readerKey: Uint8Array
    random: RandomBytes
  },
): Uint8Array {
  return sealShare(share, { recipient: readerKey, aad: requestAad(requestId, setHandle), random })
}

/** What a trustee has answered. */
export interface EmergencyShare {
  readonly organisation: string
  readonly header: EmergencyHeader
  readonly ciphertext: Uint8Array
  /** Sealed to the request's one-time key. */
  readonly share: Uint8Array
}

type OpenedEmergency =
  | {
      readonly ok: true
      readonly content: Uint8Array
      readonly header: EmergencyHeader
      /** Whose answer was not what the header says. */
      readonly liars: readonly string[]
    }
  | {
      readonly ok: false
      readonly code: 'too_few_shares' | 'another_set' | 'not_the_content'
      readonly liars: readonly string[]
    }

/** What k trustees agree on, opened with the card. */
export function openEmergencySet(
  answers: readonly EmergencyShare[],
  {
    locator,
    requestId,
    readerSecret,
  }: {
    locator: Uint8Array
    requestId: Uint8Array
    readerSecret: Uint8Array
  },
): OpenedEmergency {
  const agreed = agreedHeader(answers)
  if (agreed === undefined) return { ok: false, code: 'too_few_shares', liars: [] }
  const { setHandle, version, k, keyCommit, trustees } = agreed
  if (!equalBytes(setHandle, setHandleOf(locator, version))) {
    return { ok: false, code: 'another_set', liars: [] }
  }
  const aad = requestAad(requestId, setHandle)
  const shares: SecretShare[] = []
  const liars: string[] = []
  let sealed: Uint8Array | undefined
  for (const { organisation, header, ciphertext, share } of answers) {
    const index = trustees.findIndex((each) => each.organisation === organisation) + 1
    const opened =
      index === 0 || !isSameHeader(header, agreed)
        ? undefined
        : openShare(share, { secret: readerSecret, aad, index })
    if (opened === undefined || !isShareOf(agreed, opened)) {
      liars.push(organisation)
      continue
    }
    shares.push(opened)
    if (equalBytes(sha256(ciphertext), agreed.ciphertextDigest)) sealed ??= ciphertext
    else liars.push(organisation)
  }
  if (shares.length < k || sealed === undefined) {
    return { ok: false, code: 'too_few_shares', liars }
  }
  const key = emergencyContentKey(combineShares(shares.slice(0, k)), locator)
  const plaintext = equalBytes(keyCommitOf(key), keyCommit)
    ? aeadOpen(key, EMERGENCY_NONCE, setHandle, sealed)
    : undefined
  if (plaintext === undefined) return { ok: false, code: 'not_the_content', liars }
  const content = inflate(unpadded(plaintext), EMERGENCY_CONTENT_BYTES_MAX)
  return { ok: true, content, header: agreed, liars }
}

/** The header that k of them give; with fewer than k liars there is one at most. */
function agreedHeader(answers: readonly EmergencyShare[]): EmergencyHeader | undefined {
  const isFrom = (header: EmergencyHeader) =>
    new Set(
      answers.flatMap((each) => (isSameHeader(each.header, header) ? [each.organisation] : [])),
    ).size
  return answers.find(({ header }) => isFrom(header) >= header.k)?.header
}

function isSameHeader(a: EmergencyHeader, b: EmergencyHeader): boolean {
  return equalBytes(emergencyHeaderDigest(a), emergencyHeaderDigest(b))
}
