// Typed shapes of encoded values, with their limits.
//
// A schema reads a value from CBOR and turns a value into CBOR; what it lets through, in either
// direction, is a valid value of its type. Structures are arrays in field order, so a field name is
// never on the wire, and those that may change one day carry their version first.

import { type CborValue, CborReader, utf8Length, writeCbor } from './cbor.ts'
import { CodecError, type CodecErrorCode } from './errors.ts'

export interface Schema<T> {
  read(reader: CborReader): T
  write(value: T): CborValue
}

export type Infer<S> = S extends Schema<infer T> ? T : never

type Fields = Record<string, Schema<unknown>>
type StructOf<F extends Fields> = { [K in keyof F]: Infer<F[K]> }
type TupleOf<S extends readonly Schema<unknown>[]> = { [K in keyof S]: Infer<S[K]> }
type VariantOf<F extends Fields> = {
  [K in keyof F & string]: { kind: K; body: Infer<F[K]> }
}[keyof F & string]

const BYTES_MAX = 8 * 1024 * 1024

export function encode<T>(schema: Schema<T>, value: T): Uint8Array {
  return writeCbor(schema.write(value))
}

/** The value of canonical bytes, or a CodecError; encoding it again gives the same bytes. */
export function decode<T>(schema: Schema<T>, encoded: Uint8Array, maxBytes = BYTES_MAX): T {
  return read(schema, new CborReader(checkedSize(encoded, maxBytes)))
}

/**
 * The same without copies: the byte strings of the value are views of the input, which stays in memory as
 * long as one of them. Nobody may write into either.
 */
export function decodeShared<T>(schema: Schema<T>, encoded: Uint8Array, maxBytes = BYTES_MAX): T {
  return read(schema, new CborReader(checkedSize(encoded, maxBytes), true))
}

function checkedSize(encoded: Uint8Array, maxBytes: number): Uint8Array {
  if (encoded.length > maxBytes) throw tooLarge(encoded.length, maxBytes)
  return encoded
}

function read<T>(schema: Schema<T>, reader: CborReader): T {
  const value = schema.read(reader)
  reader.end()
  return value
}

export function bytes(length: number): Schema<Uint8Array> {
  return byteString(length, length)
}

export function bytesMax(max: number): Schema<Uint8Array> {
  return byteString(0, max)
}

function byteString(min: number, max: number): Schema<Uint8Array> {
  return {
    read: (reader) => reader.bytes(min, max),
    write(value) {
      if (!(value instanceof Uint8Array)) throw notA('byte string', value)
      if (value.length > max) throw tooLarge(value.length, max)
      if (value.length < min) {
        throw new CodecError('out_of_range', `${value.length} bytes, expected ${min}`)
      }
      return value
    },
  }
}

export function uint(max: number = Number.MAX_SAFE_INTEGER): Schema<number> {
  return {
    read: (reader) => reader.uint(max),
    write(value) {
      if (typeof value !== 'number') throw notA('number', value)
      if (!Number.isSafeInteger(value) || value < 0 || value > max || Object.is(value, -0)) {
        throw new CodecError('out_of_range', `${value} is no integer from 0 to ${max}`)
      }
      return value
    },
  }
}

export function text(maxBytes: number): Schema<string> {
  return {
    read: (reader) => reader.text(maxBytes),
    write(value) {
      if (typeof value !== 'string') throw notA('text', value)
      if (!value.isWellFormed()) {
        throw new CodecError('not_canonical', 'the text has a lone surrogate')
      }
      const length = utf8Length(value)
      if (length > maxBytes) throw tooLarge(length, maxBytes)
      return value
    },
  }
}

export function bool(): Schema<boolean> {
  return {
    read: (reader) => reader.bool(),
    write(value) {
      if (typeof value !== 'boolean') throw notA('boolean', value)
      return value
    },
  }
}

/** One of a few fixed words. */
export function oneOf<const T extends string>(...words: readonly T[]): Schema<T> {
  const longest = Math.max(...words.map((word) => utf8Length(word)))
  const known = (word: string): T => {
    const found = words.find((each) => each === word)
    if (found === undefined) throw unknownVariant(word)
    return found
  }
  return { read: (reader) => known(reader.text(longest)), write: (value) => known(value) }
}

export function nullable<T>(schema: Schema<T>): Schema<T | null> {
  return {
    read: (reader) => (reader.takeNull() ? null : schema.read(reader)),
    write: (value) => (value === null ? null : schema.write(value)),
  }
}

/** A schema whose values also obey a rule of their own. */
export function refine<T>(
  schema: Schema<T>,
  isValid: (value: T) => boolean,
  rule: string,
  code: CodecErrorCode = 'out_of_range',
): Schema<T> {
  const checked = (value: T): T => {
    if (!isValid(value)) throw new CodecError(code, rule)
    return value
  }
  return {
    read: (reader) => checked(schema.read(reader)),
    write: (value) => schema.write(checked(value)),
  }
}

/** A value as the byte string of its own encoding: what it has inside is counted apart from what is around it. */
export function enclosed<T>(schema: Schema<T>, maxBytes: number): Schema<T> {
  const content = bytesMax(maxBytes)
  return {
    read: (reader) => decode(schema, content.read(reader), maxBytes),
    write: (value) => content.write(encode(schema, value)),
  }
}

