import assert from 'node:assert/strict'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import * as fc from 'fast-check'
import { test } from 'uvu'
import { CodecError, type CodecErrorCode, deflate, inflate } from '../src/index.ts'

function codeOf(action: () => unknown): CodecErrorCode | undefined {
  try {
    action()
    return undefined
  } catch (error) {
    assert.ok(error instanceof CodecError, String(error))
    return error.code
  }
}

function noise(length: number): Uint8Array {
  let state = 1
  return Uint8Array.from({ length }, () => {
    state = Math.imul(state, 1_664_525) + 1_013_904_223
    return state >>> 24
  })
}

test('what was deflated inflates to the same bytes, here and elsewhere', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 5000 }), fc.nat(60), (bytes, repeats) => {
      const input = new Uint8Array(bytes.length * repeats)
      for (let at = 0; at < repeats; at += 1) input.set(bytes, at * bytes.length)
      const deflated = deflate(input)
      assert.deepEqual(inflate(deflated, input.length), input)
      assert.deepEqual(new Uint8Array(inflateRawSync(deflated)), input)
      assert.deepEqual(inflate(deflateRawSync(input), input.length), input)
      assert.deepEqual(inflate(deflated, 1_000_000), input)
    }),
  )
})

test('with a dictionary what repeats it is short, and nothing but it reads the rest', () => {
  const dictionary = noise(2_000)
  const input = new Uint8Array([...noise(1_900), ...noise(40_000)])
  const deflated = deflate(input, dictionary)
  assert.deepEqual(inflate(deflated, input.length, dictionary), input)
  assert.deepEqual(inflate(deflated, 1_000_000, dictionary), input)
  assert.deepEqual(new Uint8Array(inflateRawSync(deflated, { dictionary })), input)
  assert.ok(deflate(dictionary, dictionary).length < 40)
  assert.equal(
    codeOf(() => inflate(deflate(dictionary, dictionary), 2_000)),
    'not_deflate',
  )
  assert.equal(
    codeOf(() => inflate(deflated, 100, dictionary)),
    'too_large',
  )
})

test('nothing is inflated beyond the size allowed', () => {
  const input = noise(1000)
  assert.deepEqual(inflate(deflate(input), 1000), input)
  assert.equal(
    codeOf(() => inflate(deflate(input), 999)),
    'too_large',
  )
  assert.equal(inflate(deflate(new Uint8Array(0)), 0).length, 0)
})

test('short bombs and stored blocks that do not fit are too large as well', () => {
  const bomb = deflateRawSync(new Uint8Array(8 * 1024 * 1024))
  assert.ok(bomb.length < 16 * 1024)
  const stored = deflateRawSync(noise(1000), { level: 0 })
  for (const deflated of [bomb, stored]) {
    for (const sizeMax of [0, 1, 999, 300_000]) {
      if (deflated === stored && sizeMax > 1000) continue
      assert.equal(
        codeOf(() => inflate(deflated, sizeMax)),
        'too_large',
      )
    }
  }
  assert.deepEqual(inflate(stored, 1000), noise(1000))
})

test('a bomb ends after its first piece', () => {
  const bomb = deflateRawSync(new Uint8Array(512 * 1024 * 1024))
  const before = process.memoryUsage().arrayBuffers
  assert.equal(
    codeOf(() => inflate(bomb, 4096)),
    'too_large',
  )
  const grown = process.memoryUsage().arrayBuffers - before
  assert.ok(grown < 256 * 1024 * 1024, `${grown} bytes`)
})

test('a stream that was cut is refused wherever it was cut', () => {
  const text = new TextEncoder().encode(
    '{"resourceType":"Observation","status":"final"}'.repeat(20),
  )
  for (const input of [text, noise(300), noise(140_000)]) {
    const stored = deflateRawSync(input, { level: 0 })
    for (const deflated of [deflate(input), stored]) {
      const step = Math.max(1, Math.floor(deflated.length / 300))
      for (let length = 0; length < deflated.length; length += step) {
        const cut = deflated.subarray(0, length)
        assert.equal(
          codeOf(() => inflate(cut, input.length)),
          'truncated',
          `${length} of ${deflated.length}`,
        )
      }
    }
  }
  // Two stored blocks: the first ends on a byte, and a stream may not end there.
  const blocks = deflateRawSync(noise(100_000), { level: 0 })
  const first = 5 + ((blocks[1] ?? 0) | ((blocks[2] ?? 0) << 8))
  assert.ok(first < blocks.length)
  assert.equal(
    codeOf(() => inflate(blocks.subarray(0, first), 100_000)),
    'truncated',
  )
})

test('bytes that are no stream are refused with a code', () => {
  assert.equal(
    codeOf(() => inflate(Uint8Array.of(0x07), 10)),
    'not_deflate',
  )
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), (bytes) => {
      const code = codeOf(() => inflate(bytes, 100_000))
      // In pieces it is the same as at once.
      assert.equal(
        codeOf(() => inflate(bytes, 300_000)),
        code === 'too_large' ? undefined : code,
      )
      assert.ok(
        code === undefined || ['not_deflate', 'truncated', 'too_large'].includes(code),
        code,
      )
    }),
  )
})

test.run()
