// ChaCha20-Poly1305 where there is no native code.

import { concatBytes } from '@mooring/codec'
import { chacha20poly1305 } from '@noble/ciphers/chacha.js'

export function seal(
  key: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array,
  plaintext: readonly Uint8Array[],
): Uint8Array {
  return chacha20poly1305(key, nonce, aad).encrypt(concatBytes(...plaintext))
}

/** Undefined when the tag does not hold; the caller has checked the lengths. */
export function open(
  key: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | undefined {
  try {
    return chacha20poly1305(key, nonce, aad).decrypt(sealed)
  } catch {
    return undefined
  }
}
