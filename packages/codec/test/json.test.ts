import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { test } from 'uvu'
import {
  JsonError,
  type JsonErrorCode,
  type JsonLimits,
  type JsonNode,
  lineOf,
  memberOf,
  parseJson,
  textMemberOf,
} from '../src/index.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

const STRICTER: JsonErrorCode[] = ['duplicate_key', 'lone_surrogate', 'too_deep', 'byte_order_mark']

function utf8(text: string): Uint8Array {
  return encoder.encode(text)
}

function errorOf(input: Uint8Array | string, limits?: Partial<JsonLimits>): JsonError | undefined {
  try {
    parseJson(typeof input === 'string' ? utf8(input) : input, limits)
    return undefined
  } catch (error) {
    if (error instanceof JsonError) return error
    throw error
  }
}

function toValue(node: JsonNode): unknown {
  switch (node.kind) {
    case 'object':
      return Object.fromEntries(node.members.map(({ key, value }) => [key, toValue(value)]))
    case 'array':
      return node.items.map(toValue)
    case 'number':
      return Number(node.lexeme)
    case 'null':
      return null
    case 'string':
    case 'boolean':
      return node.value
  }
}

function nodesOf(node: JsonNode): JsonNode[] {
  if (node.kind === 'object') return [node, ...node.members.flatMap(({ value }) => nodesOf(value))]
  if (node.kind === 'array') return [node, ...node.items.flatMap(nodesOf)]
  return [node]
}

function parseNatively(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) }
  } catch {
    return undefined
  }
}

/** Reads the text with both readers; ours may only be stricter, in the ways it names. */
function compareWithNative(text: string): 'accepted' | JsonErrorCode {
  const native = parseNatively(text)
  let node: JsonNode
  try {
    node = parseJson(utf8(text))
  } catch (error) {
    assert.ok(error instanceof JsonError, `${JSON.stringify(text)}: ${String(error)}`)
    if (native !== undefined) assert.ok(STRICTER.includes(error.code), JSON.stringify(text))
    return error.code
  }
  assert.ok(native !== undefined, `accepted ${JSON.stringify(text)}`)
  assert.deepEqual(toValue(node), native.value)
  return 'accepted'
}

const documents = fc
  .tuple(fc.json({ maxDepth: 5, stringUnit: 'binary' }), fc.constantFrom(0, 1, 2, '\t'))
  .map(([text, indent]) => JSON.stringify(JSON.parse(text), null, indent))

test('every JSON document means what JSON.parse says', () => {
  fc.assert(
    fc.property(documents, (text) => {
      const code = compareWithNative(text)
      assert.ok(code === 'accepted' || code === 'lone_surrogate')
    }),
    { numRuns: 1000 },
  )
})

test('a damaged document is refused where JSON.parse refuses it', () => {
  const piece = fc.constantFrom(
    ...'{}[]",:\\/ -+.eE01 \n\t\r\0'.split(''),
    '\u00e9',
    '\ufeff',
    '\\u',
    '\\ud83d',
    '\\ude00',
    '\\u0041',
    '\\b',
    'true',
    'nul',
    '1e5',
    '-0',
    '00',
    '"a":',
    ',,',
  )
  const edit = fc.record({
    at: fc.nat(),
    remove: fc.nat(3),
    insert: fc.array(piece, { maxLength: 3 }),
  })
  const outcomes = new Set<string>()
  fc.assert(
    fc.property(documents, fc.array(edit, { minLength: 1, maxLength: 3 }), (original, edits) => {
      let text = original
      for (const { at, remove, insert } of edits) {
        const index = at % (text.length + 1)
        text = text.slice(0, index) + insert.join('') + text.slice(index + remove)
      }
      outcomes.add(compareWithNative(text.toWellFormed()))
    }),
    { numRuns: 5000 },
  )
  assert.ok(outcomes.has('accepted') && outcomes.has('syntax') && outcomes.has('lone_surrogate'))
})

test('short texts over the alphabet of JSON agree with JSON.parse', () => {
  const symbol = fc.constantFrom(
    ...'{}[]",:\\u0dD8c-.eE+1 tfn'.split(''),
    'true',
    'null',
    '"a"',
    '""',
  )
  fc.assert(
    fc.property(fc.array(symbol, { maxLength: 12 }), (symbols) => {
      compareWithNative(symbols.join(''))
    }),
    { numRuns: 15_000 },
  )
})

