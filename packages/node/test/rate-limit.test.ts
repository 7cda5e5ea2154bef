import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { test } from 'uvu'
import { RateLimit } from '../src/rate-limit.ts'

test('so many at once, then one after each pause, for each name', () => {
  let now = 1_000
  const limit = new RateLimit({ burst: 3, everyMs: 100, namesMax: 10 }, () => now)
  const takes = (name: string, count: number) =>
    Array.from({ length: count }, () => limit.take(name)).filter(Boolean).length
  assert.deepEqual([takes('a', 5), takes('b', 2)], [3, 2])
  now += 99
  assert.equal(takes('a', 2), 0)
  now += 1
  assert.equal(takes('a', 2), 1)
  now += 250
  assert.equal(takes('a', 5), 2)
  now += 50
  assert.equal(takes('a', 5), 1)
  now += 10_000
  assert.equal(takes('a', 9), 3)
})

test('in no stretch of time is more taken than a burst and what the pauses give', () => {
  const steps = fc.array(fc.nat(500), { minLength: 1, maxLength: 200 })
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 5 }), (pauses, burst) => {
      let now = 0
      const limit = new RateLimit({ burst, everyMs: 100, namesMax: 1 }, () => now)
      const taken: number[] = []
      for (const pause of pauses) {
        now += pause
        if (limit.take('')) taken.push(now)
      }
      for (const [from, start] of taken.entries())
        for (const [to, end] of taken.entries())
          if (to >= from) assert.ok(to - from + 1 <= burst + (end - start) / 100 + 1)
    }),
  )
})

test('names that rested longest are forgotten when there are too many', () => {
  const limit = new RateLimit({ burst: 1, everyMs: 1_000, namesMax: 2 }, () => 0)
  assert.ok(limit.take('a') && limit.take('b') && limit.take('c'))
  assert.deepEqual([limit.take('c'), limit.take('b'), limit.take('a')], [false, false, true])
})

test.run()
