// X25519 where there is no native code.

import { x25519 } from '@noble/curves/ed25519.js'

export function publicKeyOf(secret: Uint8Array): Uint8Array {
  return x25519.getPublicKey(secret)
}

/** Undefined when all bytes of the result would be zero. */
export function shared(secret: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined {
  try {
    return x25519.getSharedSecret(secret, publicKey)
  } catch {
    return undefined
  }
}
