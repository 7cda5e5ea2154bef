// Deterministic CBOR (RFC 8949 section 4.2.1), the part of it the ledger speaks: unsigned
// integers up to 2^53 - 1, byte strings, text, arrays, true, false and null.
//
// The reader is written for what a node does most, which is to decode transactions:
// - a type is checked on its first byte, and a length against its limit before anything is copied;
// - an argument has its shortest form, and nothing is indefinite;
// - maps, tags, floats, negative and indefinite items do not exist here;
// - text is valid UTF-8 and keeps a leading byte order mark, so that it encodes to the same bytes;
// - the number of items is bounded over the whole input. Depth is bounded by the schema, which
//   is finite, and by `DEPTH_MAX` in `item`, which has no schema to follow.
//
// Each rule leaves one encoding per value, hence encode(decode(bytes)) = bytes. A general encoder of
// CBOR judges both halves in the tests.

import { CodecError } from './errors.ts'
import { readText } from './text-cache.ts'

export type CborValue = number | string | boolean | null | Uint8Array | CborValue[]

const MAJOR_UINT = 0
const MAJOR_BYTES = 2
const MAJOR_TEXT = 3
const MAJOR_ARRAY = 4
const MAJOR_NAMES = ['uint', 'negative', 'bytes', 'text', 'array', 'map', 'tag', 'simple'] as const

const FALSE = 0xf4
const TRUE = 0xf5
const NULL = 0xf6

const ITEMS_MAX = 500_000
const DEPTH_MAX = 32
/** What an argument of 1, 2, 4, 8 bytes is at least, or a shorter one would do. */
const LEAST = [24, 2 ** 8, 2 ** 16, 2 ** 32] as const

export class CborReader {
  readonly #bytes: Uint8Array
  readonly #isShared: boolean
  #position = 0
  #items = 0

  /** @param isShared byte strings are views of the input: for whoever keeps the input as long as them */
  constructor(bytes: Uint8Array, isShared = false) {
    // A subclass of Uint8Array may hand out views where copies are expected.
    this.#bytes =
      bytes.constructor === Uint8Array
        ? bytes
        : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#isShared = isShared
  }

  get position(): number {
    return this.#position
  }

  uint(max: number): number {
    const value = this.#argument(this.#expect(MAJOR_UINT))
    if (value > max) throw new CodecError('out_of_range', `${value} is more than ${max}`)
    return value
  }

  bytes(min: number, max: number): Uint8Array {
    const length = this.#length(MAJOR_BYTES, min, max)
    const start = this.#position
    this.#position += length
    return this.#isShared
      ? this.#bytes.subarray(start, this.#position)
      : this.#bytes.slice(start, this.#position)
  }

  text(max: number): string {
    const length = this.#length(MAJOR_TEXT, 0, max)
    const start = this.#position
    this.#position += length
    return readText(this.#bytes, start, this.#position)
  }

  /** The number of items that follow; the caller reads them. */
  array(max = ITEMS_MAX): number {
    const length = this.#argument(this.#expect(MAJOR_ARRAY))
    if (length > max) throw new CodecError('too_many', `${length} items, at most ${max}`)
    return length
  }

  bool(): boolean {
    const first = this.#first()
    if (first !== TRUE && first !== FALSE) throw wrongType('bool', first)
    this.#count()
    this.#position += 1
    return first === TRUE
  }

  /** Reads a null if one is next. */
  takeNull(): boolean {
    if (this.#first() !== NULL) return false
    this.#count()
    this.#position += 1
    return true
  }

  /** One item of any shape. */
  item(max: number, depthLeft = DEPTH_MAX): CborValue {
    if (depthLeft === 0) throw new CodecError('too_deep', `more than ${DEPTH_MAX} levels`)
    switch (this.#first() >>> 5) {
      case MAJOR_UINT:
        return this.uint(Number.MAX_SAFE_INTEGER)
      case MAJOR_BYTES:
        return this.bytes(0, max)
      case MAJOR_TEXT:
        return this.text(max)
      case MAJOR_ARRAY: {
        const items: CborValue[] = []
        for (let count = this.array(); count > 0; count -= 1)
          items.push(this.item(max, depthLeft - 1))
        return items
      }
      default:
        return this.takeNull() ? null : this.bool()
    }
  }

  /** What was read since. */
  slice(start: number): Uint8Array {
    return this.#isShared
      ? this.#bytes.subarray(start, this.#position)
      : this.#bytes.slice(start, this.#position)
  }

  end(): void {
    const left = this.#bytes.length - this.#position
    if (left > 0) throw new CodecError('trailing_bytes', `${left} bytes after the value`)
  }

  #first(): number {
    const first = this.#bytes[this.#position]
    if (first === undefined) throw new CodecError('truncated', 'the input ends before the value')
    return first
  }

  #count(): void {
    this.#items += 1
    if (this.#items > ITEMS_MAX) throw new CodecError('too_many', `more than ${ITEMS_MAX} items`)
  }

  /** The low bits of the first byte, which say how long its argument is. */
  #expect(major: number): number {
    const first = this.#first()
    if (first >>> 5 !== major) throw wrongType(MAJOR_NAMES[major] ?? '', first)
    this.#count()
    return first & 31
  }

