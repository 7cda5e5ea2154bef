import assert from 'node:assert/strict'
import { decode as decodeCborg, encode as encodeCborg, rfc8949EncodeOptions } from 'cborg'
import * as fc from 'fast-check'
import { test } from 'uvu'
import {
  bool,
  bytes,
  bytesMax,
  CodecError,
  type CodecErrorCode,
  decode,
  enclosed,
  encode,
  fromHex,
  type Infer,
  list,
  nullable,
  oneOf,
  raw,
  refine,
  type Schema,
  struct,
  text,
  toHex,
  tuple,
  uint,
  variant,
  versioned,
} from '../src/index.ts'

const everything = versioned(1, {
  name: text(40),
  count: uint(),
  small: uint(1000),
  flag: bool(),
  digest: bytes(32),
  blob: bytesMax(300),
  parent: nullable(bytes(32)),
  word: oneOf('authority', 'observer'),
  pairs: list(tuple(text(12), uint(70_000)), 5),
  shape: variant({ circle: struct({ radius: uint() }), point: nullable(bool()) }),
})

type Everything = Infer<typeof everything>

const digests = fc.uint8Array({ minLength: 32, maxLength: 32 })
const shortText = fc.string({ unit: 'grapheme', maxLength: 6 }).filter(isShort)

const values: fc.Arbitrary<Everything> = fc
  .record({
    name: shortText,
    count: fc.maxSafeNat(),
    small: fc.nat(1000),
    flag: fc.boolean(),
    digest: digests,
    blob: fc.uint8Array({ maxLength: 300 }),
    parent: fc.option(digests, { nil: null }),
    word: fc.constantFrom('authority', 'observer'),
    pairs: fc.array(fc.tuple(fc.string({ maxLength: 4 }).filter(isShort), fc.nat(70_000)), {
      maxLength: 5,
    }),
    shape: fc.oneof(
      fc.record({
        kind: fc.constant('circle' as const),
        body: fc.record({ radius: fc.maxSafeNat() }),
      }),
      fc.record({
        kind: fc.constant('point' as const),
        body: fc.option(fc.boolean(), { nil: null }),
      }),
    ),
  })
  // Without the null prototypes of fast-check.
  .map((value) => structuredClone(value))

function isShort(value: string): boolean {
  return value.isWellFormed() && new TextEncoder().encode(value).length <= 12
}

function codeOf(action: () => unknown): CodecErrorCode | undefined {
  try {
    action()
    return undefined
  } catch (error) {
    if (error instanceof CodecError) return error.code
    throw error
  }
}

/** Decoding either fails with a CodecError or gives a value that encodes to the same bytes. */
function checkTotal(schema: Schema<unknown>, input: Uint8Array): boolean {
  let value: unknown
  try {
    value = decode(schema, input)
  } catch (error) {
    assert.ok(error instanceof CodecError, `${toHex(input)}: ${String(error)}`)
    return false
  }
  assert.equal(toHex(encode(schema, value)), toHex(input))
  return true
}

test('what is encoded decodes to the same value and the same bytes', () => {
  fc.assert(
    fc.property(values, (value) => {
      const encoded = encode(everything, value)
      const decoded = decode(everything, encoded)
      assert.deepEqual(decoded, value)
      assert.deepEqual(encode(everything, decoded), encoded)
    }),
  )
})

test('the bytes are those of an independent deterministic encoder', () => {
  fc.assert(
    fc.property(values, (value) => {
      const encoded = encode(everything, value)
      const strict = { strict: true, allowIndefinite: false }
      const tree: unknown = decodeCborg(encoded, strict)
      assert.equal(toHex(encodeCborg(tree, rfc8949EncodeOptions)), toHex(encoded))
    }),
    { numRuns: 200 },
  )
})

