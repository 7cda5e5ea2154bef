import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { test } from 'uvu'
import { createCursors } from '../src/cursors.ts'
import { ApiError } from '../src/errors.ts'

const key = new Uint8Array(32).fill(1)
const isInvalid = (error: unknown) => error instanceof ApiError && error.code === 'invalid_cursor'

test('a cursor gives back its position, for its list only', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.string(), fc.string(), (position, list, other) => {
      const cursors = createCursors(key)
      const cursor = cursors.format(list, position)
      assert.equal(createCursors(key).parse(list, cursor), position)
      if (other !== list) assert.throws(() => cursors.parse(other, cursor), isInvalid)
    }),
  )
})

test('no other text is a cursor', () => {
  const cursors = createCursors(key)
  const foreign = createCursors(new Uint8Array(32)).format('blocks', 7)
  assert.throws(() => cursors.parse('blocks', foreign), isInvalid)
  fc.assert(
    fc.property(fc.string(), fc.uint8Array({ maxLength: 40 }), (text, bytes) => {
      assert.throws(() => cursors.parse('blocks', text), isInvalid)
      const encoded = Buffer.from(bytes).toString('base64url')
      assert.throws(() => cursors.parse('blocks', encoded), isInvalid)
    }),
  )
})

test.run()
