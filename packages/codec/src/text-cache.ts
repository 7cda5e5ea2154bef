// Text out of bytes. Most of it is short and comes again and again (kinds, the ids of organisations):
// such a text is made once, and found again by its bytes. What pushes others out costs only time.

import { CodecError } from './errors.ts'

const SLOTS = 512
const SHORT_MAX = 32

const cache: (string | undefined)[] = Array.from({ length: SLOTS }, () => undefined)
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** @throws CodecError when the bytes are no UTF-8 */
export function readText(bytes: Uint8Array, start: number, end: number): string {
  if (end - start > SHORT_MAX) return decodeUtf8(bytes.subarray(start, end))
  let hash = 0
  let all = 0
  for (let index = start; index < end; index += 1) {
    const byte = bytes[index] ?? 0
    all |= byte
    hash = Math.imul(hash ^ byte, 0x0100_0193)
  }
  if (all >= 0x80) return decodeUtf8(bytes.subarray(start, end))
  const slot = (hash >>> 16) % SLOTS
  const known = cache[slot]
  if (known !== undefined && isText(known, bytes, start, end)) return known
  const text = String.fromCharCode(...bytes.subarray(start, end))
  cache[slot] = text
  return text
}

function isText(text: string, bytes: Uint8Array, start: number, end: number): boolean {
  if (text.length !== end - start) return false
  for (let index = start; index < end; index += 1)
    if (text.charCodeAt(index - start) !== bytes[index]) return false
  return true
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch (cause) {
    throw new CodecError('not_canonical', 'the text is not valid UTF-8', { cause })
  }
}
