// Keys and signatures.
//
// Ed25519 (RFC 8032) under one rule, which two implementations share (`#ed25519`): a key has 32 bytes
// and a signature 64; S is below the group order; A and R are canonical and not of small order;
// the equation is the cofactorless S·B - k·A = R. Two nodes that disagree on one signature would
// split the chain, so a change here is a change of the protocol. A torsion component in A is not
// an error when verifying, because the equation decides; `checkPublicKey` refuses such keys when
// an organisation registers them.

import { publicKeyOf, signWithSeed, verify } from '#ed25519'
import { ed25519 } from '@noble/curves/ed25519.js'

export { verify }

export interface KeyPair {
  seed: Uint8Array
  publicKey: Uint8Array
}

export interface SignedMessage {
  publicKey: Uint8Array
  message: Uint8Array
  signature: Uint8Array
}

export type InvalidPublicKey = 'not_canonical' | 'small_order' | 'mixed_order'

export function keyPairFromSeed(seed: Uint8Array): KeyPair {
  return { seed, publicKey: publicKeyOf(seed) }
}

export function sign(keyPair: KeyPair, message: Uint8Array): Uint8Array {
  return signWithSeed(keyPair, message)
}

export function verifyBatch(items: readonly SignedMessage[]): boolean[] {
  return items.map(({ publicKey, message, signature }) => verify(publicKey, message, signature))
}

/** Why a key must not be registered; bytes that are no point at all count as not canonical. */
export function checkPublicKey(publicKey: Uint8Array): InvalidPublicKey | undefined {
  let point: InstanceType<typeof ed25519.Point>
  try {
    point = ed25519.Point.fromBytes(publicKey, false)
  } catch {
    return 'not_canonical'
  }
  if (point.isSmallOrder()) return 'small_order'
  return point.isTorsionFree() ? undefined : 'mixed_order'
}
