// Bytes as text, and the few things one does with bytes: compare, join.
//
// Hex is lower case, both ways: a digest has one spelling.

import { CodecError } from './errors.ts'

const BYTE_TO_HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

const NIBBLES = new Int8Array(128).fill(-1)
for (let value = 0; value < 16; value += 1) {
  NIBBLES[value.toString(16).charCodeAt(0)] = value
}

export function toHex(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += BYTE_TO_HEX[byte]
  return text
}

export function fromHex(text: string): Uint8Array {
  if (text.length % 2 !== 0) throw new CodecError('truncated', 'hex has an odd number of digits')
  const bytes = new Uint8Array(text.length / 2)
  for (let index = 0; index < bytes.length; index += 1) {
    const high = nibbleAt(text, 2 * index)
    const low = nibbleAt(text, 2 * index + 1)
    bytes[index] = high * 16 + low
  }
  return bytes
}

function nibbleAt(text: string, index: number): number {
  const nibble = NIBBLES[text.charCodeAt(index)] ?? -1
  if (nibble < 0) {
    throw new CodecError('not_canonical', `no lower-case hex digit at position ${index}`)
  }
  return nibble
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let index = 0; index < a.length; index += 1) {
    if (a[index] !== b[index]) return false
  }
  return true
}

/** Order of unsigned bytes from the left; a prefix comes first. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shorter = Math.min(a.length, b.length)
  for (let index = 0; index < shorter; index += 1) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

export function concatBytes(...parts: Uint8Array[]): Uint8Array {
  let length = 0
  for (const part of parts) length += part.length
  const joined = new Uint8Array(length)
  let offset = 0
  for (const part of parts) {
    joined.set(part, offset)
    offset += part.length
  }
  return joined
}
