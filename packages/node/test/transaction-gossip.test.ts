import assert from 'node:assert/strict'
import { test } from 'uvu'
import type { Clock } from '../src/clock.ts'
import { decodeTransactionBatch, TransactionGossip } from '../src/transaction-gossip.ts'

function world() {
  let now = 0
  let timers: { at: number; run: () => void }[] = []
  const sent: { at: number; count: number }[] = []
  const clock: Clock = {
    monotonic: () => now,
    wall: () => now,
    after(ms, run) {
      const timer = { at: now + ms, run }
      timers.push(timer)
      return () => {
        timers = timers.filter((each) => each !== timer)
      }
    },
  }
  const publish = (batch: Uint8Array) => {
    sent.push({ at: now, count: decodeTransactionBatch(batch)?.length ?? 0 })
    return Promise.resolve()
  }
  const gossip = new TransactionGossip(clock, publish, (error) => assert.fail(String(error)))
  const passUntil = (at: number): void => {
    for (; now <= at; now += 1) {
      const due = timers.filter((timer) => timer.at <= now)
      timers = timers.filter((timer) => timer.at > now)
      for (const { run } of due) run()
    }
  }
  return { gossip, sent, passUntil }
}

const some = (count: number, bytes = 100) =>
  Array.from({ length: count }, () => new Uint8Array(bytes))

test('what comes after a quiet moment goes at once, what follows soon goes together', () => {
  const { gossip, sent, passUntil } = world()
  gossip.add(some(1))
  assert.deepEqual(sent, [{ at: 0, count: 1 }])
  gossip.add(some(1))
  passUntil(3)
  gossip.add(some(2))
  passUntil(5)
  assert.deepEqual(sent.slice(1), [{ at: 5, count: 3 }])
  passUntil(100)
  gossip.add(some(1))
  assert.equal(sent.at(-1)?.count, 1)
})

test('after many the next message waits longer for company, to a limit', () => {
  const { gossip, sent, passUntil } = world()
  gossip.add(some(200))
  gossip.add(some(1))
  passUntil(24)
  assert.equal(sent.length, 1)
  passUntil(25)
  assert.deepEqual(sent, [
    { at: 0, count: 200 },
    { at: 25, count: 1 },
  ])
})

test('a message is no larger than its limit, unless one transaction is', () => {
  const { gossip, sent } = world()
  gossip.add(some(5, 30_000))
  gossip.flush()
  assert.deepEqual(
    sent.map(({ count }) => count),
    [2, 2, 1],
  )
})

test.run()
