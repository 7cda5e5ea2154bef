// The strict Ed25519 rule of keys.ts in Node: libsodium's own rule, behind the length checks
// that its binding lacks (it reads the first 64 bytes of a longer signature).

import sodium from 'sodium-native'

export function verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false
  return sodium.crypto_sign_verify_detached(signature, message, publicKey)
}
