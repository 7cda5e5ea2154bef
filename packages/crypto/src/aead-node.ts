// ChaCha20-Poly1305 in Node: libsodium for what is short, where the set-up of OpenSSL costs several times
// the cipher, and OpenSSL, which uses wider vector instructions, for what is long.
//
// OpenSSL is given its key as a key object: Node takes bytes as well, and makes an error with its stack to
// find out that they are none.

import { createCipheriv, createDecipheriv, createSecretKey } from 'node:crypto'
import sodium from 'sodium-native'

const CIPHER = 'chacha20-poly1305'
const TAG_BYTES = 16
const SHORT_MAX = 8_192

export function seal(
  key: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array,
  plaintext: readonly Uint8Array[],
): Uint8Array {
  let length = 0
  for (const part of plaintext) length += part.length
  const sealed = new Uint8Array(length + TAG_BYTES)
  if (length <= SHORT_MAX) {
    const whole = inOnePiece(plaintext, sealed.subarray(0, length))
    sodium.crypto_aead_chacha20poly1305_ietf_encrypt(sealed, whole, aad, null, nonce, key)
    return sealed
  }
  const options = { authTagLength: TAG_BYTES }
  const cipher = createCipheriv(CIPHER, createSecretKey(key), nonce, options)
  cipher.setAAD(aad, { plaintextLength: length })
  let at = 0
  for (const part of plaintext) {
    sealed.set(cipher.update(part), at)
    at += part.length
  }
  cipher.final()
  sealed.set(cipher.getAuthTag(), length)
  return sealed
}

/** Several parts are put where they are sealed: libsodium may write over what it reads. */
function inOnePiece(parts: readonly Uint8Array[], to: Uint8Array): Uint8Array {
  const [only] = parts
  if (only !== undefined && parts.length === 1) return only
  let at = 0
  for (const part of parts) {
    to.set(part, at)
    at += part.length
  }
  return to
}

/** Undefined when the tag does not hold; the caller has checked the lengths. */
export function open(
  key: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | undefined {
  const plaintextLength = sealed.length - TAG_BYTES
  if (plaintextLength <= SHORT_MAX) return openShort(key, nonce, aad, sealed)
  const options = { authTagLength: TAG_BYTES }
  const decipher = createDecipheriv(CIPHER, createSecretKey(key), nonce, options)
  decipher.setAAD(aad, { plaintextLength })
  decipher.setAuthTag(sealed.subarray(plaintextLength))
  const opened = decipher.update(sealed.subarray(0, plaintextLength))
  try {
    decipher.final()
  } catch {
    opened.fill(0)
    return undefined
  }
  return new Uint8Array(opened.buffer, opened.byteOffset, opened.length)
}

function openShort(
  key: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | undefined {
  const opened = new Uint8Array(sealed.length - TAG_BYTES)
  try {
    // The plaintext is written only where the tag holds.
    sodium.crypto_aead_chacha20poly1305_ietf_decrypt(opened, null, sealed, aad, nonce, key)
  } catch {
    return undefined
  }
  return opened
}
