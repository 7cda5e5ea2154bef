// The backup that guardians give back: what a patient has and nobody else keeps. Anybody may store the file;
// its key is split among the guardians, and follows from the seed and the number of their naming.
//
// The seed is not in it. Guardians together would hold it otherwise, without the time lock of a recovery
// and without a veto. What opens old records and entries is (the sealing keys), and what ends old grants
// (revocations, signed in advance).

import {
  bytes,
  bytesMax,
  decode,
  encode,
  type Infer,
  list,
  nullable,
  struct,
  text,
  versioned,
} from '@mooring/codec'
import { aeadOpen, aeadSeal, hkdfSha256 } from '@mooring/crypto'
import type { RandomBytes } from './batch.ts'
import { organisationIdSchema } from './placement.ts'
import { walletGrantsSchema } from './wallet-grants.ts'
import { walletHospitalSchema } from './wallet-hospital.ts'
import { walletLogSchema } from './wallet-log.ts'

export const WALLET_BACKUP_BYTES_MAX = 64 * 1024 * 1024

const contentSchema = versioned(1, {
  label: text(128),
  identity: bytes(32),
  genesis: nullable(struct({ digest: bytes(32), encoded: bytesMax(1024 * 1024) })),
  hospitals: list(walletHospitalSchema, 256),
  /** What opens what is sealed to the patient at each of them. */
  seals: list(struct({ organisation: organisationIdSchema, secretKey: bytes(32) }), 1_024),
  /** What opens the commitment that the wallet left at each of them. */
  salts: list(struct({ organisation: organisationIdSchema, salt: bytes(32) }), 256),
  grants: walletGrantsSchema,
  revocations: list(struct({ publicKey: bytes(32), signature: bytes(64) }), 8_192),
  log: walletLogSchema,
})

export type WalletBackup = Infer<typeof contentSchema>

const fileSchema = versioned(1, {
  salt: bytes(32),
  ciphertext: bytesMax(WALLET_BACKUP_BYTES_MAX),
})

const INFO = new TextEncoder().encode('wallet-backup/v1')
/** The key is of this file alone: it follows from the salt. */
const NONCE = new Uint8Array(12)

export function sealBackup(backup: WalletBackup, key: Uint8Array, random: RandomBytes): Uint8Array {
  const salt = random(32)
  const fileKey = hkdfSha256(key, salt, INFO, 32)
  const ciphertext = aeadSeal(fileKey, NONCE, INFO, encode(contentSchema, backup))
  return encode(fileSchema, { salt, ciphertext })
}

/** Undefined when the key is another one, or the file was changed. @throws CodecError */
export function openBackup(file: Uint8Array, key: Uint8Array): WalletBackup | undefined {
  const { salt, ciphertext } = decode(fileSchema, file, WALLET_BACKUP_BYTES_MAX)
  const plaintext = aeadOpen(hkdfSha256(key, salt, INFO, 32), NONCE, INFO, ciphertext)
  return plaintext && decode(contentSchema, plaintext, WALLET_BACKUP_BYTES_MAX)
}
