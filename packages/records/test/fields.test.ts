import assert from 'node:assert/strict'
import { type JsonNode, parseJson } from '@mooring/codec'
import * as fc from 'fast-check'
import { test } from 'uvu'
import { fieldsOf } from '../src/index.ts'

const utf8 = new TextEncoder()
const text = new TextDecoder()

function fieldsOfText(json: string): [string, string][] {
  return fieldsOf(parseJson(utf8.encode(json))).map(({ pointer, value }) => [
    pointer,
    text.decode(value),
  ])
}

/** The text of a document, rebuilt from its fields alone, in the order of their pointers. */
function rebuild(fields: readonly [string, string][]): unknown {
  const [only] = fields
  if (fields.length === 1 && only?.[0] === '') return JSON.parse(only[1])
  const parts = new Map<string, [string, string][]>()
  for (const [pointer, value] of fields) {
    const [, key = '', ...rest] = pointer.split('/')
    const tail = rest.length === 0 ? '' : `/${rest.join('/')}`
    parts.set(key, [...(parts.get(key) ?? []), [tail, value]])
  }
  return Object.fromEntries(
    [...parts].map(([key, part]) => [
      key.replaceAll('~1', '/').replaceAll('~0', '~'),
      rebuild(part),
    ]),
  )
}

test('a field is a JSON pointer and the canonical text of a leaf', () => {
  const json = '{"a":{"b":[true,null,"x"]},"c":false}'
  assert.deepEqual(fieldsOfText(json), [
    ['/a/b/0', 'true'],
    ['/a/b/1', 'null'],
    ['/a/b/2', '"x"'],
    ['/c', 'false'],
  ])
})

test('a number keeps the text it was written with', () => {
  const lexemes = ['80.00', '1.0', '0.10', '1e2', '1E+2', '-0', '12345678901234567890', '1.5']
  assert.deepEqual(
    fieldsOfText(`[${lexemes.join(',')}]`).map(([, value]) => value),
    lexemes,
  )
})

test('a string is written one way whichever way it was escaped', () => {
  const spellings = ['"é"', '"\\u00e9"', '"\\u00E9"']
  assert.deepEqual([...new Set(spellings.map((each) => fieldsOfText(each)[0]?.[1]))], ['"é"'])
  assert.deepEqual(fieldsOfText('"a\\/b\\u000a"'), [['', '"a/b\\n"']])
})

test('empty objects and arrays are fields', () => {
  assert.deepEqual(fieldsOfText('{"a":{},"b":[],"c":[{}]}'), [
    ['/a', '{}'],
    ['/b', '[]'],
    ['/c/0', '{}'],
  ])
  assert.deepEqual(fieldsOfText('{}'), [['', '{}']])
})

test('keys with slashes and tildes are escaped as RFC 6901 says', () => {
  const json = '{"a/b":1,"m~n":2,"":3,"~1":4," ":5}'
  assert.deepEqual(
    fieldsOfText(json).map(([pointer]) => pointer),
    ['/a~1b', '/m~0n', '/', '/~01', '/ '],
  )
})

test('the fields of any object tell the whole object', () => {
  const value = fc.dictionary(
    fc.string({ unit: 'grapheme' }).filter((key) => key !== '__proto__'),
    fc.jsonValue({ maxDepth: 4 }),
    { maxKeys: 6 },
  )
  fc.assert(
    fc.property(value, (object) => {
      const json = JSON.stringify(object)
      const withoutArrays = JSON.parse(json, (_, each: unknown) =>
        Array.isArray(each) && each.length > 0 ? Object.fromEntries(Object.entries(each)) : each,
      ) as unknown
      assert.deepEqual(rebuild(fieldsOfText(json)), withoutArrays)
    }),
    { numRuns: 300 },
  )
})

test('no two fields of a document have the same pointer', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 5 }), (json) => {
      let node: JsonNode
      try {
        node = parseJson(utf8.encode(json))
      } catch {
        return
      }
      const pointers = fieldsOf(node).map(({ pointer }) => pointer)
      assert.equal(new Set(pointers).size, pointers.length)
      for (const pointer of pointers) assert.ok(pointer === '' || pointer.startsWith('/'))
    }),
  )
})

test.run()
