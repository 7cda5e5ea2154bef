import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { test } from 'uvu'
import { utf8Bytes } from '../src/index.ts'

const utf8 = new TextEncoder()

test('any text has the bytes that the platform gives it', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' })), (text) => {
      assert.deepEqual(utf8Bytes(text), utf8.encode(text))
    }),
  )
  const edges = ['', '\0', '\u007f', '\u0080', '\ud800', 'a\udc00b', '😀', 'x'.repeat(1_025)]
  for (const text of edges) assert.deepEqual(utf8Bytes(text), utf8.encode(text))
})

test.run()
