// SHA-256 in Node, which is OpenSSL's with the processor's instructions.
//
// The call costs as much as hashing a short input, and most of the call is what goes in and comes out. A small
// array of its own that goes into native code is first moved off the JavaScript heap: inputs pass through one
// scratch buffer. A digest that comes out as a Buffer has memory of its own there, which is made and later
// collected: it comes as a string, a character for each byte.

import { createHash, hash } from 'node:crypto'

const DIGEST_BYTES = 32
const JOINED_MAX = 8_192
const joined = new Uint8Array(new ArrayBuffer(JOINED_MAX))
const SHORT_MAX = 1_280
const views = Array.from({ length: SHORT_MAX + 1 }, (_, length) => joined.subarray(0, length))

export function sha256(...parts: Uint8Array[]): Uint8Array {
  let length = 0
  for (const part of parts) length += part.length
  if (length > JOINED_MAX) return sha256Long(parts)
  let offset = 0
  for (const part of parts) {
    joined.set(part, offset)
    offset += part.length
  }
  return oneShot(views[length] ?? joined.subarray(0, length))
}

function sha256Long(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts
  return first !== undefined && parts.length === 1 ? oneShot(first) : inParts(parts)
}

function oneShot(bytes: Uint8Array): Uint8Array {
  const characters = hash('sha256', bytes, 'binary')
  const digest = new Uint8Array(DIGEST_BYTES)
  for (let at = 0; at < DIGEST_BYTES; at += 1) digest[at] = characters.charCodeAt(at)
  return digest
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
