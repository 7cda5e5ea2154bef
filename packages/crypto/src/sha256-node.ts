// SHA-256 in Node: libsodium for the short inputs of trees and ids, where the call costs more than
// the hash, and OpenSSL, which uses the processor's instructions, for long ones.
//
// Short inputs pass through one scratch buffer: handing a fresh small array to native code first
// moves it off the JavaScript heap, which costs as much as hashing it.

import { createHash, hash } from 'node:crypto'
import sodium from 'sodium-native'

const SHORT_MAX = 256
const JOINED_MAX = 8_192
const joined = new Uint8Array(new ArrayBuffer(JOINED_MAX))
const scratch = new Uint8Array(new ArrayBuffer(SHORT_MAX))
const views = Array.from({ length: SHORT_MAX + 1 }, (_, length) => scratch.subarray(0, length))
const digest = new Uint8Array(new ArrayBuffer(32))

export function sha256(...parts: Uint8Array[]): Uint8Array {
  let length = 0
  for (const part of parts) length += part.length
  const view = views[length]
  if (view === undefined) return sha256Long(parts, length)
  let offset = 0
  for (const part of parts) {
    scratch.set(part, offset)
    offset += part.length
  }
  sodium.crypto_hash_sha256(digest, view)
  return digest.slice()
}

function sha256Long(parts: readonly Uint8Array[], length: number): Uint8Array {
  const [first] = parts
  if (first !== undefined && parts.length === 1) return oneShot(first)
  if (length > JOINED_MAX) return inParts(parts)
  let offset = 0
  for (const part of parts) {
    joined.set(part, offset)
    offset += part.length
  }
  return oneShot(joined.subarray(0, length))
}

function oneShot(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(hash('sha256', bytes, 'buffer'))
}

function inParts(parts: readonly Uint8Array[]): Uint8Array {
  const digester = createHash('sha256')
  for (const part of parts) digester.update(part)
  return new Uint8Array(digester.digest())
}

export interface IncrementalHash {
  update(bytes: Uint8Array): void
  digest(): Uint8Array
}

/** The digest of bytes that come in parts; it is taken once. */
export function createSha256(): IncrementalHash {
  const digester = createHash('sha256')
  return {
    update: (bytes) => void digester.update(bytes),
    digest: () => new Uint8Array(digester.digest()),
  }
}
