import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { test } from 'uvu'
import { canonicalJson, CodecError, jcsString, parseJson } from '../src/index.ts'

const vectors = new URL('../../../../shared/data/vectors/jcs-rfc8785/', import.meta.url)

function hasVectors(): boolean {
  const isThere = existsSync(vectors)
  if (!isThere) process.stdout.write('shared RFC 8785 vectors are not here: built-in cases only\n')
  return isThere
}

function doubleOf(hex: string): number {
  return Buffer.from(hex, 'hex').readDoubleBE()
}

test('keys are sorted by UTF-16 code units, at every level', () => {
  const value = {
    '\u20ac': 1,
    '\r': 2,
    '\ufb33': 3,
    1: 4,
    '\u{1f600}': 5,
    '\u0080': { b: 1, a: 2 },
    ö: 7,
  }
  assert.equal(
    canonicalJson(value),
    '{"\\r":2,"1":4,"\u0080":{"a":2,"b":1},"ö":7,"€":1,"\u{1f600}":5,"\ufb33":3}',
  )
})

test('strings keep their characters and escape only what they must', () => {
  assert.equal(
    jcsString('€$\u000f\nA\'B"\\\\"/</\u007f\u2028é\u0301'),
    '"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/</\u007f\u2028é\u0301"',
  )
  assert.equal(jcsString('\b\t\n\f\r\0\u001f'), '"\\b\\t\\n\\f\\r\\u0000\\u001f"')
  assert.equal(jcsString('\ufeff\u{1f600}'), '"\ufeff\u{1f600}"')
})

test('numbers have the shortest form that reads back', () => {
  const cases: [hex: string, expected: string][] = [
    ['0000000000000000', '0'],
    ['8000000000000000', '0'],
    ['0000000000000001', '5e-324'],
    ['7fefffffffffffff', '1.7976931348623157e+308'],
    ['4340000000000000', '9007199254740992'],
    ['444b1ae4d6e2ef50', '1e+21'],
    ['444b1ae4d6e2ef4f', '999999999999999900000'],
    ['3eb0c6f7a0b5ed8d', '0.000001'],
    ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
    ['41b3de4355555554', '333333333.33333325'],
  ]
  for (const [hex, expected] of cases) assert.equal(canonicalJson(doubleOf(hex)), expected)
})

test('what is not JSON is refused', () => {
  const loop: unknown[] = []
  loop.push(loop)
  const cases: [value: unknown, code: string][] = [
    [Number.NaN, 'out_of_range'],
    [Number.POSITIVE_INFINITY, 'out_of_range'],
    [[Number.NEGATIVE_INFINITY], 'out_of_range'],
    [undefined, 'wrong_type'],
    [{ a: undefined }, 'wrong_type'],
    [Array.from({ length: 1 }), 'wrong_type'],
    [1n, 'wrong_type'],
    [Symbol('a'), 'wrong_type'],
    [() => 1, 'wrong_type'],
    [new Date(0), 'wrong_type'],
    [new Map(), 'wrong_type'],
    [Uint8Array.of(1), 'wrong_type'],
    ['\ud800', 'not_canonical'],
    [{ '\udc00': 1 }, 'not_canonical'],
    [loop, 'too_deep'],
  ]
  for (const [index, [value, code]] of cases.entries()) {
    const isExpected = (error: unknown): boolean =>
      error instanceof CodecError && error.code === code
    assert.throws(() => canonicalJson(value), isExpected, `case ${index}`)
  }
})

test('the form is one per value, and reads back as it', () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: 'grapheme', noUnicodeString: false }), (value) => {
      const text = canonicalJson(value)
      const parsed: unknown = JSON.parse(text)
      assert.deepEqual(parsed, JSON.parse(JSON.stringify(value)))
      assert.equal(canonicalJson(parsed), text)
      parseJson(new TextEncoder().encode(text))
    }),
    { numRuns: 500 },
  )
})

test('the order of members does not matter', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.integer()), (value) => {
      const reversed = Object.fromEntries(Object.entries(value).toReversed())
      assert.equal(canonicalJson(reversed), canonicalJson(value))
    }),
  )
})

test('the published documents have the published bytes', () => {
  if (!hasVectors()) return
  const names = readdirSync(new URL('input/', vectors))
  assert.ok(names.length >= 6)
  for (const name of names) {
    const input = readFileSync(new URL(`input/${name}`, vectors), 'utf8')
    const output = readFileSync(new URL(`output/${name}`, vectors), 'utf8')
    const hexName = name.replace(/json$/u, 'txt')
    const hex = readFileSync(new URL(`outhex/${hexName}`, vectors), 'utf8').replaceAll(/\s+/gu, '')
    const text = canonicalJson(JSON.parse(input))
    assert.equal(text, output.trimEnd(), name)
    assert.equal(Buffer.from(text).toString('hex'), hex, name)
  }
})

test('the published numbers have the published text, or are refused', () => {
  if (!hasVectors()) return
  const numbers: { ieee754_hex: string; expected: string | null }[] = JSON.parse(
    readFileSync(new URL('numbers.json', vectors), 'utf8'),
  )
  assert.ok(numbers.length >= 9)
  for (const { ieee754_hex, expected } of numbers) {
    const value = doubleOf(ieee754_hex)
    if (expected === null) assert.throws(() => canonicalJson(value), CodecError, ieee754_hex)
    else assert.equal(canonicalJson(value), expected, ieee754_hex)
  }
})

test.run()
