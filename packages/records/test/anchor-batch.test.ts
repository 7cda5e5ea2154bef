import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { CodecError, decode, encode, toHex } from '@mooring/codec'
import * as fc from 'fast-check'
import { test } from 'uvu'
import { type AnchorBatch, anchorBatchSchema, buildBatch, dedupeKey } from '../src/index.ts'

const digest = fc.uint8Array({ minLength: 32, maxLength: 32 })
const filled = (byte: number) => new Uint8Array(32).fill(byte)

function batchOf(records: number): AnchorBatch {
  let drawn = 0
  const random = (length: number) => {
    drawn += 1
    const block = new Uint8Array(length).fill(drawn)
    block[0] = drawn >> 8
    return block
  }
  const commits = Array.from({ length: records }, (_, index) => filled(200 + index))
  const batch = buildBatch(commits, random)
  assert.ok(!('code' in batch))
  const { root, bucket, leaves, positions } = batch
  return {
    sequence: 7,
    root,
    bucket,
    leaves: [...leaves],
    positions: [...positions],
    createdAt: 1_700_000_000_000,
  }
}

function codeOf(batch: AnchorBatch): string | undefined {
  try {
    encode(anchorBatchSchema, batch)
    return undefined
  } catch (error) {
    if (error instanceof CodecError) return error.code
    throw error
  }
}

test('a batch survives being stored', () => {
  for (const records of [1, 16, 20]) {
    const batch = batchOf(records)
    assert.deepEqual(decode(anchorBatchSchema, encode(anchorBatchSchema, batch)), batch)
  }
})

test('a stored batch whose parts contradict each other is refused', () => {
  const batch = batchOf(3)
  assert.equal(codeOf(batch), undefined)
  assert.equal(codeOf({ ...batch, bucket: 64 }), 'out_of_range')
  assert.equal(codeOf({ ...batch, leaves: batch.leaves.slice(1) }), 'out_of_range')
  assert.equal(codeOf({ ...batch, bucket: 15, leaves: batch.leaves.slice(1) }), 'out_of_range')
  assert.equal(codeOf({ ...batch, positions: [1, 1] }), 'out_of_range')
  assert.equal(codeOf({ ...batch, positions: [16] }), 'out_of_range')
})

test('damaged bytes of a batch are refused with a code', () => {
  const bytes = encode(anchorBatchSchema, batchOf(2))
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, byte) => {
      const damaged = bytes.with(at, byte)
      try {
        // What is still read is the one value of these bytes.
        assert.deepEqual(encode(anchorBatchSchema, decode(anchorBatchSchema, damaged)), damaged)
      } catch (error) {
        if (!(error instanceof CodecError)) throw error
      }
    }),
    { numRuns: 300 },
  )
})

test('the same bytes have the same key here and another one elsewhere', () => {
  fc.assert(
    fc.property(digest, fc.uint8Array({ maxLength: 2_000 }), (secret, raw) => {
      const key = dedupeKey(secret, raw)
      assert.equal(toHex(key), createHmac('sha256', secret).update(raw).digest('hex'))
      assert.notDeepEqual(dedupeKey(secret.with(0, (secret[0] ?? 0) ^ 1), raw), key)
    }),
  )
})

test.run()
