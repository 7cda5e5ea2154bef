// ChaCha20-Poly1305 in Node: OpenSSL, which uses the processor's vector instructions.

import { createCipheriv, createDecipheriv } from 'node:crypto'

const CIPHER = 'chacha20-poly1305'
const TAG_BYTES = 16

export function seal(
  key: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array,
  plaintext: Uint8Array,
): Uint8Array {
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES })
  cipher.setAAD(aad, { plaintextLength: plaintext.length })
  const sealed = new Uint8Array(plaintext.length + TAG_BYTES)
  sealed.set(cipher.update(plaintext))
  cipher.final()
  sealed.set(cipher.getAuthTag(), plaintext.length)
  return sealed
}

/** Undefined when the tag does not hold; the caller has checked the lengths. */
export function open(
  key: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | undefined {
  const plaintextLength = sealed.length - TAG_BYTES
  const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES })
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
