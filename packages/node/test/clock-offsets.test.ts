import assert from 'node:assert/strict'
import { test } from 'uvu'
import { answerClockRequest, ClockOffsets } from '../src/clock-offsets.ts'
import { TestClock } from './test-clock.ts'

/** Members whose clocks are off by so many milliseconds; null: does not answer. */
function offsets(clock: TestClock, others: Record<string, number | null | 'nonsense'>) {
  const peers = Object.keys(others).map((peerId) => ({ peerId, connected: true }))
  return new ClockOffsets({
    clock,
    isMember: (peerId) => peerId !== 'candidate',
    peers: () => peers,
    request: (peerId, protocol) => {
      assert.equal(protocol, 'clock')
      const skew = others[peerId] ?? null
      if (skew === null) return Promise.reject(new Error('no such protocol'))
      if (skew === 'nonsense') return Promise.resolve(Uint8Array.of(0xff, 1, 2))
      return Promise.resolve(answerClockRequest({ wall: () => clock.wall() + skew }))
    },
  })
}

test('the offset is ours against the median, so that one wrong clock moves nothing', async () => {
  const clock = new TestClock()
  const agreed = offsets(clock, { a: 10, b: -20, c: 3_600_000 })
  assert.equal(agreed.offsetMs(), null)
  await agreed.ask()
  assert.equal(agreed.skewMs('c'), 3_600_000)
  assert.equal(agreed.skewMs('b'), -20)
  assert.equal(agreed.offsetMs(), -5)
  const alone = offsets(clock, { a: 400, b: 410, c: 390 })
  await alone.ask()
  assert.equal(alone.offsetMs(), -395)
  await agreed.close()
  await alone.close()
})

test('who is no member has no say', async () => {
  const clock = new TestClock()
  const found = offsets(clock, { a: 100, candidate: 3_600_000 })
  await found.ask()
  assert.equal(found.skewMs('candidate'), null)
  assert.equal(found.offsetMs(), -50)
  await found.close()
})

test('who does not answer, or answers nonsense, has no clock; who goes is forgotten', async () => {
  const clock = new TestClock()
  const others: Record<string, number | null | 'nonsense'> = { a: 100, b: null, c: 'nonsense' }
  const peers = ['a', 'b', 'c'].map((peerId) => ({ peerId, connected: true }))
  const found = new ClockOffsets({
    clock,
    isMember: (peerId) => peerId !== 'candidate',
    peers: () => peers,
    request: (peerId) => {
      const skew = others[peerId] ?? null
      if (skew === 'nonsense') return Promise.resolve(Uint8Array.of(0xff))
      if (skew === null) return Promise.reject(new Error('gone'))
      return Promise.resolve(answerClockRequest({ wall: () => clock.wall() + skew }))
    },
  })
  await found.ask()
  assert.deepEqual(
    ['a', 'b', 'c'].map((peerId) => found.skewMs(peerId)),
    [100, null, null],
  )
  Object.assign(peers[0] ?? {}, { connected: false })
  await found.ask()
  assert.equal(found.offsetMs(), null)
  await found.close()
})

test('of several answers the one with the shortest way counts', async () => {
  const clock = new TestClock()
  const ways = [300, 20, 200]
  const found = new ClockOffsets({
    clock,
    isMember: () => true,
    peers: () => [{ peerId: 'a', connected: true }],
    request: () => {
      const wayMs = ways.shift() ?? 0
      // All of the delay on the way back.
      const answer = answerClockRequest({ wall: () => clock.wall() + 50 })
      clock.advance(wayMs)
      return Promise.resolve(answer)
    },
  })
  for (const expected of [-100, 40, 40]) {
    await found.ask()
    assert.equal(found.skewMs('a'), expected)
  }
  await found.close()
})

test.run()