  #argument(minor: number): number {
    if (minor < 24) {
      this.#position += 1
      return minor
    }
    const least = LEAST[minor - 24]
    if (least === undefined) {
      throw new CodecError('not_canonical', `a length of indefinite or reserved form`)
    }
    const end = this.#position + 1 + (1 << (minor - 24))
    if (end > this.#bytes.length) throw truncated()
    let argument = 0
    for (let index = this.#position + 1; index < end; index += 1)
      argument = argument * 256 + (this.#bytes[index] ?? 0)
    if (argument < least) {
      throw new CodecError('not_canonical', 'not the one form of this value')
    }
    this.#position = end
    return argument
  }

  /** Of a string, all of which is there. */
  #length(major: number, min: number, max: number): number {
    const length = this.#argument(this.#expect(major))
    if (length > max) throw new CodecError('too_large', `${length} bytes, at most ${max}`)
    if (length < min) throw new CodecError('out_of_range', `${length} bytes, expected ${min}`)
    if (this.#position + length > this.#bytes.length) throw truncated()
    return length
  }
}

/** In two steps: how long it is, then the bytes, so that nothing is copied. */
export function writeCbor(value: CborValue): Uint8Array {
  const written = new Uint8Array(sizeOf(value))
  write(value, written, 0)
  return written
}

function sizeOf(value: CborValue): number {
  if (typeof value === 'number') return headSize(value)
  if (typeof value === 'string') {
    const length = utf8Length(value)
    return headSize(length) + length
  }
  if (value instanceof Uint8Array) return headSize(value.length) + value.length
  if (!Array.isArray(value)) return 1
  let size = headSize(value.length)
  for (const item of value) size += sizeOf(item)
  return size
}

/** Returns where it ends. */
function write(value: CborValue, to: Uint8Array, at: number): number {
  if (typeof value === 'number') return writeHead(MAJOR_UINT, value, to, at)
  if (typeof value === 'string') return writeText(value, to, at)
  if (value instanceof Uint8Array) {
    const start = writeHead(MAJOR_BYTES, value.length, to, at)
    to.set(value, start)
    return start + value.length
  }
  if (Array.isArray(value)) {
    let end = writeHead(MAJOR_ARRAY, value.length, to, at)
    for (const item of value) end = write(item, to, end)
    return end
  }
  to[at] = value === null ? NULL : value ? TRUE : FALSE
  return at + 1
}

function headSize(argument: number): number {
  if (argument < 24) return 1
  if (argument < 2 ** 8) return 2
  if (argument < 2 ** 16) return 3
  return argument < 2 ** 32 ? 5 : 9
}

function writeHead(major: number, argument: number, to: Uint8Array, at: number): number {
  const size = headSize(argument)
  if (size === 1) {
    to[at] = (major << 5) | argument
    return at + 1
  }
  to[at] = (major << 5) | (24 + Math.log2(size - 1))
  let rest = argument
  for (let index = at + size - 1; index > at; index -= 1) {
    to[index] = rest % 256
    rest = Math.floor(rest / 256)
  }
  return at + size
}

const utf8 = new TextEncoder()

function writeText(value: string, to: Uint8Array, at: number): number {
  const length = utf8Length(value)
  const start = writeHead(MAJOR_TEXT, length, to, at)
  if (length > value.length) utf8.encodeInto(value, to.subarray(start))
  else for (let index = 0; index < length; index += 1) to[start + index] = value.charCodeAt(index)
  return start + length
}

export function utf8Length(value: string): number {
  let length = value.length
  for (let index = 0; index < value.length; index += 1) {
    const unit = value.charCodeAt(index)
    if (unit < 0x80) continue
    // Both halves of a surrogate pair count two: four bytes in all.
    length += unit < 0x800 || (unit & 0xf800) === 0xd800 ? 1 : 2
  }
  return length
}

function truncated(): CodecError {
  return new CodecError('truncated', 'the input ends inside the value')
}

function wrongType(expected: string, first: number): CodecError {
  return new CodecError('wrong_type', `expected ${expected}, found ${MAJOR_NAMES[first >>> 5]}`)
}
