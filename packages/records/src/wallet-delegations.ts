// The part of a wallet about who else acts for the patient: devices, and representatives until a date.

import { bytesMax, type Infer, list, versioned } from '@mooring/codec'

export const walletDelegationsSchema = versioned(1, {
  /** By this patient; encoded. */
  given: list(bytesMax(1_024), 256),
})

export type WalletDelegations = Infer<typeof walletDelegationsSchema>

export const EMPTY_WALLET_DELEGATIONS: WalletDelegations = { given: [] }
