// What a patient, guardians and a recovery desk hand each other. Who reads one compares the name of the
// identity with the person in front of them. The documents hold no secret but the sealed share, and the kit of
// revocations: whoever has that one ends everything that the owner permits.

import {
  bytes,
  bytesMax,
  concatBytes,
  encode,
  type Infer,
  list,
  nullable,
  struct,
  text,
  uint,
  versioned,
} from '@mooring/codec'
import { domainHash, hpkeOpen, hpkeSeal, type SecretShare } from '@mooring/crypto'
import type { RandomBytes } from './batch.ts'
import type { DocumentKind } from './document-text.ts'
import { organisationIdSchema } from './placement.ts'

const LABEL_BYTES_MAX = 64
const SHARE_BYTES = 32
const REVOCATIONS_MAX = 512

const sealedShareSchema = struct({
  /** Where the polynomials were evaluated. */
  x: uint(255),
  enc: bytes(32),
  ciphertext: bytesMax(64),
})

/** A part of a key, which opens for one guardian or for the owner. */
type SealedShare = Infer<typeof sealedShareSchema>

const guardianKeySchema = versioned(1, {
  label: text(LABEL_BYTES_MAX),
  /** By which the guardian finds the keys again. */
  index: uint(0xffff_ffff),
  signKey: bytes(32),
  sealKey: bytes(32),
})

/** What somebody gives who shall be a guardian. */
export type GuardianKey = Infer<typeof guardianKeySchema>

export const guardianKitSchema = versioned(1, {
  genesisDigest: bytes(32),
  identity: bytes(32),
  /** Whose guardian it is, as the owner calls themselves. */
  ward: text(LABEL_BYTES_MAX),
  /** The place among the guardians, with what proves it. */
  index: uint(15),
  salt: bytes(32),
  organisation: nullable(organisationIdSchema),
  /** Of a person: the keys that it gave. */
  person: nullable(struct({ index: uint(0xffff_ffff), signKey: bytes(32) })),
  path: list(bytes(32), 4),
  share: nullable(sealedShareSchema),
})

/** What the owner gives a guardian to keep. */
export type GuardianKit = Infer<typeof guardianKitSchema>

export const recoveryRequestSchema = versioned(1, {
  genesisDigest: bytes(32),
  identity: bytes(32),
  sequence: uint(),
  controlKey: bytes(32),
  nextKeyDigest: bytes(32),
  /** X25519: guardians seal their shares to it, once the new key is in control. */
  sealKey: bytes(32),
})

/** What somebody shows the guardians who says to be the owner. */
export type RecoveryRequest = Infer<typeof recoveryRequestSchema>

const approvalSchema = struct({
  index: uint(15),
  salt: bytes(32),
  organisation: nullable(organisationIdSchema),
  key: bytes(32),
  path: list(bytes(32), 4),
  signature: bytes(64),
})
const guardianAnswerSchema = versioned(1, {
  identity: bytes(32),
  sequence: uint(),
  approval: approvalSchema,
})

/** A guardian's signature under a recovery, or under its veto. */
export type GuardianAnswer = Infer<typeof guardianAnswerSchema>

const attestationSchema = versioned(1, {
  identity: bytes(32),
  sequence: uint(),
  organisation: organisationIdSchema,
  key: bytes(32),
  signature: bytes(64),
})

/** That a desk has seen the person. */
type AttestationDocument = Infer<typeof attestationSchema>

const releaseSchema = versioned(1, { identity: bytes(32), share: sealedShareSchema })

type ReleaseDocument = Infer<typeof releaseSchema>

const revokeKitSchema = versioned(1, {
  /** Signed in advance, each by the one-time key that opened a handle. */
  revocations: list(struct({ publicKey: bytes(32), signature: bytes(64) }), REVOCATIONS_MAX),
})

/** With which whoever has it ends everything that the owner permits. */
type RevokeKit = Infer<typeof revokeKitSchema>

export const GUARDIAN_KEY: DocumentKind<GuardianKey> = {
  name: 'guardian-key',
  schema: guardianKeySchema,
  bytesMax: 256,
}
export const GUARDIAN_KIT: DocumentKind<GuardianKit> = {
  name: 'guardian',
  schema: guardianKitSchema,
  bytesMax: 1_024,
}
export const RECOVERY_REQUEST: DocumentKind<RecoveryRequest> = {
  name: 'recovery',
  schema: recoveryRequestSchema,
  bytesMax: 512,
}
export const GUARDIAN_APPROVAL: DocumentKind<GuardianAnswer> = {
  name: 'approval',
  schema: guardianAnswerSchema,
  bytesMax: 1_024,
}
export const GUARDIAN_VETO: DocumentKind<GuardianAnswer> = {
  name: 'veto',
  schema: guardianAnswerSchema,
  bytesMax: 1_024,
}
export const ATTESTATION: DocumentKind<AttestationDocument> = {
  name: 'attestation',
  schema: attestationSchema,
  bytesMax: 512,
}
export const RELEASE: DocumentKind<ReleaseDocument> = {
  name: 'share',
  schema: releaseSchema,
  bytesMax: 512,
}
export const REVOKE_KIT: DocumentKind<RevokeKit> = {
  name: 'revoke-all',
  schema: revokeKitSchema,
  bytesMax: 64 * 1_024,
}

const INFO = new TextEncoder().encode('guardian-share/v1')

/** Sealed to a guardian, or by a guardian to the new key of the owner. */
export function sealShare(
  { index: x, bytes: plaintext }: SecretShare,
  {
    identity,
    recipient,
    random,
  }: { identity: Uint8Array; recipient: Uint8Array; random: RandomBytes },
): SealedShare {
  const aad = concatBytes(identity, Uint8Array.of(x))
  const ephemeral = random(32)
  const sealed = hpkeSeal({ recipient, info: INFO, aad, plaintext, ephemeral })
  return { x, ...sealed }
}

/** Undefined when it is not sealed to this secret, or not of this identity. */
export function openShare(
  { x, enc, ciphertext }: SealedShare,
  { identity, secret }: { identity: Uint8Array; secret: Uint8Array },
): SecretShare | undefined {
  const aad = concatBytes(identity, Uint8Array.of(x))
  const opened = hpkeOpen({ secret, enc, info: INFO, aad, ciphertext })
  return opened?.length === SHARE_BYTES ? { index: x, bytes: opened } : undefined
}

/** Twenty digits that two people compare by voice: whether they see the same recovery. */
export function requestFingerprint(request: RecoveryRequest): string {
  const digest = domainHash('recovery-request', encode(recoveryRequestSchema, request))
  const groups = [0, 4, 8, 12].map((start) => {
    const view = new DataView(digest.buffer, digest.byteOffset + start, 4)
    return String(view.getUint32(0) % 100_000).padStart(5, '0')
  })
  return groups.join(' ')
}
