import assert from 'node:assert/strict'
import type { Steps } from '@mooring/ledger'
import { test } from 'uvu'
import { type Done, LongWork, type Work } from '../src/long-work.ts'
import { inSlices } from '../src/time-slices.ts'
import { TestClock } from './test-clock.ts'

/** Steps of two milliseconds, and turns that begin when the test says so. */
function workplace() {
  const clock = new TestClock()
  const waiting: (() => void)[] = []
  const turn = () => new Promise<void>((resolve) => waiting.push(resolve))
  const work = new LongWork({ clock, turns: inSlices(() => clock.monotonic(), turn) })
  const log: string[] = []
  function* steps(name: string, count: number): Steps<string> {
    for (let step = 1; step <= count; step += 1) {
      clock.advance(2)
      log.push(`${name}${step}`)
      yield
    }
    return name
  }
  const tell = (name: string) => ({
    done: (done: Done<string> | null) =>
      log.push(done === null ? `${name} dropped` : `${name} done`),
    failed: (error: unknown) => log.push(`${name} failed: ${String(error)}`),
  })
  const nextTurn = async (): Promise<void> => {
    const begin = waiting.shift()
    assert.ok(begin !== undefined, 'nothing waits for a turn')
    begin()
    await new Promise(setImmediate)
  }
  return { work, clock, steps, tell, log, waiting, nextTurn }
}

test('what ends within a slice has ended when the call returns', () => {
  const { work, steps, tell, log, waiting } = workplace()
  work.run(steps('a', 2), tell('a'))
  assert.deepEqual(log, ['a1', 'a2', 'a done'])
  assert.equal(waiting.length, 0)
})

test('longer work goes on turn by turn, and what comes meanwhile waits for it', async () => {
  const { work, steps, tell, log, waiting, nextTurn } = workplace()
  work.run(steps('a', 5), tell('a'))
  work.run(steps('b', 1), tell('b'))
  assert.deepEqual(log, ['a1', 'a2', 'a3'])
  await nextTurn()
  assert.deepEqual(log.slice(3), ['a4', 'a5', 'a done', 'b1'])
  await nextTurn()
  assert.deepEqual(log.slice(7), ['b done'])
  assert.equal(waiting.length, 0)
})

test('what throws when it is told stops nothing that comes later', () => {
  const { work, steps, tell, log } = workplace()
  const deaf = {
    ...tell('a'),
    done: () => {
      throw new Error('not now')
    },
  }
  assert.throws(() => work.run(steps('a', 1), deaf), /not now/)
  work.run(steps('b', 1), tell('b'))
  assert.deepEqual(log, ['a1', 'b1', 'b done'])
})

test('the time of a piece is that of its own steps, and by the clock from its first', async () => {
  const { work, clock, steps, nextTurn } = workplace()
  const first = work.wait(steps('a', 5))
  const second = work.wait(steps('b', 2))
  clock.advance(30)
  await nextTurn()
  await nextTurn()
  assert.deepEqual(await first, { value: 'a', ms: 10, tookMs: 40 })
  assert.deepEqual(await second, { value: 'b', ms: 4, tookMs: 4 })
})

function* broken(): Steps<string> {
  yield
  throw new Error('no')
}

test('a piece that fails tells whoever brought it, and the next one goes on', () => {
  const { work, steps, tell, log } = workplace()
  work.run(broken(), tell('a'))
  work.run(steps('b', 1), tell('b'))
  assert.deepEqual(log, ['a failed: Error: no', 'b1', 'b done'])
})

test('what is done elsewhere is waited for, also when it fails, and is not counted', async () => {
  for (const settle of ['resolve', 'reject'] as const) {
    const { work, log, tell } = workplace()
    const elsewhere = Promise.withResolvers<void>()
    function* reading(): Work<string> {
      log.push('asked')
      yield elsewhere.promise
      log.push('read')
      return 'a'
    }
    work.run(reading(), tell('a'))
    await new Promise(setImmediate)
    assert.deepEqual(log, ['asked'])
    elsewhere[settle]()
    await new Promise(setImmediate)
    assert.deepEqual(log, ['asked', 'read', 'a done'])
  }
})

test('what is told may bring the next piece', () => {
  const { work, steps, tell, log } = workplace()
  const settled = tell('a')
  work.run(steps('a', 1), {
    ...settled,
    done: (done) => {
      settled.done(done)
      work.run(steps('b', 1), tell('b'))
    },
  })
  assert.deepEqual(log, ['a1', 'a done', 'b1', 'b done'])
})

test('after it is closed no step is taken, and whoever waits is told', async () => {
  const { work, steps, tell, log, nextTurn } = workplace()
  work.run(steps('a', 9), tell('a'))
  work.run(steps('b', 1), tell('b'))
  work.close()
  assert.deepEqual(log.slice(3), ['a dropped', 'b dropped'])
  await nextTurn()
  work.run(steps('c', 1), tell('c'))
  assert.deepEqual(log.slice(5), ['c dropped'])
  assert.equal(await work.wait(steps('d', 1)), null)
})

test.run()
