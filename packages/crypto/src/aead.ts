// ChaCha20-Poly1305 (RFC 8439), the one cipher of the project: in every processor it takes the same
// time for every key, also without special instructions. The tag follows the ciphertext.
//
// A pair of key and nonce seals one plaintext, ever. Callers keep to that with keys that they use
// once, or with nonces that count. The cipher does not commit to its key: whoever needs that (a
// record with two readers) compares a commitment to the key before opening.
//
// A key or a nonce of another length is an error of the program. Sealed bytes come from others:
// whatever is wrong with them, they do not open.

import { open, seal } from '#aead'

export const AEAD_KEY_BYTES = 32
export const AEAD_NONCE_BYTES = 12
export const AEAD_TAG_BYTES = 16

/** The plaintext may come in parts, which need not be joined before. */
export function aeadSeal(
  key: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array,
  ...plaintext: Uint8Array[]
): Uint8Array {
  checkLengths(key, nonce)
  return seal(key, nonce, aad, plaintext)
}

/** Undefined when these are not the bytes that were sealed under this key, nonce and aad. */
export function aeadOpen(
  key: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | undefined {
  checkLengths(key, nonce)
  if (sealed.length < AEAD_TAG_BYTES) return undefined
  return open(key, nonce, aad, sealed)
}

function checkLengths(key: Uint8Array, nonce: Uint8Array): void {
  if (key.length !== AEAD_KEY_BYTES) throw new RangeError(`a key of ${key.length} bytes`)
  if (nonce.length !== AEAD_NONCE_BYTES) throw new RangeError(`a nonce of ${nonce.length} bytes`)
}
