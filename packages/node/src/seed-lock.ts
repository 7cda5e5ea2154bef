// How a secret of 32 bytes lies on a disk that a thief may have: under a passphrase, by scrypt and
// ChaCha20-Poly1305.
//
//   passphrase --scrypt(salt)--> key of the home --HKDF(a salt of its own)--> key of one file
//
// scrypt is slow and large on purpose, so it runs once: the files of one home share its salt, and each
// takes a key of its own from the result, which seals one plaintext, ever. `check` tells a wrong
// passphrase from a damaged file. All that a file says of its secret is bound into the ciphertext.
//
// The passphrase is asked for when the first file needs it, and not kept; the key of the home is, for
// keys that are made or taken into use while the node runs. Node has no way to lock memory: whoever reads
// the memory of this process has the keys.

import { randomBytes } from 'node:crypto'
import { concatBytes, encode, equalBytes, fromHex, struct, text, toHex } from '@mooring/codec'
import {
  aeadOpen,
  aeadSeal,
  AEAD_NONCE_BYTES,
  CryptoError,
  domainBytes,
  domainHash,
  hkdfSha256,
  SCRYPT_COST,
  type ScryptCost,
  scryptKey,
} from '@mooring/crypto'
import { NodeError } from './node-error.ts'

const SALT_BYTES = 32
const CHECK_BYTES = 16
const SEED_BYTES = 32
const CHARACTERS_MIN = 10
const KDF = 'scrypt'
const CIPHER = 'chacha20-poly1305'
/** A key seals once, so that its nonce need not vary. */
const NONCE = new Uint8Array(AEAD_NONCE_BYTES)

/** Where the passphrase was found, or is to be. */
export interface Passphrase {
  text: string
  /** "/run/secrets/passphrase", or "the one that was typed". */
  from: string
}

export type AskPassphrase = () => Promise<Passphrase>

/** What stands in the file beside its public half. */
export interface SealedSeed {
  kdf: { name: 'scrypt'; N: number; r: number; p: number; salt: string; check: string }
  cipher: { name: 'chacha20-poly1305'; salt: string }
  seed: string
}

/** What the secret is, as its file says. */
export interface SeedHead {
  type: string
  public: string
  name: string
  created: string
}

interface HomeKey {
  key: Uint8Array
  salt: Uint8Array
  cost: ScryptCost
}

const headSchema = struct({
  type: text(32),
  public: text(64),
  name: text(128),
  created: text(32),
})

export class SeedLock {
  readonly #ask: AskPassphrase
  readonly #cost: ScryptCost
  readonly #keys: HomeKey[] = []
  #asked: Promise<Passphrase> | null = null

  constructor(ask: AskPassphrase, cost: ScryptCost = SCRYPT_COST) {
    this.#ask = ask
    this.#cost = cost
  }

  /** Whether a sealed file was opened or made: then what comes beside it is sealed too. */
  get isUsed(): boolean {
    return this.#keys.length > 0
  }