test('mutated bytes are refused, or are the one encoding of another value', () => {
  const mutation = fc.record({
    at: fc.nat(),
    kind: fc.constantFrom('flip', 'set', 'insert', 'remove', 'repeat', 'cut'),
    byte: fc.nat(255),
  })
  let accepted = 0
  fc.assert(
    fc.property(values, fc.array(mutation, { minLength: 1, maxLength: 3 }), (value, mutations) => {
      let input = [...encode(everything, value)]
      for (const { at, kind, byte } of mutations) {
        const index = at % Math.max(1, input.length)
        if (kind === 'flip') input[index] = (input[index] ?? 0) ^ (1 << (byte & 7))
        if (kind === 'set') input[index] = byte
        if (kind === 'insert') input.splice(index, 0, byte)
        if (kind === 'remove') input.splice(index, 1)
        if (kind === 'repeat') input.splice(index, 0, ...input.slice(index, index + (byte & 31)))
        if (kind === 'cut') input = input.slice(0, index)
      }
      if (checkTotal(everything, Uint8Array.from(input))) accepted += 1
    }),
    { numRuns: 5000 },
  )
  assert.ok(accepted > 0, 'some mutations hit only the content')
})

test('random bytes never break a decoder', () => {
  const anything = raw(100_000)
  const initial = fc.constantFrom(0x80, 0x81, 0x82, 0x98, 0x18, 0x43, 0x58, 0x63, 0x78, 0xf4, 0xf6)
  const byte = fc.oneof(initial, fc.nat(255), fc.nat(23))
  fc.assert(
    fc.property(fc.array(byte, { maxLength: 80 }), (input) => {
      checkTotal(everything, Uint8Array.from(input))
      checkTotal(anything, Uint8Array.from(input))
    }),
    { numRuns: 20_000 },
  )
})

test('what is enclosed has items of its own to count, a limit, and one encoding', () => {
  const numbers = list(uint(), 300_000)
  const apart = tuple(enclosed(numbers, 400_000), enclosed(numbers, 400_000))
  const many = Array.from({ length: 300_000 }, () => 1)
  const encoded = encode(apart, [many, many])
  assert.deepEqual(decode(apart, encoded), [many, many])
  assert.throws(() =>
    decode(tuple(numbers, numbers), encode(tuple(numbers, numbers), [many, many])),
  )
  const small = enclosed(list(uint(), 3), 4)
  assert.equal(toHex(encode(small, [1, 2])), '43820102')
  const read = (hex: string) => codeOf(() => decode(small, fromHex(hex)))
  assert.equal(read('43820102'), undefined)
  assert.equal(read('4483010218'), 'truncated')
  assert.equal(read('4582010200'), 'too_large')
  assert.equal(read('4482010200'), 'trailing_bytes')
  assert.equal(read('820102'), 'wrong_type')
})

test('raw accepts exactly the canonical items that an independent decoder knows', () => {
  const item = fc.letrec<{ item: unknown }>((tie) => ({
    item: fc.oneof(
      { depthSize: 'small' },
      fc.maxSafeNat(),
      fc.nat(300),
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.uint8Array({ maxLength: 40 }),
      fc.constantFrom(null, true, false),
      fc.constantFrom(-1, 1.5, undefined, new Map([['a', 1]]), Number.MAX_SAFE_INTEGER + 1),
      fc.array(tie('item'), { maxLength: 4 }),
    ),
  })).item
  const isPlain = (value: unknown): boolean => {
    if (Array.isArray(value)) return value.every(isPlain)
    if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0
    return value !== undefined && !(value instanceof Map)
  }
  fc.assert(
    fc.property(item, (value) => {
      const encoded = encodeCborg(value, rfc8949EncodeOptions)
      assert.equal(checkTotal(raw(10_000), encoded), isPlain(value))
    }),
    { numRuns: 1000 },
  )
})

