// How a wallet comes to act for a patient: the patient names the hospitals, the other wallet gives a key
// of its own for each, and the patient delegates to those. No secret of the patient leaves but the sealing
// keys, sealed to the other wallet, without which it could read nothing.

import {
  bytes,
  bytesMax,
  type Infer,
  list,
  nullable,
  oneOf,
  struct,
  text,
  uint,
  versioned,
} from '@mooring/codec'
import { hpkeOpen, hpkeSeal } from '@mooring/crypto'
import type { RandomBytes } from './batch.ts'
import { DELEGATIONS_MAX, REPRESENTATIVE_ROLES, signedDelegationSchema } from './delegation.ts'
import type { DocumentKind } from './document-text.ts'
import { organisationIdSchema } from './placement.ts'

const HOSPITALS_MAX = 64
const LABEL_BYTES_MAX = 64

const inviteSchema = versioned(1, {
  kind: oneOf('device', 'representative'),
  role: nullable(oneOf(...REPRESENTATIVE_ROLES)),
  /** The patient, as the other wallet shall call them; '' for a device of the patient. */
  patient: text(LABEL_BYTES_MAX),
  genesisDigest: bytes(32),
  /** Of the patient, for a device that may stop a recovery. */
  identity: nullable(bytes(32)),
  hospitals: list(
    struct({
      organisation: organisationIdSchema,
      name: text(128),
      endpoint: text(256),
      patientKey: bytes(32),
      sealEpoch: uint(0xffff_ffff),
    }),
    HOSPITALS_MAX,
  ),
})

export type DelegateInvite = Infer<typeof inviteSchema>

const keysSchema = versioned(1, {
  label: text(LABEL_BYTES_MAX),
  /** As the invitation called the patient: the keys depend on it. */
  patient: text(LABEL_BYTES_MAX),
  kind: oneOf('device', 'representative'),
  role: nullable(oneOf(...REPRESENTATIVE_ROLES)),
  keys: list(struct({ organisation: organisationIdSchema, key: bytes(32) }), HOSPITALS_MAX),
  /** X25519, for the sealing keys. */
  sealKey: bytes(32),
  /** Of the key with which a device may stop a recovery. */
  vetoKey: nullable(bytes(32)),
})

export type DelegateKeys = Infer<typeof keysSchema>

const delegationsSchema = versioned(1, {
  invite: inviteSchema,
  items: list(
    struct({
      organisation: organisationIdSchema,
      /** From the key of the patient to that of the other wallet. */
      delegations: list(signedDelegationSchema, DELEGATIONS_MAX),
      seal: nullable(struct({ enc: bytes(32), ciphertext: bytesMax(64) })),
    }),
    HOSPITALS_MAX,
  ),
})

export type DelegateDocument = Infer<typeof delegationsSchema>

export const DELEGATE_INVITE: DocumentKind<DelegateInvite> = {
  name: 'invite',
  schema: inviteSchema,
  bytesMax: 32 * 1_024,
}
export const DELEGATE_KEYS: DocumentKind<DelegateKeys> = {
  name: 'delegate-keys',
  schema: keysSchema,
  bytesMax: 8 * 1_024,
}
export const DELEGATE_DOCUMENT: DocumentKind<DelegateDocument> = {
  name: 'delegations',
  schema: delegationsSchema,
  bytesMax: 128 * 1_024,
}

const INFO = new TextEncoder().encode('delegate-seal/v1')

export function sealForDelegate(
  secret: Uint8Array,
  {
    patientKey,
    recipient,
    random,
  }: { patientKey: Uint8Array; recipient: Uint8Array; random: RandomBytes },
): { enc: Uint8Array; ciphertext: Uint8Array } {
  const message = { recipient, info: INFO, aad: patientKey, plaintext: secret }
  return hpkeSeal({ ...message, ephemeral: random(32) })
}

/** Undefined when it is sealed to another wallet, or for another patient. */
export function openForDelegate(
  { enc, ciphertext }: { enc: Uint8Array; ciphertext: Uint8Array },
  { patientKey, secret }: { patientKey: Uint8Array; secret: Uint8Array },
): Uint8Array | undefined {
  const opened = hpkeOpen({ secret, enc, info: INFO, aad: patientKey, ciphertext })
  return opened?.length === 32 ? opened : undefined
}
