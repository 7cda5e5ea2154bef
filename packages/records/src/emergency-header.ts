// What is said of a sealed emergency set in clear: its versions, their trustees, who has deposited it.

import {
  bool,
  bytes,
  bytesMax,
  encode,
  type Infer,
  list,
  refine,
  struct,
  uint,
  versioned,
} from '@mooring/codec'
import { AEAD_TAG_BYTES, domainHash } from '@mooring/crypto'
import { EMERGENCY_VERSIONS_MAX } from './emergency-locator.ts'
import { organisationIdSchema } from './placement.ts'

export const TRUSTEES_MAX = 9
export const TRUSTEES_LEAST = 3
export const EMERGENCY_THRESHOLD = 2
/** Versions that a deposit brings: for so many emergencies the patient need not be there. */
export const SPARE_VERSIONS_MAX = 6
export const EMERGENCY_CONTENT_BYTES_MAX = 512 * 1024
export const EMERGENCY_SEALED_BYTES_MAX = 256 * 1024
const NOTIFIED_MAX = 8
export const SHARE_BYTES = 32
export const SHARE_ENC_BYTES = 32

const digest = bytes(32)
export const sealedShareSchema = bytes(SHARE_ENC_BYTES + SHARE_BYTES + AEAD_TAG_BYTES)

export const emergencyHeaderSchema = versioned(1, {
  locatorId: digest,
  version: uint(EMERGENCY_VERSIONS_MAX),
  /** On the chain when this version is opened. */
  setHandle: digest,
  /** How many shares open it. */
  k: refine(uint(TRUSTEES_MAX), (k) => k >= 2, 'at least 2'),
  /** In the order of their shares, each of another legal group. */
  trustees: list(struct({ organisation: organisationIdSchema, shareDigest: digest }), TRUSTEES_MAX),
  ciphertextDigest: digest,
  /** Commitment to the content key, compared before anything is opened. */
  keyCommit: digest,
  madeAt: uint(),
  /** The hospital through which the set was deposited, and which tells the patient. */
  home: organisationIdSchema,
  /** The patient's key there for what only the patient shall read. */
  patientKey: bytes(32),
  logKey: bytes(32),
  /** Who else is told, each through a hospital of theirs: guardians. */
  notified: list(struct({ organisation: organisationIdSchema, key: bytes(32) }), NOTIFIED_MAX),
})

export const emergencyStatementSchema = versioned(1, {
  locatorId: digest,
  /** Signs this statement and every later one. */
  ownerKey: bytes(32),
  /** Rises with every statement. */
  sequence: uint(),
  home: organisationIdSchema,
  /** True: nobody opens a set of this patient. */
  isOptedOut: bool(),
  /** In order; none before the first is valid any more. */
  versions: list(emergencyHeaderSchema, SPARE_VERSIONS_MAX),
})

export const signedStatementSchema = struct({
  statement: emergencyStatementSchema,
  signature: bytes(64),
})

/** What one trustee is given of a version. */
export const trusteePartSchema = struct({
  ciphertext: bytesMax(EMERGENCY_SEALED_BYTES_MAX),
  share: sealedShareSchema,
})

export const emergencyDepositSchema = struct({
  signed: signedStatementSchema,
  /** Of each version, in order. */
  parts: list(trusteePartSchema, SPARE_VERSIONS_MAX),
})

/** From a wallet to the patient's hospital: what goes to which trustee. */
export const addressedDepositsSchema = list(
  struct({ trustee: organisationIdSchema, deposit: emergencyDepositSchema }),
  TRUSTEES_MAX,
)

export type AddressedDeposit = Infer<typeof addressedDepositsSchema>[number]
export type EmergencyHeader = Infer<typeof emergencyHeaderSchema>
export type EmergencyStatement = Infer<typeof emergencyStatementSchema>
export type SignedStatement = Infer<typeof signedStatementSchema>
export type EmergencyDeposit = Infer<typeof emergencyDepositSchema>
export type TrusteePart = Infer<typeof trusteePartSchema>

export function emergencyHeaderDigest(header: EmergencyHeader): Uint8Array {
  return domainHash('emergency-header', encode(emergencyHeaderSchema, header))
}