const HOSTILE: [name: string, schema: Schema<unknown>, hex: string, code: CodecErrorCode][] = [
  ['nothing', uint(), '', 'truncated'],
  ['an integer without its byte', uint(), '18', 'truncated'],
  ['an integer of half its bytes', uint(), '1b00000100', 'truncated'],
  ['23 in two bytes', uint(), '1817', 'not_canonical'],
  ['255 in three bytes', uint(), '1900ff', 'not_canonical'],
  ['65535 in five bytes', uint(), '1a0000ffff', 'not_canonical'],
  ['2^32 - 1 in nine bytes', uint(), '1b00000000ffffffff', 'not_canonical'],
  ['2^53', uint(), '1b0020000000000000', 'out_of_range'],
  ['2^64 - 1', uint(), '1bffffffffffffffff', 'out_of_range'],
  ['one more than the limit', uint(99), '1864', 'out_of_range'],
  ['a negative integer', uint(), '20', 'wrong_type'],
  ['a half float', uint(), 'f93c00', 'wrong_type'],
  ['a double', uint(), 'fb3ff8000000000000', 'wrong_type'],
  ['an integer in a tag', uint(), 'c100', 'wrong_type'],
  ['a bignum', uint(), 'c24101', 'wrong_type'],
  ['undefined', nullable(uint()), 'f7', 'wrong_type'],
  ['a break', uint(), 'ff', 'wrong_type'],
  ['a simple value', bool(), 'f0', 'wrong_type'],
  ['true in two bytes', bool(), 'f815', 'wrong_type'],
  ['a reserved length', bytesMax(9), '5c', 'not_canonical'],
  ['bytes of indefinite length', bytesMax(9), '5f4100ff', 'not_canonical'],
  ['text of indefinite length', text(9), '7f6100ff', 'not_canonical'],
  ['a list of indefinite length', list(uint(), 9), '9f00ff', 'not_canonical'],
  ['bytes with a long length', bytesMax(9), '580100', 'not_canonical'],
  ['a list with a long length', list(uint(), 9), '980100', 'not_canonical'],
  ['bytes cut short', bytesMax(9), '420a', 'truncated'],
  ['too few bytes', bytes(3), '420a0b', 'out_of_range'],
  ['too many bytes', bytes(1), '420a0b', 'too_large'],
  ['a length of 4 GiB', bytesMax(2 ** 33), '5affffffff', 'truncated'],
  ['a length of 4 GiB over the limit', bytesMax(9), '5affffffff', 'too_large'],
  ['a length of 2^63', text(9), '7b8000000000000000', 'too_large'],
  ['a list of 2^32 items', list(uint(), 9), '9affffffff', 'too_many'],
  ['a list of 2^63 items', list(uint(), 9), '9b8000000000000000', 'too_many'],
  ['a list that ends early', list(uint(), 9), '8300', 'truncated'],
  ['a list with a surplus item', list(uint(), 2), '83000000', 'too_many'],
  ['text that is not UTF-8', text(9), '61ff', 'not_canonical'],
  ['an overlong slash in text', text(9), '62c0af', 'not_canonical'],
  ['half a surrogate pair in text', text(9), '63eda080', 'not_canonical'],
  ['bytes for text', text(9), '4161', 'wrong_type'],
  ['text for bytes', bytesMax(9), '6161', 'wrong_type'],
  ['a map', raw(9), 'a10102', 'wrong_type'],
  ['a map with a key twice', raw(9), 'a201020103', 'wrong_type'],
  ['a map for a structure', struct({ a: uint() }), 'a1616101', 'wrong_type'],
  ['a byte after the value', uint(), '0000', 'trailing_bytes'],
  ['a structure with a field less', struct({ a: uint(), b: uint() }), '8100', 'wrong_type'],
  ['a structure with a field more', struct({ a: uint() }), '820000', 'wrong_type'],
  ['another version', versioned(1, { a: uint() }), '820200', 'unknown_version'],
  ['an earlier version', versioned(1, { a: uint() }), '820000', 'unknown_version'],
  ['another version of another length', versioned(1, { a: uint() }), '8102', 'unknown_version'],
  ['no version', versioned(1, { a: uint() }), '80', 'wrong_type'],
  ['a text as version', versioned(1, { a: uint() }), '82613100', 'wrong_type'],
  ['an unknown variant', variant({ a: uint() }), '82616200', 'unknown_variant'],
  ['an unknown word', oneOf('one', 'two'), '63746f6f', 'unknown_variant'],
]

