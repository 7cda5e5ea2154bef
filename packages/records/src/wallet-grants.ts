// The part of a wallet about grants: each with the number of the one-time key that names it on the
// chain, without which it cannot be revoked.

import { bytes, bytesMax, type Infer, list, nullable, text, uint, versioned } from '@mooring/codec'

const GRANTS_MAX = 4_096
const GRANT_BYTES_MAX = 64 * 1024

export const walletGrantSchema = versioned(1, {
  /** Of its one-time key. */
  index: uint(),
  handle: bytes(32),
  custodian: text(64),
  recipient: text(64),
  /** The grant as a file; null when only the custodian still has it. */
  document: nullable(bytesMax(GRANT_BYTES_MAX)),
  openedAt: uint(),
  expiresAt: uint(),
  revokedAt: nullable(uint()),
})

export const walletGrantsSchema = list(walletGrantSchema, GRANTS_MAX)

export type WalletGrant = Infer<typeof walletGrantSchema>