test('random bytes give a JsonError or a value', () => {
  const byte = fc.oneof(
    fc.nat(255),
    fc.constantFrom(0x22, 0x5b, 0x5d, 0x2c, 0xc3, 0xa9, 0xed, 0xa0),
  )
  fc.assert(
    fc.property(fc.array(byte, { maxLength: 20 }), (input) => {
      const bytes = Uint8Array.from(input)
      const error = errorOf(bytes)
      const isUtf8 = Buffer.from(decoder.decode(bytes)).equals(bytes)
      if (!isUtf8) assert.ok(error?.code === 'invalid_utf8' || error?.code === 'lone_surrogate')
      if (error !== undefined) assert.ok(error.offset <= bytes.length)
    }),
    { numRuns: 3000 },
  )
})

test('the span of a node is its text', () => {
  fc.assert(
    fc.property(documents, (text) => {
      const bytes = utf8(` ${text}\n`)
      if (errorOf(bytes) !== undefined) return
      for (const node of nodesOf(parseJson(bytes))) {
        const slice = bytes.slice(node.start, node.end)
        assert.deepEqual(toValue(parseJson(slice)), toValue(node))
        assert.equal(parseJson(slice).end, slice.length)
        if (node.kind === 'object') {
          for (const { key, keyStart } of node.members) {
            const keyEnd = bytes.indexOf(0x3a, keyStart + utf8(JSON.stringify(key)).length - 1)
            assert.equal(JSON.parse(decoder.decode(bytes.slice(keyStart, keyEnd))), key)
          }
        }
      }
    }),
    { numRuns: 300 },
  )
})

test('numbers keep their lexeme', () => {
  const lexemes = [
    '0',
    '-0',
    '1.50',
    '80.00',
    '1e5',
    '1E+05',
    '-0.0e-0',
    '12345678901234567890',
    '1e400',
  ]
  const node = parseJson(utf8(`[${lexemes.join(' , ')}]`))
  assert.ok(node.kind === 'array')
  assert.deepEqual(
    node.items.map((item) => (item.kind === 'number' ? item.lexeme : item.kind)),
    lexemes,
  )
})

test('members keep their order and are found by key', () => {
  const node = parseJson(utf8('{"b":1,"a":{"\\u0063":[true]},"__proto__":2}'))
  assert.ok(node.kind === 'object')
  assert.deepEqual(
    node.members.map(({ key, keyStart }) => [key, keyStart]),
    [
      ['b', 1],
      ['a', 7],
      ['__proto__', 29],
    ],
  )
  const inner = memberOf(node, 'a')
  assert.ok(inner !== undefined)
  assert.equal(memberOf(inner, 'c')?.kind, 'array')
  assert.equal(memberOf(node, 'c'), undefined)
  assert.equal(memberOf(parseJson(utf8('[]')), 'a'), undefined)
  assert.equal(textMemberOf(parseJson(utf8('{"a":"b"}')), 'a'), 'b')
  assert.equal(textMemberOf(parseJson(utf8('{"a":1}')), 'a'), undefined)
})

