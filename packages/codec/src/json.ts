// A JSON reader (RFC 8259) for documents that are hashed: it keeps what JSON.parse loses.
//
// A number keeps its lexeme, since 1.50 and 1.5 are different statements in a clinical record, and
// every value keeps the byte offsets of its text, so that a caller can hash the bytes as they came.
// What two readers could understand differently is refused: duplicate keys, lone surrogates,
// invalid UTF-8, a byte order mark. Depth, items and size are bounded. Offsets count bytes; lines
// and columns count from 1, columns in code points.

export type JsonErrorCode =
  | 'invalid_utf8'
  | 'byte_order_mark'
  | 'syntax'
  | 'duplicate_key'
  | 'lone_surrogate'
  | 'too_deep'
  | 'too_large'
  | 'too_many'

export class JsonError extends Error {
  override readonly name = 'JsonError'
  readonly code: JsonErrorCode
  readonly detail: string
  readonly offset: number
  readonly line: number
  readonly column: number

  constructor(code: JsonErrorCode, detail: string, bytes: Uint8Array, offset: number) {
    const { line, column } = lineOf(bytes, offset)
    super(`${code} at line ${line}, column ${column}: ${detail}`)
    this.code = code
    this.detail = detail
    this.offset = offset
    this.line = line
    this.column = column
  }
}

export interface JsonLimits {
  bytesMax: number
  depthMax: number
  itemsMax: number
}

export type JsonMember = { key: string; keyStart: number; value: JsonNode }

export type JsonNode =
  | { kind: 'object'; start: number; end: number; members: JsonMember[] }
  | { kind: 'array'; start: number; end: number; items: JsonNode[] }
  | { kind: 'string'; start: number; end: number; value: string }
  | { kind: 'number'; start: number; end: number; lexeme: string }
  | { kind: 'boolean'; start: number; end: number; value: boolean }
  | { kind: 'null'; start: number; end: number }