/** One encoded item, kept as its bytes: for what is decoded later, or hashed as it came. */
export function raw(maxBytes: number): Schema<Uint8Array> {
  return {
    read(reader) {
      const start = reader.position
      reader.item(maxBytes)
      const length = reader.position - start
      if (length > maxBytes) throw tooLarge(length, maxBytes)
      return reader.slice(start)
    },
    write(value) {
      if (!(value instanceof Uint8Array)) throw notA('byte string', value)
      if (value.length > maxBytes) throw tooLarge(value.length, maxBytes)
      const reader = new CborReader(value)
      const item = reader.item(maxBytes)
      reader.end()
      return item
    },
  }
}

export function list<T>(schema: Schema<T>, maxItems: number): Schema<T[]> {
  return {
    read(reader) {
      const count = reader.array(maxItems)
      const items: T[] = []
      try {
        while (items.length < count) items.push(schema.read(reader))
      } catch (error) {
        throw within(error, `[${items.length}]`)
      }
      return items
    },
    write(values) {
      if (!Array.isArray(values)) throw notA('list', values)
      if (values.length > maxItems) {
        throw new CodecError('too_many', `${values.length} items, at most ${maxItems}`)
      }
      const items: CborValue[] = []
      try {
        for (const value of values) items.push(schema.write(value))
      } catch (error) {
        throw within(error, `[${items.length}]`)
      }
      return items
    },
  }
}

export function tuple<const S extends readonly Schema<unknown>[]>(
  ...schemas: S
): Schema<TupleOf<S>> {
  return {
    read(reader) {
      expectCount(reader, schemas.length)
      const items: unknown[] = []
      try {
        for (const schema of schemas) items.push(schema.read(reader))
      } catch (error) {
        throw within(error, `[${items.length}]`)
      }
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- one item a schema, in order
      return items as TupleOf<S>
    },
    write(values) {
      if (!Array.isArray(values) || values.length !== schemas.length) throw notA('tuple', values)
      const items: CborValue[] = []
      try {
        for (const schema of schemas) items.push(schema.write(values[items.length]))
      } catch (error) {
        throw within(error, `[${items.length}]`)
      }
      return items
    },
  }
}

export function struct<F extends Fields>(fields: F): Schema<StructOf<F>> {
  const entries = Object.entries(fields)
  return {
    read(reader) {
      expectCount(reader, entries.length)
      return readFields(reader, entries)
    },
    write: (value) => writeFields([], entries, value),
  }
}

/** A struct whose first element is the version of its format. */
export function versioned<F extends Fields>(version: number, fields: F): Schema<StructOf<F>> {
  const entries = Object.entries(fields)
  return {
    read(reader) {
      const count = reader.array()
      if (count === 0) throw new CodecError('wrong_type', 'an array without a version')
      const found = reader.uint(Number.MAX_SAFE_INTEGER)
      if (found !== version) {
        throw new CodecError('unknown_version', `version ${found}, expected ${version}`)
      }
      if (count !== entries.length + 1) throw wrongCount(count, entries.length + 1)
      return readFields(reader, entries)
    },
    write: (value) => writeFields([version], entries, value),
  }
}

/** One of several shapes, told apart by a text tag: `[tag, body]`. */
export function variant<F extends Fields>(shapes: F): Schema<VariantOf<F>> {
  const kinds = new Map(Object.entries(shapes))
  const longest = Math.max(...[...kinds.keys()].map((kind) => utf8Length(kind)))
  const shapeOf = (kind: string): Schema<unknown> => {
    const shape = kinds.get(kind)
    if (shape === undefined) throw unknownVariant(kind)
    return shape
  }
  return {
    read(reader) {
      expectCount(reader, 2)
      const kind = reader.text(longest)
      const shape = shapeOf(kind)
      try {
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the body is of its kind
        return { kind, body: shape.read(reader) } as VariantOf<F>
      } catch (error) {
        throw within(error, kind)
      }
    },
    write(value) {
      if (typeof value !== 'object' || value === null) throw notA('variant', value)
      const { kind, body } = value
      const shape = shapeOf(kind)
      try {
        return [kind, shape.write(body)]
      } catch (error) {
        throw within(error, kind)
      }
    },
  }
}

type Entries = [name: string, schema: Schema<unknown>][]

function readFields<F extends Fields>(reader: CborReader, entries: Entries): StructOf<F> {
  const value: Record<string, unknown> = {}
  let current = ''
  try {
    for (const [name, schema] of entries) {
      current = name
      value[name] = schema.read(reader)
    }
  } catch (error) {
    throw within(error, current)
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every field of F was read
  return value as StructOf<F>
}

function writeFields(
  items: CborValue[],
  entries: Entries,
  fields: Record<string, unknown>,
): CborValue[] {
  if (typeof fields !== 'object' || fields === null) throw notA('structure', fields)
  let current = ''
  try {
    for (const [name, schema] of entries) {
      current = name
      items.push(schema.write(fields[name]))
    }
  } catch (error) {
    throw within(error, current)
  }
  return items
}

function expectCount(reader: CborReader, expected: number): void {
  const count = reader.array()
  if (count !== expected) throw wrongCount(count, expected)
}

function within(error: unknown, segment: string): unknown {
  return error instanceof CodecError ? error.within(segment) : error
}

function notA(shape: string, value: unknown): CodecError {
  return new CodecError('wrong_type', `expected a ${shape}, got ${typeof value}`)
}

function wrongCount(count: number, expected: number): CodecError {
  return new CodecError('wrong_type', `an array of ${count}, expected ${expected}`)
}

function unknownVariant(word: string): CodecError {
  return new CodecError('unknown_variant', `no variant ${JSON.stringify(word)}`)
}

function tooLarge(length: number, max: number): CodecError {
  return new CodecError('too_large', `${length} bytes, at most ${max}`)
}
