import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { test } from 'uvu'
import { CodecError, compareBytes, concatBytes, equalBytes, fromHex, toHex } from '../src/index.ts'

test('hex has one spelling per byte string', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (input) => {
      const hex = toHex(input)
      assert.equal(hex, Buffer.from(input).toString('hex'))
      assert.deepEqual(fromHex(hex), input)
    }),
  )
})

test('anything but lower-case hex digits is refused', () => {
  for (const text of ['0', 'abc', '0g', 'AB', '0x', ' 0', 'é0', '\u{1f600}', '00\n0']) {
    assert.throws(() => fromHex(text), CodecError, text)
  }
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 8 }), (text) => {
      if (/^([0-9a-f]{2})*$/u.test(text)) assert.equal(toHex(fromHex(text)), text)
      else assert.throws(() => fromHex(text), CodecError)
    }),
  )
})

test('bytes compare as unsigned, from the left', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 6 }), fc.uint8Array({ maxLength: 6 }), (a, b) => {
      assert.equal(Math.sign(compareBytes(a, b)), Buffer.compare(a, b))
      assert.equal(equalBytes(a, b), Buffer.compare(a, b) === 0)
      assert.deepEqual(concatBytes(a, b), new Uint8Array(Buffer.concat([a, b])))
    }),
  )
  assert.ok(compareBytes(Uint8Array.of(0x7f), Uint8Array.of(0x80)) < 0)
  assert.equal(concatBytes().length, 0)
})

test.run()
