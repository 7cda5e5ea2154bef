// Bytes as text, and the few things one does with bytes: compare, join.
//
// Hex is lower case, both ways: a digest has one spelling.

import { CodecError } from './errors.ts'

const DIGITS = '0123456789abcdef'
/** The two digits of each byte, as character codes. */
const CODES = Uint8Array.from({ length: 512 }, (_, index) => {
  const byte = index >>> 1
  return DIGITS.charCodeAt(index % 2 === 0 ? byte >>> 4 : byte & 15)
})

const NIBBLES = new Int8Array(128).fill(-1)
for (let value = 0; value < 16; value += 1) {
  NIBBLES[value.toString(16).charCodeAt(0)] = value
}

/** Eight bytes at a time: a text grown byte by byte leaves a piece of garbage for each of them. */
export function toHex(bytes: Uint8Array): string {
  let text = ''
  let index = 0
  for (; index + 8 <= bytes.length; index += 8) text += hexOfEight(bytes, index)
  for (; index < bytes.length; index += 1) {
    const at = 2 * (bytes[index] ?? 0)
    text += String.fromCharCode(codeAt(at), codeAt(at + 1))
  }
  return text
}

function hexOfEight(bytes: Uint8Array, from: number): string {
  const a = 2 * (bytes[from] ?? 0)
  const b = 2 * (bytes[from + 1] ?? 0)
  const c = 2 * (bytes[from + 2] ?? 0)
  const d = 2 * (bytes[from + 3] ?? 0)
  const e = 2 * (bytes[from + 4] ?? 0)
  const f = 2 * (bytes[from + 5] ?? 0)
  const g = 2 * (bytes[from + 6] ?? 0)
  const h = 2 * (bytes[from + 7] ?? 0)
  return String.fromCharCode(
    codeAt(a),
    codeAt(a + 1),
    codeAt(b),
    codeAt(b + 1),
    codeAt(c),
    codeAt(c + 1),
    codeAt(d),
    codeAt(d + 1),
    codeAt(e),
    codeAt(e + 1),
    codeAt(f),
    codeAt(f + 1),
    codeAt(g),
    codeAt(g + 1),
    codeAt(h),
    codeAt(h + 1),
  )
}

function codeAt(index: number): number {
  return CODES[index] ?? 0
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