const REFUSED: [text: string, code: JsonErrorCode, line: number, column: number][] = [
  ['', 'syntax', 1, 1],
  [' \n ', 'syntax', 2, 2],
  ['01', 'syntax', 1, 2],
  ['-01', 'syntax', 1, 3],
  ['-', 'syntax', 1, 2],
  ['+1', 'syntax', 1, 1],
  ['.5', 'syntax', 1, 1],
  ['1.', 'syntax', 1, 3],
  ['1.e5', 'syntax', 1, 3],
  ['1e', 'syntax', 1, 3],
  ['1e+', 'syntax', 1, 4],
  ['0x10', 'syntax', 1, 2],
  ['NaN', 'syntax', 1, 1],
  ['Infinity', 'syntax', 1, 1],
  ['nul', 'syntax', 1, 1],
  ['True', 'syntax', 1, 1],
  ["'a'", 'syntax', 1, 1],
  ['"a', 'syntax', 1, 3],
  ['"\t"', 'syntax', 1, 2],
  ['"\n"', 'syntax', 1, 2],
  ['"\u001f"', 'syntax', 1, 2],
  ['"\\x"', 'syntax', 1, 2],
  ['"\\"', 'syntax', 1, 4],
  ['"\\u12g4"', 'syntax', 1, 2],
  ['"\\u12', 'syntax', 1, 2],
  ['[1,]', 'syntax', 1, 4],
  ['[,1]', 'syntax', 1, 2],
  ['[1 2]', 'syntax', 1, 4],
  ['[1', 'syntax', 1, 3],
  ['{"a":1,}', 'syntax', 1, 8],
  ['{"a" 1}', 'syntax', 1, 6],
  ['{a:1}', 'syntax', 1, 2],
  ['{1:1}', 'syntax', 1, 2],
  ['{"a"}', 'syntax', 1, 5],
  ['{"a":}', 'syntax', 1, 6],
  ['[1}', 'syntax', 1, 3],
  ['1 2', 'syntax', 1, 3],
  ['{}{}', 'syntax', 1, 3],
  ['null\n\n  x', 'syntax', 3, 3],
  ['// no\n1', 'syntax', 1, 1],
  ['\u00a01', 'syntax', 1, 1],
  ['[\ufeff1]', 'syntax', 1, 2],
  ['[1,\u2028 2]', 'syntax', 1, 4],
  ['\ufeff{}', 'byte_order_mark', 1, 1],
  ['{"a":1,\n "a":2}', 'duplicate_key', 2, 2],
  ['{"a":1,"\\u0061":2}', 'duplicate_key', 1, 8],
  ['{"":1,"":2}', 'duplicate_key', 1, 7],
  ['{"x":{"é":1, "é":2}}', 'duplicate_key', 1, 14],
  ['"\\ud800"', 'lone_surrogate', 1, 2],
  ['"é\\udc00"', 'lone_surrogate', 1, 3],
  ['"\\ud83d\\u0041"', 'lone_surrogate', 1, 2],
  ['"\\ud83d\\ud83d\\ude00"', 'lone_surrogate', 1, 2],
  ['"\\ud83dx"', 'lone_surrogate', 1, 2],
  ['"\\udc00\\udc00"', 'lone_surrogate', 1, 2],
  ['{"\\udfff":1}', 'lone_surrogate', 1, 3],
]

test('what is not JSON, or not one thing to everybody, is refused with its place', () => {
  for (const [text, code, line, column] of REFUSED) {
    const error = errorOf(text)
    assert.deepEqual([error?.code, error?.line, error?.column], [code, line, column], text)
  }
})

test('bytes that are not UTF-8 are refused with their place', () => {
  const cases: [bytes: number[], code: JsonErrorCode, offset: number][] = [
    [[0x22, 0xff, 0x22], 'invalid_utf8', 1],
    [[0xff, 0xfe, 0x31, 0x00], 'invalid_utf8', 0],
    [[0x22, 0xc0, 0xaf, 0x22], 'invalid_utf8', 1],
    [[0x22, 0xe2, 0x82, 0x22], 'invalid_utf8', 1],
    [[0x22, 0xf4, 0x90, 0x80, 0x80, 0x22], 'invalid_utf8', 1],
    [[0x22, 0x61, 0x80, 0x22], 'invalid_utf8', 2],
    [[0x22, 0xef, 0xbf, 0xbd, 0xff, 0x22], 'invalid_utf8', 4],
    [[0x22, 0xed, 0xa0, 0x80, 0x22], 'lone_surrogate', 1],
    [[0x22, 0xed, 0xbf, 0xbf, 0x22], 'lone_surrogate', 1],
    [[0x22, 0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80, 0x22], 'lone_surrogate', 1],
    [[0x31, 0x0a, 0x22, 0xc3], 'invalid_utf8', 3],
  ]
  for (const [bytes, code, offset] of cases) {
    const error = errorOf(Uint8Array.from(bytes))
    assert.deepEqual([error?.code, error?.offset], [code, offset], String(bytes))
  }
})

test('text outside ASCII is read whole', () => {
  const words = [
    'é',
    '€',
    '\u{1f600}',
    '\ufffd',
    '\ufeff',
    '\u2028',
    '\u007f',
    'a'.repeat(100),
    'ü'.repeat(100),
  ]
  for (const word of words) {
    for (const text of [word, `${word}\n`, `\\${word}"`, `${word}${word}`]) {
      const node = parseJson(utf8(JSON.stringify(text)))
      assert.equal(node.kind === 'string' && node.value, text)
    }
  }
  const pair = parseJson(utf8('"\\uD83D\\uDe00\\/\\b\\f"'))
  assert.equal(pair.kind === 'string' && pair.value, '\u{1f600}/\b\f')
})

function nested(depth: number): string {
  return '['.repeat(depth) + ']'.repeat(depth)
}