test('hostile bytes are refused, each with its code', () => {
  for (const [name, schema, hex, code] of HOSTILE) {
    assert.equal(
      codeOf(() => decode(schema, fromHex(hex))),
      code,
      name,
    )
  }
})

test('a bomb of nested arrays is refused at once', () => {
  const bomb = new Uint8Array(4 * 1024 * 1024).fill(0x81)
  assert.equal(
    codeOf(() => decode(raw(bomb.length), bomb)),
    'too_deep',
  )
  assert.equal(
    codeOf(() => decode(list(list(uint(), 9), 9), bomb)),
    'wrong_type',
  )
  assert.equal(
    codeOf(() => encode(raw(bomb.length), bomb)),
    'too_deep',
  )
})

function nested(levels: number): Uint8Array {
  return new Uint8Array(levels).fill(0x81).with(levels - 1, 0)
}

test('an item without a schema has at most 32 levels', () => {
  assert.equal(decode(raw(99), nested(32)).length, 32)
  assert.equal(
    codeOf(() => decode(raw(99), nested(33))),
    'too_deep',
  )
})

test('a flood of tiny items is refused by their number', () => {
  const count = 600_000
  const flood = new Uint8Array(5 + count)
  flood.set(fromHex('9a000927c0'))
  assert.equal(
    codeOf(() => decode(list(uint(), count), flood)),
    'too_many',
  )
})

test('input over the limit is refused before it is read', () => {
  const junk = new Uint8Array(1000).fill(0xff)
  assert.equal(
    codeOf(() => decode(uint(), junk, 999)),
    'too_large',
  )
  assert.equal(
    codeOf(() => decode(uint(), junk, 1000)),
    'wrong_type',
  )
  assert.equal(
    codeOf(() => decode(uint(), new Uint8Array(8 * 1024 * 1024 + 1))),
    'too_large',
  )
})

test('a value that breaks a limit does not encode', () => {
  const cases: [schema: Schema<unknown>, value: unknown, code: CodecErrorCode][] = [
    [uint(), -1, 'out_of_range'],
    [uint(), -0, 'out_of_range'],
    [uint(), 1.5, 'out_of_range'],
    [uint(), Number.NaN, 'out_of_range'],
    [uint(), 2 ** 53, 'out_of_range'],
    [uint(9), 10, 'out_of_range'],
    [uint(), 1n, 'wrong_type'],
    [uint(), '1', 'wrong_type'],
    [bytes(2), new Uint8Array(1), 'out_of_range'],
    [bytes(2), new Uint8Array(3), 'too_large'],
    [bytes(2), [1, 2], 'wrong_type'],
    [bytesMax(2), new Uint8Array(3), 'too_large'],
    [text(3), 'four', 'too_large'],
    [text(3), 'öö', 'too_large'],
    [text(3), '\u{1f600}', 'too_large'],
    [text(9), '\ud800', 'not_canonical'],
    [text(9), null, 'wrong_type'],
    [bool(), 0, 'wrong_type'],
    [list(uint(), 2), [1, 2, 3], 'too_many'],
    [list(uint(), 2), 'ab', 'wrong_type'],
    [list(uint(), 2), [undefined], 'wrong_type'],
    [struct({ a: uint() }), {}, 'wrong_type'],
    [struct({ a: uint() }), null, 'wrong_type'],
    [tuple(uint(), uint()), [1], 'wrong_type'],
    [oneOf('one', 'two'), 'three', 'unknown_variant'],
    [variant({ a: uint() }), { kind: 'toString', body: 1 }, 'unknown_variant'],
    [variant({ a: uint() }), null, 'wrong_type'],
    [raw(9), fromHex('1801'), 'not_canonical'],
    [raw(9), fromHex('0000'), 'trailing_bytes'],
    [raw(9), new Uint8Array(10), 'too_large'],
    [raw(9), 'text', 'wrong_type'],
  ]
  for (const [index, [schema, value, code]] of cases.entries()) {
    assert.equal(
      codeOf(() => encode(schema, value)),
      code,
      `case ${index}`,
    )
  }
})

