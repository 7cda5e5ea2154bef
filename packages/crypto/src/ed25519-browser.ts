// The strict Ed25519 rule of keys.ts without native code, written on the curve itself: the
// verify function of @noble/curves uses the cofactored equation and lets through points of small
// order, also in its strict mode.

import { ed25519 } from '@noble/curves/ed25519.js'
import { sha512 } from '@noble/hashes/sha2.js'

const { Point } = ed25519

export function publicKeyOf(seed: Uint8Array): Uint8Array {
  return ed25519.getPublicKey(seed)
}

export function signWithSeed({ seed }: { seed: Uint8Array }, message: Uint8Array): Uint8Array {
  return ed25519.sign(message, seed)
}

export function verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false
  const pointA = decodePoint(publicKey)
  const pointR = decodePoint(signature.subarray(0, 32))
  const scalarS = littleEndian(signature.subarray(32))
  if (pointA === undefined || pointR === undefined || scalarS >= Point.Fn.ORDER) return false
  const digest = sha512
    .create()
    .update(signature.subarray(0, 32))
    .update(publicKey)
    .update(message)
    .digest()
  const scalarK = littleEndian(digest) % Point.Fn.ORDER
  const pointS = scalarS === 0n ? Point.ZERO : Point.BASE.multiplyUnsafe(scalarS)
  const pointK = scalarK === 0n ? Point.ZERO : pointA.multiplyUnsafe(scalarK)
  return pointS.subtract(pointK).equals(pointR)
}

/** A point in canonical encoding and not of small order. */
function decodePoint(encoded: Uint8Array): InstanceType<typeof Point> | undefined {
  let point: InstanceType<typeof Point>
  try {
    point = Point.fromBytes(encoded, false)
  } catch {
    return undefined
  }
  return point.isSmallOrder() ? undefined : point
}

function littleEndian(bytes: Uint8Array): bigint {
  let value = 0n
  for (const byte of bytes.toReversed()) value = value * 256n + BigInt(byte)
  return value
}