const DEFAULT_LIMITS: JsonLimits = {
  bytesMax: 32 * 1024 * 1024,
  depthMax: 64,
  itemsMax: 1_000_000,
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
const OPEN_ARRAY = 0x5b
const CLOSE_ARRAY = 0x5d
const MINUS = 0x2d
const PLUS = 0x2b
const POINT = 0x2e
const ZERO = 0x30
const LOWER_U = 0x75

const ESCAPES = new Map(
  Object.entries({ '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }),
)

// Below this length a loop is faster than TextDecoder; below this many keys, a search than a set.
const SHORT_STRING = 24
const FEW_KEYS = 12

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const lenientUtf8 = new TextDecoder('utf-8', { ignoreBOM: true })

export function parseJson(bytes: Uint8Array, limits: Partial<JsonLimits> = {}): JsonNode {
  return new JsonReader(bytes, { ...DEFAULT_LIMITS, ...limits }).document()
}

export function memberOf(node: JsonNode, key: string): JsonNode | undefined {
  if (node.kind !== 'object') return undefined
  return node.members.find((member) => member.key === key)?.value
}

export function textMemberOf(node: JsonNode, key: string): string | undefined {
  const found = memberOf(node, key)
  return found?.kind === 'string' ? found.value : undefined
}

export function lineOf(bytes: Uint8Array, offset: number): { line: number; column: number } {
  let line = 1
  let column = 1
  for (let index = 0; index < offset && index < bytes.length; index += 1) {
    const byte = bytes[index] ?? 0
    if (byte === 0x0a) {
      line += 1
      column = 1
    } else if ((byte & 0xc0) !== 0x80) {
      column += 1
    }
  }
  return { line, column }
}

class JsonReader {
  readonly #bytes: Uint8Array
  readonly #limits: JsonLimits
  #position = 0
  #depth = 0
  #items = 0

  constructor(bytes: Uint8Array, limits: JsonLimits) {
    this.#bytes = bytes
    this.#limits = limits
  }

  document(): JsonNode {
    const { bytesMax } = this.#limits
    if (this.#bytes.length > bytesMax) {
      throw this.#error('too_large', `more than ${bytesMax} bytes`, bytesMax)
    }
    this.#checkUtf8()
    this.#skipSpace()
    const node = this.#value()
    this.#skipSpace()
    if (this.#position < this.#bytes.length) {
      throw this.#error('syntax', 'text after the document')
    }
    return node
  }

  #checkUtf8(): void {
    const bytes = this.#bytes
    try {
      strictUtf8.decode(bytes)
    } catch {
      const offset = firstInvalidUtf8(bytes)
      const isSurrogate = bytes[offset] === 0xed && ((bytes[offset + 1] ?? 0) & 0xe0) === 0xa0
      throw isSurrogate
        ? this.#error('lone_surrogate', 'half of a surrogate pair', offset)
        : this.#error('invalid_utf8', 'these bytes are not UTF-8', offset)
    }
    if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
      throw this.#error('byte_order_mark', 'the document starts with a byte order mark')
    }
  }

  #value(): JsonNode {
    this.#items += 1
    if (this.#items > this.#limits.itemsMax) {
      throw this.#error('too_many', `more than ${this.#limits.itemsMax} values`)
    }
    const start = this.#position
    const first = this.#bytes[start]
    if (first === QUOTE) {
      const value = this.#string()
      return { kind: 'string', start, end: this.#position, value }
    }
    if (first === OPEN_OBJECT || first === OPEN_ARRAY) return this.#nested(first)
    if (first === MINUS || isDigit(first)) {
      const lexeme = this.#number()
      return { kind: 'number', start, end: this.#position, lexeme }
    }
    return this.#word()
  }

  #word(): JsonNode {
    const start = this.#position
    if (this.#takeWord('true')) return { kind: 'boolean', start, end: start + 4, value: true }
    if (this.#takeWord('false')) return { kind: 'boolean', start, end: start + 5, value: false }
    if (this.#takeWord('null')) return { kind: 'null', start, end: start + 4 }
    throw this.#unexpected('a value')
  }

  #takeWord(word: string): boolean {
    for (let index = 0; index < word.length; index += 1) {
      if (this.#bytes[this.#position + index] !== word.charCodeAt(index)) return false
    }
    this.#position += word.length
    return true
  }

  #nested(first: number): JsonNode {
    this.#depth += 1
    if (this.#depth > this.#limits.depthMax) {
      throw this.#error('too_deep', `more than ${this.#limits.depthMax} levels`)
    }
    const node = first === OPEN_OBJECT ? this.#object() : this.#array()
    this.#depth -= 1
    return node
  }

  #object(): JsonNode {
    const start = this.#position
    const members: JsonMember[] = []
    const keys = new KeySet()
    this.#position += 1
    this.#skipSpace()
    if (this.#take(CLOSE_OBJECT)) return { kind: 'object', start, end: this.#position, members }
    while (true) {
      const keyStart = this.#position
      if (this.#bytes[keyStart] !== QUOTE) throw this.#unexpected('a key')
      const key = this.#string()
      if (!keys.add(key, members)) {
        throw this.#error(
          'duplicate_key',
          `the key ${JSON.stringify(key)} is there twice`,
          keyStart,
        )
      }
      this.#skipSpace()
      if (!this.#take(COLON)) throw this.#unexpected('a colon')
      this.#skipSpace()
      members.push({ key, keyStart, value: this.#value() })
      this.#skipSpace()
      if (this.#take(CLOSE_OBJECT)) return { kind: 'object', start, end: this.#position, members }
      if (!this.#take(COMMA)) throw this.#unexpected('a comma or a closing brace')
      this.#skipSpace()
    }
  }

  #array(): JsonNode {
    const start = this.#position
    const items: JsonNode[] = []
    this.#position += 1
    this.#skipSpace()
    if (this.#take(CLOSE_ARRAY)) return { kind: 'array', start, end: this.#position, items }
    while (true) {
      items.push(this.#value())
      this.#skipSpace()
      if (this.#take(CLOSE_ARRAY)) return { kind: 'array', start, end: this.#position, items }
      if (!this.#take(COMMA)) throw this.#unexpected('a comma or a closing bracket')
      this.#skipSpace()
    }
  }

  #number(): string {
    const start = this.#position
    this.#take(MINUS)
    if (!this.#take(ZERO)) this.#digits()
    if (this.#take(POINT)) this.#digits()
    if (this.#take(0x65) || this.#take(0x45)) {
      if (!this.#take(PLUS)) this.#take(MINUS)
      this.#digits()
    }
    return asciiText(this.#bytes, start, this.#position)
  }

  #digits(): void {
    if (!isDigit(this.#bytes[this.#position])) throw this.#unexpected('a digit')
    while (isDigit(this.#bytes[this.#position])) this.#position += 1
  }

  #string(): string {
    this.#position += 1
    let text = ''
    let partStart = this.#position
    let isAscii = true
    while (true) {
      const byte = this.#bytes[this.#position]
      if (byte === undefined) throw this.#unexpected('a closing quote')
      if (byte === QUOTE) {
        text += this.#textOf(partStart, isAscii)
        this.#position += 1
        return text
      }
      if (byte === BACKSLASH) {
        text += this.#textOf(partStart, isAscii) + this.#escape()
        partStart = this.#position
        isAscii = true
        continue
      }
      if (byte < 0x20) throw this.#error('syntax', 'a control character inside a string')
      if (byte >= 0x80) isAscii = false
      this.#position += 1
    }
  }

  #textOf(start: number, isAscii: boolean): string {
    const end = this.#position
    if (isAscii && end - start <= SHORT_STRING) return asciiText(this.#bytes, start, end)
    return lenientUtf8.decode(this.#bytes.subarray(start, end))
  }

  #escape(): string {
    const start = this.#position
    const letter = this.#bytes[start + 1]
    if (letter === LOWER_U) {
      const unit = this.#codeUnit()
      if ((unit & 0xf800) !== 0xd800) return String.fromCharCode(unit)
      const isPair = unit < 0xdc00 && this.#bytes[start + 6] === BACKSLASH
      const second = isPair && this.#bytes[start + 7] === LOWER_U ? this.#codeUnit() : 0
      if ((second & 0xfc00) !== 0xdc00) {
        throw this.#error('lone_surrogate', 'half of a surrogate pair', start)
      }
      return String.fromCharCode(unit, second)
    }
    const character = ESCAPES.get(String.fromCharCode(letter ?? 0))
    if (character === undefined) throw this.#error('syntax', 'an unknown escape', start)
    this.#position += 2
    return character
  }

  #codeUnit(): number {
    const start = this.#position
    let unit = 0
    for (let index = start + 2; index < start + 6; index += 1) {
      const digit = hexDigit(this.#bytes[index])
      if (digit < 0) throw this.#error('syntax', 'expected four hex digits', start)
      unit = unit * 16 + digit
    }
    this.#position = start + 6
    return unit
  }

  #skipSpace(): void {
    while (true) {
      const byte = this.#bytes[this.#position]
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return
      this.#position += 1
    }
  }

  #take(byte: number): boolean {
    if (this.#bytes[this.#position] !== byte) return false
    this.#position += 1
    return true
  }

  #unexpected(expected: string): JsonError {
    const isEnd = this.#position >= this.#bytes.length
    return this.#error(
      'syntax',
      isEnd ? `the text ends before ${expected}` : `expected ${expected}`,
    )
  }

  #error(code: JsonErrorCode, detail: string, offset = this.#position): JsonError {
    return new JsonError(code, detail, this.#bytes, offset)
  }
}

/** The keys of one object: most have few, and those are only compared. */
class KeySet {
  #set: Set<string> | undefined

  add(key: string, members: JsonMember[]): boolean {
    if (this.#set === undefined) {
      if (members.length < FEW_KEYS) return !members.some((member) => member.key === key)
      this.#set = new Set(members.map((member) => member.key))
    }
    if (this.#set.has(key)) return false
    this.#set.add(key)
    return true
  }
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= 0x39
}

function hexDigit(byte: number | undefined): number {
  if (byte === undefined) return -1
  if (byte >= ZERO && byte <= 0x39) return byte - ZERO
  const lower = byte | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}

function asciiText(bytes: Uint8Array, start: number, end: number): string {
  let text = ''
  for (let index = start; index < end; index += 1) text += String.fromCharCode(bytes[index] ?? 0)
  return text
}

/** Where a replacement character stands that is not in the input. */
function firstInvalidUtf8(bytes: Uint8Array): number {
  const encoder = new TextEncoder()
  const text = lenientUtf8.decode(bytes)
  let offset = 0
  let from = 0
  while (true) {
    const found = text.indexOf('\ufffd', from)
    if (found < 0) return bytes.length
    offset += encoder.encode(text.slice(from, found)).length
    const isGenuine =
      bytes[offset] === 0xef && bytes[offset + 1] === 0xbf && bytes[offset + 2] === 0xbd
    if (!isGenuine) return offset
    offset += 3
    from = found + 1
  }
}
