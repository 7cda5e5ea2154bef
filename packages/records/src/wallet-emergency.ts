// The part of a wallet about emergencies: the sets that are deposited, their keys and trustees, the card.

import { bool, type Infer, versioned } from '@mooring/codec'

export const walletEmergencySchema = versioned(1, {
  /** Nobody opens an emergency set of this patient. */
  isOptedOut: bool(),
})

export type WalletEmergency = Infer<typeof walletEmergencySchema>

export const EMPTY_WALLET_EMERGENCY: WalletEmergency = { isOptedOut: false }
