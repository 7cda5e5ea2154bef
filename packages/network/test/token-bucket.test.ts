import assert from 'node:assert/strict'
import { test } from 'uvu'
import { TokenBucket } from '../src/token-bucket.ts'

test('a bucket pays its burst at once and then its rate', () => {
  const bucket = new TokenBucket(3, 2, 0)
  assert.deepEqual(
    [1, 1, 1, 1].map((amount) => bucket.take(amount, 0)),
    [true, true, true, false],
  )
  assert.equal(bucket.take(1, 499), false)
  assert.equal(bucket.take(1, 500), true)
})

test('a bucket never holds more than its burst', () => {
  const bucket = new TokenBucket(3, 2, 0)
  assert.equal(bucket.isFull(1e9), true)
  assert.equal(bucket.takeUpTo(10, 1e9), 3)
})

test('a debt says how long it lasts', () => {
  const bucket = new TokenBucket(500, 1_000, 0)
  assert.equal(bucket.spend(500, 0), 0)
  assert.equal(bucket.spend(500, 0), 500)
  assert.equal(bucket.spend(0, 400), 100)
  assert.equal(bucket.spend(0, 500), 0)
  assert.equal(bucket.spend(1e9, 500), 500)
})

test.run()