  /** @throws NodeError when the passphrase is missing or wrong, or the file was altered. */
  async open(sealed: SealedSeed, head: SeedHead, path: string): Promise<Uint8Array> {
    const { N, r, p } = sealed.kdf
    const salt = fromHex(sealed.kdf.salt)
    const { key } = await this.#keyFor({ N, r, p }, salt, {
      path,
      check: fromHex(sealed.kdf.check),
    })
    const fileKey = keyOfFile(key, fromHex(sealed.cipher.salt))
    const seed = aeadOpen(fileKey, NONCE, aadOf(head), fromHex(sealed.seed))
    fileKey.fill(0)
    if (seed?.length === SEED_BYTES) return seed
    throw new NodeError('keystore_damaged', { path })
  }

  /** Asks now, for keys that are made later. */
  async prepare(): Promise<void> {
    if (!this.isUsed) await this.#derive(this.#cost, randomSalt())
  }

  async seal(seed: Uint8Array, head: SeedHead): Promise<SealedSeed> {
    const { key, salt, cost } = this.#keys[0] ?? (await this.#derive(this.#cost, randomSalt()))
    const fileSalt = randomSalt()
    const fileKey = keyOfFile(key, fileSalt)
    const ciphertext = aeadSeal(fileKey, NONCE, aadOf(head), seed)
    fileKey.fill(0)
    const { N, r, p } = cost
    return {
      kdf: { name: KDF, N, r, p, salt: toHex(salt), check: toHex(checkOf(key)) },
      cipher: { name: CIPHER, salt: toHex(fileSalt) },
      seed: toHex(ciphertext),
    }
  }

  async #keyFor(
    cost: ScryptCost,
    salt: Uint8Array,
    { path, check }: { path: string; check: Uint8Array },
  ): Promise<HomeKey> {
    const known = this.#keys.find((each) => isUnder(each, cost, salt))
    const found = known ?? (await this.#tryDerive(cost, salt, path))
    if (equalBytes(checkOf(found.key), check)) return this.#keep(found)
    const from = (await this.#passphrase()).from
    this.#asked = null
    throw new NodeError('keys_passphrase_wrong', { path, from })
  }

  #keep(found: HomeKey): HomeKey {
    if (!this.#keys.includes(found)) this.#keys.push(found)
    return found
  }

  async #tryDerive(cost: ScryptCost, salt: Uint8Array, path: string): Promise<HomeKey> {
    try {
      return await this.#stretch(cost, salt)
    } catch (error) {
      if (!(error instanceof CryptoError)) throw error
      throw new NodeError('key_malformed', { path, detail: `its cost is none: ${error.message}` })
    }
  }

  async #derive(cost: ScryptCost, salt: Uint8Array): Promise<HomeKey> {
    return this.#keep(await this.#stretch(cost, salt))
  }

  async #stretch(cost: ScryptCost, salt: Uint8Array): Promise<HomeKey> {
    const passphrase = new TextEncoder().encode((await this.#passphrase()).text.normalize('NFKC'))
    try {
      return { key: await scryptKey(passphrase, salt, cost), salt, cost }
    } finally {
      passphrase.fill(0)
    }
  }

  #passphrase(): Promise<Passphrase> {
    this.#asked ??= this.#ask()
    return this.#asked
  }
}

/** For files that lie open; a sealed one is refused. */
export function noPassphrase(): SeedLock {
  return new SeedLock(() => Promise.reject(new NodeError('keys_passphrase_missing', {})))
}

/** @throws NodeError keys_passphrase_short */
export function checkPassphrase(passphrase: Passphrase): Passphrase {
  const characters = Array.from(passphrase.text.normalize('NFKC')).length
  if (characters >= CHARACTERS_MIN) return passphrase
  throw new NodeError('keys_passphrase_short', {
    characters,
    least: CHARACTERS_MIN,
    from: passphrase.from,
  })
}

/** Undefined when these are no such members of a file. */
export function readSealedSeed(file: {
  kdf?: unknown
  cipher?: unknown
  seed?: unknown
}): SealedSeed | undefined {
  const { kdf, cipher, seed } = file
  if (!isObject(kdf) || !isObject(cipher)) return undefined
  const { N, r, p, salt, check } = kdf
  if (kdf['name'] !== KDF || cipher['name'] !== CIPHER) return undefined
  if (typeof N !== 'number' || typeof r !== 'number' || typeof p !== 'number') return undefined
  if (!isHex(salt, SALT_BYTES) || !isHex(check, CHECK_BYTES)) return undefined
  if (!isHex(cipher['salt'], SALT_BYTES) || !isHex(seed, SEED_BYTES + 16)) return undefined
  return {
    kdf: { name: KDF, N, r, p, salt, check },
    cipher: { name: CIPHER, salt: cipher['salt'] },
    seed,
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function isHex(value: unknown, length: number): value is string {
  return typeof value === 'string' && value.length === 2 * length && /^[0-9a-f]*$/.test(value)
}

function randomSalt(): Uint8Array {
  return new Uint8Array(randomBytes(SALT_BYTES))
}

function isUnder(home: HomeKey, { N, r, p }: ScryptCost, salt: Uint8Array): boolean {
  const { cost } = home
  return cost.N === N && cost.r === r && cost.p === p && equalBytes(home.salt, salt)
}

function keyOfFile(key: Uint8Array, salt: Uint8Array): Uint8Array {
  return hkdfSha256(key, salt, domainBytes('keystore'), 32)
}

function checkOf(key: Uint8Array): Uint8Array {
  return domainHash('keystore-check', key).subarray(0, CHECK_BYTES)
}

function aadOf(head: SeedHead): Uint8Array {
  return concatBytes(domainBytes('keystore'), encode(headSchema, head))
}