test('limits count bytes of UTF-8 and are inclusive', () => {
  const fits = ['abc', 'öa', '€', '']
  for (const value of fits) assert.equal(decode(text(3), encode(text(3), value)), value)
  const smile = encode(text(4), '\u{1f600}')
  assert.equal(toHex(smile), '64f09f9880')
  assert.equal(decode(text(4), smile), '\u{1f600}')
})

test('text keeps a byte order mark and is not normalised', () => {
  for (const value of ['\ufeffa', 'e\u0301', '\u00e9', '\0', '\ufffd']) {
    assert.equal(decode(text(20), encode(text(20), value)), value)
  }
})

test('integers at every boundary have one form', () => {
  const boundaries = [0, 23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1]
  const forms = boundaries.map((value) => toHex(encode(uint(), value)))
  assert.deepEqual(forms, [
    '00',
    '17',
    '1818',
    '18ff',
    '190100',
    '19ffff',
    '1a00010000',
    '1affffffff',
    '1b0000000100000000',
    '1b001fffffffffffff',
  ])
  for (const [index, form] of forms.entries()) {
    assert.equal(decode(uint(), fromHex(form)), boundaries[index])
  }
})

test('an error names the field from the outside in', () => {
  const schema = versioned(1, {
    parts: list(struct({ id: bytes(2) }), 5),
    shape: variant({ a: uint() }),
  })
  const good = encode(schema, { parts: [{ id: new Uint8Array(2) }], shape: { kind: 'a', body: 1 } })
  assert.equal(toHex(good), '8301818142000082616101')
  const pathOf = (hex: string): string => {
    try {
      decode(schema, fromHex(hex))
    } catch (error) {
      if (error instanceof CodecError) return `${error.code} ${error.path}`
    }
    return 'accepted'
  }
  assert.equal(pathOf('83018181430000'), 'too_large parts[0].id')
  assert.equal(pathOf('8301818142000082616161'), 'wrong_type shape.a')
  assert.equal(pathOf('83018081'), 'wrong_type shape')
  const message = (): unknown => encode(schema, { parts: [], shape: { kind: 'a', body: -1 } })
  assert.throws(message, { name: 'CodecError', message: /^out_of_range at shape\.a: -1 / })
})

test('a decoded value does not change with the buffer it came from', () => {
  const source = Buffer.from('83430102034104f6', 'hex')
  const schema = tuple(bytes(3), raw(10), nullable(uint()))
  const [first, second] = decode(schema, source)
  source.fill(0)
  assert.deepEqual(first, Uint8Array.of(1, 2, 3))
  assert.deepEqual(second, Uint8Array.of(0x41, 4))
  assert.equal(first.constructor, Uint8Array)
  assert.equal(encode(bytesMax(9), Buffer.from('ab')).constructor, Uint8Array)
})

test('raw keeps an item undecoded', () => {
  const envelope = struct({ kind: text(9), body: raw(20) })
  const body = encode(list(uint(), 3), [1, 2, 500])
  const encoded = encode(envelope, { kind: 'a', body })
  assert.equal(toHex(encoded), '8261618301021901f4')
  assert.deepEqual(decode(envelope, encoded).body, body)
  assert.equal(
    codeOf(() => decode(struct({ kind: text(9), body: raw(5) }), encoded)),
    'too_large',
  )
})

test('refine adds a rule in both directions', () => {
  const even = refine(uint(), (value) => value % 2 === 0, 'must be even')
  assert.equal(decode(even, encode(even, 4)), 4)
  assert.equal(
    codeOf(() => encode(even, 3)),
    'out_of_range',
  )
  assert.equal(
    codeOf(() => decode(even, Uint8Array.of(3))),
    'out_of_range',
  )
})

test.run()
