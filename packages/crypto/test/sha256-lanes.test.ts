import assert from 'node:assert/strict'
import { equalBytes } from '@mooring/codec'
import * as fc from 'fast-check'
import { test } from 'uvu'
import { createSha256Lanes, sha256 } from '../src/index.ts'

const MESSAGES_AT = 4_096
const lanes = createSha256Lanes(1)
const memory = new Uint8Array(lanes.memory.buffer)

const inputs = fc.record({
  bytes: fc.uint8Array({ minLength: 1_024, maxLength: 1_024 }),
  at: fc.array(fc.integer({ min: 1, max: 1_024 - 64 }), { minLength: 4, maxLength: 4 }),
  prefix: fc.integer({ min: 0, max: 255 }),
})

test('each lane hashes 64 bytes from anywhere, or a byte and 64', () => {
  fc.assert(
    fc.property(inputs, ({ bytes, at, prefix }) => {
      memory.set(bytes, MESSAGES_AT)
      const messages = at.map((from) => bytes.slice(from, from + 64))
      const [a = 0, b = 0, c = 0, d = 0] = at.map((from) => MESSAGES_AT + from)
      lanes.node(a, b, c, d, 0, 32, 64, 96)
      lanes.prefixed(a, b, c, d, 128, 160, 192, 224, prefix)
      for (const [lane, message] of messages.entries()) {
        assert.ok(equalBytes(memory.slice(32 * lane, 32 * lane + 32), sha256(message)))
        const found = memory.slice(128 + 32 * lane, 160 + 32 * lane)
        assert.ok(equalBytes(found, sha256(Uint8Array.of(prefix), message)))
      }
    }),
  )
})

test('a digest may take the place of a message, also of another lane', () => {
  const messages = [1, 2, 3, 4].map((value) => new Uint8Array(64).fill(value))
  const at = [0, 64, 128, 192].map((from) => MESSAGES_AT + from)
  for (const [lane, message] of messages.entries()) memory.set(message, at[lane])
  const [a = 0, b = 0, c = 0, d = 0] = at
  lanes.node(a, b, c, d, d, c, b, a)
  for (const [lane, message] of messages.toReversed().entries()) {
    assert.ok(equalBytes(memory.slice(at[lane], (at[lane] ?? 0) + 32), sha256(message)))
  }
})

test('the memory grows under the functions', () => {
  const small = createSha256Lanes(1)
  small.memory.grow(1)
  const grown = new Uint8Array(small.memory.buffer)
  assert.equal(grown.length, 2 * 65_536)
  const message = new Uint8Array(64).fill(9)
  grown.set(message, 65_600)
  small.node(65_600, 65_600, 65_600, 65_600, 70_000, 70_032, 70_064, 70_096)
  assert.ok(equalBytes(grown.slice(70_096, 70_128), sha256(message)))
})

test.run()
