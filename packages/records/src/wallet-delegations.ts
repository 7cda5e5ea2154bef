// The part of a wallet about who else acts for the patient: devices, and representatives until a date.

import {
  bytes,
  type Infer,
  list,
  nullable,
  oneOf,
  struct,
  text,
  uint,
  versioned,
} from '@mooring/codec'
import { signedDelegationSchema } from './delegation.ts'
import { organisationIdSchema } from './placement.ts'

const givenSchema = struct({
  kind: oneOf('device', 'representative'),
  /** As the holder calls it. */
  label: text(64),
  organisation: organisationIdSchema,
  signed: signedDelegationSchema,
  /** Of the one-time key that ends it. */
  handleIndex: uint(),
  expiresAt: uint(),
  revokedAt: nullable(uint()),
  /** Digest of the key with which the device may stop a recovery. */
  vetoDigest: nullable(bytes(32)),
})

export type GivenDelegation = Infer<typeof givenSchema>

export const walletDelegationsSchema = versioned(1, {
  /** By this patient. */
  given: list(givenSchema, 1_024),
})

type WalletDelegations = Infer<typeof walletDelegationsSchema>

export const EMPTY_WALLET_DELEGATIONS: WalletDelegations = { given: [] }
