// The strict Ed25519 rule of keys.ts in Node: libsodium's own rule, behind the length checks
// that its binding lacks (it reads the first 64 bytes of a longer signature). Signing is RFC 8032 and
// gives the same bytes as the other half, 25 times faster.

import sodium from 'sodium-native'

export function publicKeyOf(seed: Uint8Array): Uint8Array {
  if (seed.length !== 32) throw new RangeError(`a seed of ${seed.length} bytes`)
  const publicKey = new Uint8Array(32)
  const secretKey = new Uint8Array(64)
  sodium.crypto_sign_seed_keypair(publicKey, secretKey, seed)
  secretKey.fill(0)
  return publicKey
}

/** libsodium's secret key is the seed followed by the public key. */
export function signWithSeed(
  { seed, publicKey }: { seed: Uint8Array; publicKey: Uint8Array },
  message: Uint8Array,
): Uint8Array {
  const secretKey = new Uint8Array(64)
  secretKey.set(seed)
  secretKey.set(publicKey, 32)
  const signature = new Uint8Array(64)
  sodium.crypto_sign_detached(signature, message, secretKey)
  secretKey.fill(0)
  return signature
}

export function verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false
  return sodium.crypto_sign_verify_detached(signature, message, publicKey)
}
