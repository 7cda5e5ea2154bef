// Sealing to a recipient's public key: HPKE (RFC 9180), the base mode of DHKEM(X25519, HKDF-SHA256),
// HKDF-SHA256 and ChaCha20-Poly1305, one message per key.
//
// The libraries for HPKE are asynchronous, because WebCrypto is; the pure packages are not. One suite
// and one message leave so little that it is written here, over the primitives beside it, and held
// to the vectors of the RFC. Deviations: none. `ephemeral` is the ikmE of the RFC, 32 random bytes that
// are never used again: with it known, the result is a fixed one, and so is a test.

import { concatBytes } from '@mooring/codec'
import { expand, extract } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { aeadOpen, aeadSeal } from './aead.ts'
import { x25519, x25519PublicKey } from './x25519.ts'

export interface HpkeMessage {
  /** The recipient's X25519 public key. */
  recipient: Uint8Array
  info: Uint8Array
  aad: Uint8Array
  plaintext: Uint8Array
  /** 32 random bytes for this message alone. */
  ephemeral: Uint8Array
}

export interface HpkeSealed {
  /** The public half of the key made for this message. */
  enc: Uint8Array
  ciphertext: Uint8Array
}

export interface HpkeOpening extends HpkeSealed {
  secret: Uint8Array
  info: Uint8Array
  aad: Uint8Array
}

export interface HpkeSchedule {
  key: Uint8Array
  nonce: Uint8Array
}

const VERSION = ascii('HPKE-v1')
const KEM_SUITE = Uint8Array.of(...ascii('KEM'), 0x00, 0x20)
const SUITE = Uint8Array.of(...ascii('HPKE'), 0x00, 0x20, 0x00, 0x01, 0x00, 0x03)
const MODE_BASE = Uint8Array.of(0)
const EMPTY = new Uint8Array(0)

/** The secret key that DHKEM derives from a seed (RFC 9180 section 7.1.3). */
export function hpkeSecretFromSeed(seed: Uint8Array): Uint8Array {
  if (seed.length !== 32) throw new RangeError(`a seed of ${seed.length} bytes`)
  return labeledExpand(KEM_SUITE, labeledExtract(KEM_SUITE, EMPTY, 'dkp_prk', seed), 'sk', EMPTY)
}

/** Throws a RangeError for a recipient that is no key: it was checked when it was registered. */
export function hpkeSeal(message: HpkeMessage): HpkeSealed {
  const { recipient, info, aad, plaintext, ephemeral } = message
  const secret = hpkeSecretFromSeed(ephemeral)
  const enc = x25519PublicKey(secret)
  const dh = x25519(secret, recipient)
  if (dh === undefined) throw new RangeError('the recipient is no X25519 public key')
  const { key, nonce } = keySchedule(sharedSecret(dh, enc, recipient), info)
  return { enc, ciphertext: aeadSeal(key, nonce, aad, plaintext) }
}

/** Undefined when it was not sealed to this key with this info and aad. */
export function hpkeOpen(opening: HpkeOpening): Uint8Array | undefined {
  const { secret, enc, info, aad, ciphertext } = opening
  const dh = x25519(secret, enc)
  if (dh === undefined) return undefined
  const { key, nonce } = keySchedule(sharedSecret(dh, enc, x25519PublicKey(secret)), info)
  return aeadOpen(key, nonce, aad, ciphertext)
}

export function sharedSecret(dh: Uint8Array, enc: Uint8Array, recipient: Uint8Array): Uint8Array {
  const prk = labeledExtract(KEM_SUITE, EMPTY, 'eae_prk', dh)
  return labeledExpand(KEM_SUITE, prk, 'shared_secret', concatBytes(enc, recipient))
}

export function keySchedule(shared: Uint8Array, info: Uint8Array): HpkeSchedule {
  const context = concatBytes(
    MODE_BASE,
    labeledExtract(SUITE, EMPTY, 'psk_id_hash', EMPTY),
    labeledExtract(SUITE, EMPTY, 'info_hash', info),
  )
  const secret = labeledExtract(SUITE, shared, 'secret', EMPTY)
  return {
    key: labeledExpand(SUITE, secret, 'key', context),
    nonce: labeledExpand(SUITE, secret, 'base_nonce', context, 12),
  }
}

function labeledExtract(
  suite: Uint8Array,
  salt: Uint8Array,
  label: string,
  ikm: Uint8Array,
): Uint8Array {
  return extract(sha256, concatBytes(VERSION, suite, ascii(label), ikm), salt)
}

function labeledExpand(
  suite: Uint8Array,
  prk: Uint8Array,
  label: string,
  info: Uint8Array,
  length = 32,
): Uint8Array {
  const labeled = concatBytes(Uint8Array.of(0, length), VERSION, suite, ascii(label), info)
  return expand(sha256, prk, labeled, length)
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}
