// The part of a wallet about who else acts for the patient: devices, and representatives until a date.

import { type Infer, list, versioned } from '@mooring/codec'
import { signedDelegationSchema } from './delegation.ts'

export const walletDelegationsSchema = versioned(1, {
  /** By this patient. */
  given: list(signedDelegationSchema, 256),
})

export type WalletDelegations = Infer<typeof walletDelegationsSchema>

export const EMPTY_WALLET_DELEGATIONS: WalletDelegations = { given: [] }
