// The part of a wallet about recovery: the identity on the chain and its guardians, a recovery that this
// wallet asks for, and for whom the holder is a guardian.

import { bytes, type Infer, list, nullable, struct, text, uint, versioned } from '@mooring/codec'
import { organisationIdSchema } from './placement.ts'
import { guardianKitSchema, recoveryRequestSchema } from './recovery-documents.ts'

const LABEL_BYTES_MAX = 64
const WARDS_MAX = 256
const FORMER_SEALS_MAX = 1_024

const walletGuardianSchema = struct({
  label: text(LABEL_BYTES_MAX),
  salt: bytes(32),
  organisation: nullable(organisationIdSchema),
  /** Of a person. */
  key: nullable(bytes(32)),
})

export type WalletGuardian = Infer<typeof walletGuardianSchema>

const ownIdentitySchema = struct({
  id: bytes(32),
  /** Of the root key in control; the next one is announced. */
  rootIndex: uint(0xffff_ffff),
  /** How often guardians were named; each time the key of the backup is another one. */
  generation: uint(0xffff_ffff),
  guardians: list(walletGuardianSchema, 15),
  /** Leaves of the tree of guardians that are nobody. */
  padding: list(bytes(32), 16),
})

export type OwnIdentity = Infer<typeof ownIdentitySchema>

export const walletIdentitySchema = versioned(1, {
  own: nullable(ownIdentitySchema),
  /** That was sent to the chain and is not known to be there. */
  next: nullable(ownIdentitySchema),
  /** Whose recovery this device may stop, once. */
  deviceOf: nullable(bytes(32)),
  /** That this wallet asks guardians for. */
  recovery: nullable(
    struct({
      request: recoveryRequestSchema,
      /** Of the root key that shall be in control. */
      rootIndex: uint(0xffff_ffff),
      sealSecret: bytes(32),
    }),
  ),
  /** Number of the next keys that this holder gives as a guardian. */
  nextGuardianKey: uint(0xffff_ffff),
  wards: list(guardianKitSchema, WARDS_MAX),
  /** Hospitals that knew a wallet of before, and what proves to them that this one follows it. */
  returns: list(
    struct({
      organisation: organisationIdSchema,
      endpoint: text(256),
      former: bytes(32),
      salt: bytes(32),
    }),
    256,
  ),
  /** Secrets of sealing keys from before a recovery: what was sealed to them is read, nothing new is. */
  formerSeals: list(
    struct({ organisation: organisationIdSchema, secretKey: bytes(32) }),
    FORMER_SEALS_MAX,
  ),
})

type WalletIdentity = Infer<typeof walletIdentitySchema>

export const EMPTY_WALLET_IDENTITY: WalletIdentity = {
  own: null,
  next: null,
  deviceOf: null,
  recovery: null,
  nextGuardianKey: 0,
  wards: [],
  returns: [],
  formerSeals: [],
}
