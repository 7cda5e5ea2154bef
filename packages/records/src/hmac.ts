// HMAC-SHA256 (RFC 2104) with a key that is used many times.
//
// A record has one HKDF output per field, all expanded from one key. Here the key is padded once, so
// that every further message costs two hashes and nothing else.

import { concatBytes } from '@mooring/codec'
import { sha256 } from '@mooring/crypto'

const BLOCK_BYTES = 64
const INNER = 0x36
const OUTER = 0x5c

export type KeyedHash = (...message: Uint8Array[]) => Uint8Array

export function hmacSha256(key: Uint8Array): KeyedHash {
  const block = new Uint8Array(BLOCK_BYTES)
  block.set(key.length > BLOCK_BYTES ? sha256(key) : key)
  const inner = block.map((byte) => byte ^ INNER)
  const outer = block.map((byte) => byte ^ OUTER)
  return (...message) => sha256(outer, sha256(inner, ...message))
}

/** HKDF (RFC 5869) of one secret without a salt: so many bytes for each info. */
export function hkdfOf(secret: Uint8Array): (info: Uint8Array, length: number) => Uint8Array {
  const expand = hmacSha256(hmacSha256(new Uint8Array(0))(secret))
  return (info, length) => {
    const blocks: Uint8Array[] = []
    let last: Uint8Array = new Uint8Array(0)
    for (let count = 1; blocks.length * 32 < length; count += 1) {
      last = expand(last, info, Uint8Array.of(count))
      blocks.push(last)
    }
    const [only] = blocks
    return only !== undefined && only.length === length
      ? only
      : concatBytes(...blocks).slice(0, length)
  }
}
