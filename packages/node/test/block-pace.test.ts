import assert from 'node:assert/strict'
import { test } from 'uvu'
import { BlockPace } from '../src/block-pace.ts'

test('a block holds what is executed in a fraction of delta, within limits', () => {
  const pace = new BlockPace()
  assert.equal(pace.transactionsMax(150), 500)
  pace.note(1_000, 100)
  assert.equal(pace.transactionsMax(150), 500)
  assert.equal(pace.transactionsMax(30_000), 2_000)
  for (let block = 0; block < 50; block += 1) pace.note(1_000, 10_000)
  assert.equal(pace.transactionsMax(150), 200)
  for (let block = 0; block < 50; block += 1) pace.note(100, 1)
  assert.equal(pace.transactionsMax(150), 2_000)
})

test('a clock that stands still, and blocks of a few, say nothing', () => {
  const pace = new BlockPace()
  pace.note(1_000, 0)
  assert.equal(pace.transactionsMax(150), 2_000)
  pace.note(3, 1_000)
  assert.equal(pace.transactionsMax(150), 2_000)
})

test.run()
