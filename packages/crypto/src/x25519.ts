// X25519 (RFC 7748). A public key of small order leads everybody to the same result, all zero:
// such a key is refused, as RFC 9180 demands.

import { publicKeyOf, shared } from '#x25519'

export function x25519PublicKey(secret: Uint8Array): Uint8Array {
  checkSecret(secret)
  return publicKeyOf(secret)
}

/** Undefined when the public key is none, or one that makes every result zero. */
export function x25519(secret: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined {
  checkSecret(secret)
  return publicKey.length === 32 ? shared(secret, publicKey) : undefined
}

function checkSecret(secret: Uint8Array): void {
  if (secret.length !== 32) throw new RangeError(`a secret of ${secret.length} bytes`)
}
