// Five trustees, a patient with a card, a practitioner with the emergency right: with fixed keys.

import { type KeyPair, keyPairFromSeed, sha256, x25519PublicKey } from '@mooring/crypto'
import {
  credentialCommit,
  type EmergencyDeposit,
  type EmergencyHeader,
  emergencyNonce,
  type EmergencyRequest,
  type EmergencyShare,
  issueCredential,
  openTrusteeShare,
  presentCredential,
  sealEmergencySet,
  sealShareFor,
} from '../src/index.ts'
import type { EmergencySealing } from '../src/emergency-deposit.ts'
import type { EmergencyInput } from '../src/emergency-request.ts'

export const NOW = 1_795_082_400_000
export const HOUR = 3_600_000
export const AUDIENCE = 'did:mooring:network:test'
export const TRUSTEES = ['alder', 'birch', 'cedar', 'dogwood', 'elm']
const utf8 = new TextEncoder()

export function secretOf(what: string): Uint8Array {
  return sha256(utf8.encode(`emergency ${what}`))
}

/** Unpredictable enough, and the same in every run. */
export function randomOf(what: string): (length: number) => Uint8Array {
  let count = 0
  return (length) => {
    const bytes = new Uint8Array(length)
    for (let at = 0; at < length; at += 32) {
      count += 1
      bytes.set(secretOf(`${what} ${count}`).subarray(0, Math.min(32, length - at)), at)
    }
    return bytes
  }
}

export const issuer: KeyPair = keyPairFromSeed(secretOf('issuer of fir'))
export const device: KeyPair = keyPairFromSeed(secretOf('device'))
export const locator = secretOf('locator').subarray(0, 16)
export const readerSecret = secretOf('reader')
export const CONTENT = utf8.encode('{"resourceType":"Bundle"}')

export function sealing(changes: Partial<EmergencySealing> = {}): EmergencySealing {
  return {
    locator,
    trustees: TRUSTEES.map((organisation) => ({
      organisation,
      sealKey: x25519PublicKey(secretOf(`seal ${organisation}`)),
    })),
    k: 2,
    firstVersion: 0,
    count: 3,
    sequence: 1,
    owner: keyPairFromSeed(secretOf('owner')),
    madeAt: NOW,
    home: 'alder',
    patientKey: keyPairFromSeed(secretOf('patient')).publicKey,
    logKey: x25519PublicKey(secretOf('log')),
    notified: [],
    random: randomOf('sealing'),
    ...changes,
  }
}

export const deposits = sealEmergencySet(CONTENT, sealing())

export function headerOf(version: number, from: readonly EmergencyDeposit[] = deposits) {
  const header = from[0]?.signed.statement.versions[version]
  if (header === undefined) throw new Error(`no version ${version}`)
  return header
}

export function credential(
  changes: Partial<Parameters<typeof issueCredential>[0]> = {},
  issuerKey = issuer,
) {
  const practitioner = {
    organisation: 'fir',
    key: device.publicKey,
    role: 'physician',
    btg: true,
    issuedAt: NOW - HOUR,
    expiresAt: NOW + 24 * HOUR,
    statusIndex: 7,
    licence: 'MD-4711',
    name: 'Ada Quinn',
    ...changes,
  }
  return issueCredential(practitioner, { issuerKey, random: randomOf('credential') })
}

export function request(
  changes: Partial<EmergencyRequest> = {},
  { with: shown = credential(), keyPair = device, now = NOW, audience = AUDIENCE } = {},
): EmergencyRequest {
  const asked = {
    requestId: secretOf('request'),
    organisation: 'fir',
    locatorId: headerOf(0).locatorId,
    reason: 'unconscious',
    readerKey: x25519PublicKey(readerSecret),
    issuedAt: now,
    ...changes,
  }
  const nonce = emergencyNonce(asked)
  const presentation =
    changes.presentation ?? presentCredential(shown, { keyPair, audience, nonce, now })
  return { ...asked, presentation }
}

export function question(
  asked: EmergencyRequest = request(),
  changes: Partial<EmergencyInput> = {},
): EmergencyInput {
  return {
    request: asked,
    sender: 'fir',
    audience: AUDIENCE,
    now: NOW,
    reasons: ['unconscious', 'disaster'],
    held: { isOptedOut: false, header: headerOf(0) },
    opening: {
      organisation: 'fir',
      credentialCommit: credentialCommit(asked.presentation),
      reason: 'unconscious',
      setHandle: headerOf(0).setHandle,
      isClosed: false,
    },
    firstOpenedAt: NOW - 1_000,
    openMs: 4 * HOUR,
    recentlyGiven: 0,
    givenMax: 30,
    issuerKeys: (organisation) => (organisation === 'fir' ? [issuer.publicKey] : []),
    ...changes,
  }
}

/** What an honest trustee answers. */
export function answerOf(
  organisation: string,
  version = 0,
  from: readonly EmergencyDeposit[] = deposits,
  { requestId }: Pick<EmergencyRequest, 'requestId'> = request(),
): EmergencyShare {
  const deposit = from[TRUSTEES.indexOf(organisation)]
  const header = headerOf(version, from)
  const part = deposit?.parts[version]
  const secrets = [secretOf(`seal ${organisation}`)]
  const share = part && openTrusteeShare(header, part.share, { self: organisation, secrets })
  if (part === undefined || share === undefined) throw new Error(`no share of ${organisation}`)
  return {
    organisation,
    header,
    ciphertext: part.ciphertext,
    share: sealFor(header, share, requestId),
  }
}

function sealFor(
  { setHandle }: EmergencyHeader,
  share: NonNullable<ReturnType<typeof openTrusteeShare>>,
  requestId: Uint8Array,
): Uint8Array {
  const readerKey = x25519PublicKey(readerSecret)
  return sealShareFor(share, { requestId, setHandle, readerKey, random: randomOf('answer') })
}
