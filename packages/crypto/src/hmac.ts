// HMAC-SHA256 (RFC 2104) with a key that is used many times, and HKDF (RFC 5869) from it.
//
// A record has one HKDF output per field, all expanded from one key. Here the key is padded once, so
// that every further message costs two hashes and nothing else.

import { concatBytes } from '@mooring/codec'
import { sha256 } from '#sha256'

const BLOCK_BYTES = 64
const OUTPUT_BYTES = 32
/** Of HKDF: it counts its blocks in one byte. */
const BLOCKS_MAX = 255
const INNER = 0x36
const OUTER = 0x5c
const NOTHING = new Uint8Array(0)

export type KeyedHash = (...message: Uint8Array[]) => Uint8Array

export type Expand = (info: Uint8Array, length: number) => Uint8Array

export function hmacSha256(key: Uint8Array): KeyedHash {
  const block = new Uint8Array(BLOCK_BYTES)
  block.set(key.length > BLOCK_BYTES ? sha256(key) : key)
  const inner = block.map((byte) => byte ^ INNER)
  const outer = block.map((byte) => byte ^ OUTER)
  return (...message) => sha256(outer, sha256(inner, ...message))
}

/** HKDF of one secret without a salt: so many bytes for each info. */
export function hkdfOf(secret: Uint8Array): Expand {
  return expander(secret, NOTHING)
}

export function hkdfSha256(
  ikm: Uint8Array,
  salt: Uint8Array,
  info: Uint8Array,
  length: number,
): Uint8Array {
  return expander(ikm, salt)(info, length)
}

function expander(secret: Uint8Array, salt: Uint8Array): Expand {
  const expand = hmacSha256(hmacSha256(salt)(secret))
  return (info, length) => {
    if (length > BLOCKS_MAX * OUTPUT_BYTES) throw new RangeError(`${length} bytes of one secret`)
    const blocks: Uint8Array[] = []
    let last: Uint8Array = NOTHING
    for (let count = 1; blocks.length * OUTPUT_BYTES < length; count += 1) {
      last = expand(last, info, Uint8Array.of(count))
      blocks.push(last)
    }
    const [only] = blocks
    return only !== undefined && only.length === length
      ? only
      : concatBytes(...blocks).slice(0, length)
  }
}
