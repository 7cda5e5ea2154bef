// A wallet as a file that a thief may have: JSON around one ciphertext.
//
// The key follows from the passphrase by scrypt; the file says with which salt and at which cost. All
// that it says is bound into the ciphertext, so that an altered file opens as little as a cut one.
// `check` tells a wrong passphrase from a damaged file; whoever tries passphrases learns the same
// from the ciphertext. Zeros hide how much is inside, up to 16 KiB.
//
// Every save takes a new nonce under the key of the session; a new passphrase takes a new salt.

import { bytes, concatBytes, encode, equalBytes, struct, toHex, uint } from '@mooring/codec'
import {
  AEAD_NONCE_BYTES,
  aeadOpen,
  aeadSeal,
  domainBytes,
  domainHash,
  encodeBase64url,
  SCRYPT_COST,
  type ScryptCost,
  scryptKey,
} from '@mooring/crypto'
import type { RandomBytes } from './batch.ts'
import {
  members,
  parseDocument,
  readBase64url,
  readHex,
  readNumber,
  readText,
  wrongType,
} from './json-members.ts'
import { padded, unpadded } from './padding.ts'
import { decodeWallet, encodeWallet, type Wallet, WALLET_BYTES_MAX } from './wallet.ts'

export const PASSPHRASE_CHARACTERS_MIN = 10

const FILE_BYTES_MAX = 2 * WALLET_BYTES_MAX
const VERSION = 1
const SALT_BYTES = 32
const CHECK_BYTES = 16
const STEP_BYTES = 16 * 1024
/** What is paid at most, scrypt says. */
const COST_RANGE = { min: 1, max: 2 ** 24 }
const KDF = 'scrypt'
const CIPHER = 'chacha20-poly1305'

const headSchema = struct({
  N: uint(),
  r: uint(),
  p: uint(),
  salt: bytes(SALT_BYTES),
  check: bytes(CHECK_BYTES),
})

/** What a passphrase has become; kept in memory while a wallet is open. */
export interface WalletKey {
  readonly key: Uint8Array
  readonly salt: Uint8Array
  readonly cost: ScryptCost
}

export interface OpenedWallet {
  readonly wallet: Wallet
  readonly key: WalletKey
}

type WalletFileFailure = { readonly code: 'passphrase_wrong' | 'wallet_damaged' }

const utf8 = new TextEncoder()

export async function deriveWalletKey(
  passphrase: string,
  random: RandomBytes,
  cost: ScryptCost = SCRYPT_COST,
): Promise<WalletKey> {
  const salt = random(SALT_BYTES)
  return { key: await keyOf(passphrase, salt, cost), salt, cost }
}

export function sealWallet(wallet: Wallet, key: WalletKey, random: RandomBytes): string {
  const { salt, cost } = key
  const check = checkOf(key.key)
  const nonce = random(AEAD_NONCE_BYTES)
  const content = padded(encodeWallet(wallet), STEP_BYTES)
  const file = {
    version: VERSION,
    kdf: { name: KDF, N: cost.N, r: cost.r, p: cost.p, salt: toHex(salt) },
    check: toHex(check),
    cipher: CIPHER,
    nonce: toHex(nonce),
    ciphertext: encodeBase64url(aeadSeal(key.key, nonce, aadOf({ ...cost, salt, check }), content)),
  }
  return `${JSON.stringify(file, null, 2)}\n`
}

/** @throws RecordsError, CryptoError or CodecError when the file is no wallet file at all. */
export async function openWallet(
  file: string | Uint8Array,
  passphrase: string,
): Promise<OpenedWallet | WalletFileFailure> {
  const { cost, salt, check, nonce, sealed } = readFile(file)
  const key = await keyOf(passphrase, salt, cost)
  if (!equalBytes(checkOf(key), check)) return { code: 'passphrase_wrong' }
  const content = aeadOpen(key, nonce, aadOf({ ...cost, salt, check }), sealed)
  if (content === undefined) return { code: 'wallet_damaged' }
  return { wallet: decodeWallet(unpadded(content)), key: { key, salt, cost } }
}

function readFile(file: string | Uint8Array) {
  const { root } = parseDocument(file, [VERSION], { bytesMax: FILE_BYTES_MAX, itemsMax: 32 })
  const names = ['version', 'kdf', 'check', 'cipher', 'nonce', 'ciphertext'] as const
  const member = members(root, '', names)
  const kdf = members(member('kdf'), 'kdf', ['name', 'N', 'r', 'p', 'salt'])
  if (readText(kdf('name'), 'kdf.name') !== KDF) throw wrongType('kdf.name', `"${KDF}"`)
  if (readText(member('cipher'), 'cipher') !== CIPHER) throw wrongType('cipher', `"${CIPHER}"`)
  const costOf = (name: 'N' | 'r' | 'p') => readNumber(kdf(name), `kdf.${name}`, COST_RANGE)
  return {
    cost: { N: costOf('N'), r: costOf('r'), p: costOf('p') },
    salt: readHex(kdf('salt'), 'kdf.salt', SALT_BYTES),
    check: readHex(member('check'), 'check', CHECK_BYTES),
    nonce: readHex(member('nonce'), 'nonce', AEAD_NONCE_BYTES),
    sealed: readBase64url(member('ciphertext'), 'ciphertext', FILE_BYTES_MAX),
  }
}

function keyOf(passphrase: string, salt: Uint8Array, cost: ScryptCost): Promise<Uint8Array> {
  return scryptKey(utf8.encode(passphrase.normalize('NFKC')), salt, cost)
}

function checkOf(key: Uint8Array): Uint8Array {
  return domainHash('wallet-key-check', key).subarray(0, CHECK_BYTES)
}

function aadOf(head: Parameters<typeof headSchema.write>[0]): Uint8Array {
  return concatBytes(domainBytes('wallet-file'), encode(headSchema, head))
}
