// The part of a wallet about recovery: the identity on the chain, its guardians, and whose guardian this is.

import { bytes, type Infer, nullable, versioned } from '@mooring/codec'

export const walletIdentitySchema = versioned(1, {
  /** Its name on the chain. */
  identity: nullable(bytes(32)),
})

export type WalletIdentity = Infer<typeof walletIdentitySchema>

export const EMPTY_WALLET_IDENTITY: WalletIdentity = { identity: null }
