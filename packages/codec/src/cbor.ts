// Deterministic CBOR (RFC 8949 section 4.2.1), the part of it the ledger speaks: unsigned
// integers up to 2^53 - 1, byte strings, text, arrays, true, false and null.
//
// cborg reads and writes the bytes; in strict mode it refuses anything longer than the
// shortest form. Around it stand the rules it does not have:
// - a type is checked on its first byte, and a length against its limit before cborg copies it;
// - maps, tags, floats, negative and indefinite items do not exist here;
// - text is valid UTF-8 and keeps a leading byte order mark, so that it encodes to the same bytes;
// - the number of items is bounded over the whole input. Depth is bounded by the schema, which
//   is finite, and by `DEPTH_MAX` in `item`, which has no schema to follow.
//
// Each rule leaves one encoding per value, hence encode(decode(bytes)) = bytes.

import { encode as encodeCborg, rfc8949EncodeOptions, Tokenizer } from 'cborg'
import { CodecError } from './errors.ts'

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

const STRICT = { strict: true, allowIndefinite: false, allowUndefined: false, allowBigInt: true }
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export class CborReader {
  readonly #bytes: Uint8Array
  readonly #tokens: Tokenizer
  #items = 0

  constructor(bytes: Uint8Array) {
    // A subclass of Uint8Array may hand out views where cborg expects copies.
    this.#bytes =
      bytes.constructor === Uint8Array
        ? bytes
        : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#tokens = new Tokenizer(this.#bytes, STRICT)
  }

  get position(): number {
    return this.#tokens.pos()
  }

  uint(max: number): number {
    this.#expect(MAJOR_UINT)
    const value: unknown = this.#next()
    if (typeof value !== 'number' || value > max) {
      throw new CodecError('out_of_range', `${String(value)} is more than ${max}`)
    }
    return value
  }

  bytes(min: number, max: number): Uint8Array {
    this.#expect(MAJOR_BYTES)
    this.#checkLength(min, max)
    const value = this.#next()
    assertType(value instanceof Uint8Array)
    return value
  }

  text(max: number): string {
    this.#expect(MAJOR_TEXT)
    const length = this.#checkLength(0, max)
    const value = this.#next()
    assertType(typeof value === 'string')
    const end = this.position
    for (let index = end - length; index < end; index += 1) {
      if ((this.#bytes[index] ?? 0) >= 0x80)
        return decodeUtf8(this.#bytes.subarray(end - length, end))
    }
    return value
  }

  /** The number of items that follow; the caller reads them. */
  array(max = ITEMS_MAX): number {
    this.#expect(MAJOR_ARRAY)
    const length = argumentAt(this.#bytes, this.position)
    if (length > max) throw new CodecError('too_many', `${length} items, at most ${max}`)
    const count = this.#next()
    assertType(typeof count === 'number')
    return count
  }

  bool(): boolean {
    const first = this.#first()
    if (first !== TRUE && first !== FALSE) throw wrongType('bool', first)
    this.#next()
    return first === TRUE
  }

  /** Reads a null if one is next. */
  takeNull(): boolean {
    if (this.#first() !== NULL) return false
    this.#next()
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

  slice(start: number): Uint8Array {
    return this.#bytes.slice(start, this.position)
  }

  end(): void {
    const left = this.#bytes.length - this.position
    if (left > 0) throw new CodecError('trailing_bytes', `${left} bytes after the value`)
  }

  #first(): number {
    const first = this.#bytes[this.position]
    if (first === undefined) throw new CodecError('truncated', 'the input ends before the value')
    return first
  }

  #expect(major: number): void {
    const first = this.#first()
    if (first >>> 5 !== major) throw wrongType(MAJOR_NAMES[major] ?? '', first)
    if ((first & 31) > 27) {
      throw new CodecError('not_canonical', `a length of indefinite or reserved form`)
    }
  }

  #checkLength(min: number, max: number): number {
    const length = argumentAt(this.#bytes, this.position)
    if (length > max) throw tooLarge(length, max)
    if (length < min) throw new CodecError('out_of_range', `${length} bytes, expected ${min}`)
    return length
  }

  #next(): unknown {
    this.#items += 1
    if (this.#items > ITEMS_MAX) throw new CodecError('too_many', `more than ${ITEMS_MAX} items`)
    try {
      return this.#tokens.next().value
    } catch (cause) {
      const isShort = endsBefore(this.#bytes, this.position)
      throw isShort
        ? new CodecError('truncated', 'the input ends inside the value', { cause })
        : new CodecError('not_canonical', 'not the one form of this value', { cause })
    }
  }
}

export function writeCbor(value: CborValue): Uint8Array {
  return new Uint8Array(encodeCborg(value, rfc8949EncodeOptions))
}

/** The number after the first byte, unchecked: cborg judges its form. Short input reads as zeros. */
function argumentAt(bytes: Uint8Array, position: number): number {
  const minor = (bytes[position] ?? 0) & 31
  if (minor < 24) return minor
  let argument = 0
  for (let index = 1; index <= 1 << (minor - 24); index += 1) {
    argument = argument * 256 + (bytes[position + index] ?? 0)
  }
  return argument
}

function endsBefore(bytes: Uint8Array, position: number): boolean {
  const first = bytes[position] ?? 0
  const minor = first & 31
  const head = minor < 24 ? 1 : 1 + (1 << (minor - 24))
  const major = first >>> 5
  const body = major === MAJOR_BYTES || major === MAJOR_TEXT ? argumentAt(bytes, position) : 0
  return position + head + body > bytes.length
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch (cause) {
    throw new CodecError('not_canonical', 'the text is not valid UTF-8', { cause })
  }
}

/** A token of a checked type holds a value of that type, unless cborg is broken. */
function assertType(isRight: boolean): asserts isRight {
  if (!isRight) throw new Error('cborg returned a value of another type than its first byte says')
}

function wrongType(expected: string, first: number): CodecError {
  return new CodecError('wrong_type', `expected ${expected}, found ${MAJOR_NAMES[first >>> 5]}`)
}

function tooLarge(length: number, max: number): CodecError {
  return new CodecError('too_large', `${length} bytes, at most ${max}`)
}
