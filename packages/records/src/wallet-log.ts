// The part of a wallet about what it has seen of timelines and access logs, so that a gap is noticed later.

import { bytes, type Infer, list, struct, text, uint, versioned } from '@mooring/codec'

export const walletLogSchema = versioned(1, {
  /** The newest timeline head of each custodian. */
  heads: list(struct({ custodian: text(64), count: uint(), root: bytes(32) }), 256),
})

export type WalletLog = Infer<typeof walletLogSchema>

export const EMPTY_WALLET_LOG: WalletLog = { heads: [] }