test('depth, values and size are bounded', () => {
  assert.equal(errorOf(nested(64)), undefined)
  assert.equal(errorOf(nested(65))?.code, 'too_deep')
  assert.equal(errorOf(nested(65))?.offset, 64)
  assert.equal(errorOf('{"a":'.repeat(65))?.code, 'too_deep')
  assert.equal(errorOf(nested(3), { depthMax: 2 })?.code, 'too_deep')
  assert.equal(errorOf('['.repeat(4_000_000))?.code, 'too_deep')
  assert.equal(errorOf('[1,2,3]', { itemsMax: 4 }), undefined)
  assert.equal(errorOf('[1,2,3]', { itemsMax: 3 })?.code, 'too_many')
  assert.equal(errorOf('[1,2,3]', { bytesMax: 7 }), undefined)
  assert.equal(errorOf('[1,2,3]', { bytesMax: 6 })?.code, 'too_large')
})

test('many keys are compared without slowing down', () => {
  const members = Array.from({ length: 100_000 }, (_, index) => `"k${index}":0`)
  const started = performance.now()
  assert.equal(errorOf(`{${members.join(',')}}`), undefined)
  assert.equal(errorOf(`{${[...members, members[77_000]].join(',')}}`)?.code, 'duplicate_key')
  for (let count = 1; count < 40; count += 1) {
    const few = members.slice(0, count)
    assert.equal(errorOf(`{${few.join(',')}}`), undefined)
    assert.equal(errorOf(`{${[...few, few[count >> 1]].join(',')}}`)?.code, 'duplicate_key')
  }
  assert.ok(performance.now() - started < 5000)
})

test('a line and a column count from one, in characters', () => {
  const bytes = utf8('a\né€b\n\n\u{1f600}c')
  assert.deepEqual(lineOf(bytes, 0), { line: 1, column: 1 })
  assert.deepEqual(lineOf(bytes, 2), { line: 2, column: 1 })
  assert.deepEqual(lineOf(bytes, 7), { line: 2, column: 3 })
  assert.deepEqual(lineOf(bytes, bytes.length - 1), { line: 4, column: 2 })
  assert.deepEqual(lineOf(bytes, 1000), { line: 4, column: 3 })
})

function observation(index: number): object {
  return {
    fullUrl: `urn:uuid:00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
    resource: {
      resourceType: 'Observation',
      id: `observation-${index}`,
      status: 'final',
      code: { coding: [{ system: 'http://loinc.org', code: '8302-2', display: 'Körpergröße' }] },
      subject: { reference: 'urn:uuid:patient' },
      effectiveDateTime: '2011-05-03T10:15:00+02:00',
      valueQuantity: { value: 100 + index / 100, unit: 'cm', code: 'cm' },
      text: { status: 'generated', div: `<div xmlns="x">a \\ "quoted" line\n</div>` },
    },
  }
}

function largeBundle(): Uint8Array {
  const entry = Array.from({ length: 5500 }, (_, index) => observation(index))
  return utf8(JSON.stringify({ entry }, null, 1))
}

test('a bundle of three megabytes is read in the time that one pass takes', () => {
  const bytes = largeBundle()
  assert.ok(bytes.length > 3_000_000, String(bytes.length))
  const started = performance.now()
  const node = parseJson(bytes)
  const elapsedMs = performance.now() - started
  const native: unknown = JSON.parse(decoder.decode(bytes))
  assert.ok(JSON.stringify(toValue(node)) === JSON.stringify(native))
  // About 50 ms; the bound only catches a pass that is no longer linear.
  assert.ok(elapsedMs < 1500, `${elapsedMs} ms`)
})

const shared = new URL('../../../../shared/data/fhir/', import.meta.url)

test('published FHIR documents are read as JSON.parse reads them', () => {
  if (!existsSync(shared)) {
    process.stdout.write('shared FHIR documents are not here: only the built-in bundle was read\n')
    return
  }
  const names = readdirSync(shared, { recursive: true, encoding: 'utf8' })
  const files = names.filter((name) => name.endsWith('.json'))
  assert.ok(files.length > 20)
  for (const name of files) {
    const bytes = new Uint8Array(readFileSync(new URL(name, shared)))
    const hasMark = bytes[0] === 0xef
    const text = hasMark ? bytes.subarray(3) : bytes
    if (hasMark) assert.equal(errorOf(bytes)?.code, 'byte_order_mark')
    const native: unknown = JSON.parse(decoder.decode(text))
    assert.ok(JSON.stringify(toValue(parseJson(text))) === JSON.stringify(native), name)
  }
})

test.run()
