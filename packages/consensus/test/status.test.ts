import assert from 'node:assert/strict'
import { test } from 'uvu'
import { encodeMessage, STATUS_VIEWS } from '../src/messages.ts'
import type { Certificate, Status, Vote } from '../src/types.ts'
import { Bench, blockOn, configOf, DELTA_MS, GENESIS, only, voteOf } from './fixture.ts'

/** What the frames of the urgent lane may hold. */
const FRAME_BYTES_MAX = 256 << 10

function statusOf(change: Partial<Status> = {}): Status {
  return {
    epoch: 0,
    finalizedView: 0,
    finalizedHeight: 0,
    finalizedDigest: GENESIS.digest,
    view: 1,
    from: 1,
    notarized: new Uint8Array(STATUS_VIEWS / 8),
    nullified: new Uint8Array(STATUS_VIEWS / 8),
    question: 0,
    answer: 0,
    ...change,
  }
}

function ask(bench: Bench, from: number, change: Partial<Status> = {}): void {
  bench.now += DELTA_MS
  bench.feed({ type: 'status', from, status: statusOf(change) })
}

function answers(bench: Bench): { certificates: Certificate[]; votes: Vote[] } {
  const certificates: Certificate[] = []
  const votes: Vote[] = []
  for (const { message } of bench.sent('send')) {
    if (message.kind === 'certificates') certificates.push(...message.certificates)
    if (message.kind === 'votes') votes.push(...message.votes)
  }
  return { certificates, votes }
}

function names(given: readonly (Certificate | Vote)[]): string[] {
  return given.map(({ kind, subject }) => `${kind} ${subject.view}`)
}

test('a status is answered with what it lacks, of both kinds of one view', () => {
  const bench = new Bench(configOf(0))
  const block = blockOn(GENESIS, 1)
  bench.certify(bench.notarization(block), bench.nullification(1), bench.nullification(2))
  ask(bench, 1, { view: 2, notarized: new Uint8Array(8).fill(1, 0, 1) })
  assert.deepEqual(names(answers(bench).certificates), ['nullify 1', 'nullify 2'])
  ask(bench, 2, { view: 2, nullified: new Uint8Array(8).fill(1, 0, 1) })
  assert.deepEqual(names(answers(bench).certificates), ['notarize 1', 'nullify 2'])
})

test('a status below the last finalization is answered with it', () => {
  const bench = new Bench(configOf(0))
  bench.certify(bench.finalization(blockOn(GENESIS, 1)))
  ask(bench, 1)
  assert.deepEqual(names(answers(bench).certificates), ['finalize 1'])
})

test('who is behind by no more than the way is told nothing that is on its way', () => {
  const bench = new Bench(configOf(0))
  const block = blockOn(GENESIS, 1)
  bench.now += DELTA_MS
  bench.notarize(block)
  const near = statusOf({ view: 1 })
  bench.feed({ type: 'status', from: 1, status: near })
  assert.deepEqual(answers(bench).certificates, [], 'we have just come into view 2')
  bench.feed({ type: 'status', from: 2, status: { ...near, question: 7 } })
  assert.deepEqual(names(answers(bench).certificates), ['notarize 1'], 'who asks is answered')
  ask(bench, 1, { view: 1 })
  assert.deepEqual(names(answers(bench).certificates), ['notarize 1'], 'and who is still behind')
})

test('own votes that may still complete a certificate are told', () => {
  const bench = new Bench(configOf(0))
  const block = blockOn(GENESIS, 1)
  bench.show(block)
  bench.release()
  ask(bench, 1)
  assert.deepEqual(names(answers(bench).votes), ['notarize 1'])
  bench.certify(bench.notarization(block))
  bench.release()
  ask(bench, 2)
  assert.deepEqual(names(answers(bench).votes), ['notarize 1', 'finalize 1'])
})

test('who hears of more than it has asks for it, at most every half delta', () => {
  const bench = new Bench(configOf(0))
  ask(bench, 1, { view: 9 })
  assert.equal(only(bench.last, 'send').message.kind, 'status')
  bench.now += 10
  bench.feed({ type: 'status', from: 1, status: statusOf({ view: 9 }) })
  assert.deepEqual(bench.last, [])
  ask(bench, 1, { finalizedView: 3, finalizedHeight: 3 })
  assert.equal(only(bench.last, 'send').message.kind, 'status')
})

test('a status of another epoch is not answered', () => {
  const bench = new Bench(configOf(0))
  bench.certify(bench.nullification(1))
  ask(bench, 1, { epoch: 1 })
  assert.deepEqual(bench.last, [])
})

test('an answer fits into a frame, however many authorities sign', () => {
  for (const authorities of [4, 44, 100, 256]) {
    const bench = new Bench(configOf(0, authorities))
    for (let view = 1; view <= STATUS_VIEWS; view += 1)
      bench.certify(bench.notarization(blockOn(GENESIS, view)), bench.nullification(view))
    ask(bench, 1, { view: 1 })
    const [first] = bench.sent('send')
    assert.ok(first?.message.kind === 'certificates' && first.message.certificates.length > 1)
    assert.ok(encodeMessage(first.message).length <= FRAME_BYTES_MAX, `${authorities} authorities`)
  }
})

test('who asks all the time is answered some of the time', () => {
  const bench = new Bench(configOf(0))
  bench.certify(bench.nullification(1))
  let sent = 0
  for (let asked = 0; asked < 100; asked += 1) {
    bench.feed({ type: 'status', from: 1, status: statusOf() })
    sent += bench.sent('send').length
    bench.now += 1
  }
  assert.ok(sent > 0 && sent <= 4, `${sent} answers in 100 ms`)
})

test('the periodic status repeats itself and names what is held', () => {
  const bench = new Bench(configOf(0))
  bench.certify(bench.nullification(1), bench.notarization(blockOn(GENESIS, 2)))
  bench.timer('status')
  const { message } = only(bench.last, 'broadcast')
  assert.ok(message.kind === 'status')
  assert.deepEqual([message.status.from, message.status.view], [1, 3])
  assert.deepEqual([message.status.nullified[0], message.status.notarized[0]], [1, 2])
  const timer = bench.last.find((action) => action.type === 'set-timer' && action.name === 'status')
  assert.ok(timer?.type === 'set-timer' && timer.afterMs >= 2_400 && timer.afterMs <= 3_600)
})

test('a status of more views than it can name starts at the first hole', () => {
  const bench = new Bench(configOf(0))
  const held = Array.from({ length: 100 }, (_, index) => index + 1).filter((view) => view !== 20)
  bench.certify(...held.map((view) => bench.nullification(view)))
  bench.timer('status')
  const { message } = only(bench.last, 'broadcast')
  assert.ok(message.kind === 'status')
  assert.equal(message.status.from, 20)
  assert.equal(message.status.nullified[0], 0b1111_1110)
})

test('an observer and a node that has halted tell no votes', () => {
  for (const me of [null, 0]) {
    const bench = new Bench(configOf(me))
    bench.vote(voteOf('nullify', 1, 2))
    if (me !== null) bench.vote(voteOf('notarize', blockOn(GENESIS, 1), me))
    assert.equal(bench.state.isHalted, me !== null)
    ask(bench, 1)
    assert.deepEqual(answers(bench).votes, [])
  }
})

test.run()
