// A node whose votes are lost follows until no forgotten vote can be contradicted.

import assert from 'node:assert/strict'
import { test } from 'uvu'
import { STATUS_VIEWS } from '../src/messages.ts'
import type { Recovered } from '../src/start.ts'
import type { Status } from '../src/types.ts'
import { Bench, blockOn, configOf, GENESIS, only, typesIn, voteOf } from './fixture.ts'

const NONCE = 77

function statusOf(change: Partial<Status>): Status {
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

function lost(recovered: Partial<Recovered> = {}): Bench {
  return new Bench(configOf(0), { rejoin: { kind: 'gather', nonce: NONCE }, ...recovered })
}

function answer(bench: Bench, from: number, view: number, nonce = NONCE): void {
  bench.feed({ type: 'status', from, status: statusOf({ view, answer: nonce }) })
}

function nullified(bench: Bench, upTo: number): void {
  for (let view = 1; view <= upTo; view += 1) bench.certify(bench.nullification(view))
}

/** Everything that leads others to a vote. */
function tempt(bench: Bench, view: number): void {
  const block = blockOn(GENESIS, view)
  bench.feed({ type: 'work', waiting: true })
  bench.show(block)
  bench.timer('leader')
  bench.timer('certification')
  bench.certify(bench.notarization(block))
}

test('who has lost its votes asks all, and votes nothing', () => {
  const bench = lost({ votes: [voteOf('nullify', 1, 0)] })
  const [status] = bench.sent('broadcast')
  assert.ok(status?.message.kind === 'status')
  assert.equal(status.message.status.question, NONCE)
  assert.equal(bench.sent('broadcast').length, 1, 'what is left of its votes is not told again')
  tempt(bench, 1)
  tempt(bench, 2)
  assert.deepEqual(bench.given(), [])
})

test('a question is answered with the status and its number', () => {
  const bench = new Bench(configOf(1))
  bench.feed({ type: 'status', from: 0, status: statusOf({ question: NONCE }) })
  const { to, message } = only(bench.last, 'send')
  assert.ok(message.kind === 'status')
  assert.deepEqual([to, message.status.answer], [0, NONCE])
})

test('a quorum of answers says from where to vote: three views above what they prove', () => {
  const bench = lost()
  nullified(bench, 4)
  answer(bench, 1, 5)
  answer(bench, 2, 4)
  assert.ok(!typesIn(bench.actions).includes('rejoin'))
  answer(bench, 3, 5)
  assert.equal(only(bench.last, 'rejoin').voteFrom, 4 + 3)
  nullified(bench, 5)
  tempt(bench, 6)
  assert.deepEqual(bench.given(), [])
  tempt(bench, 7)
  assert.ok(
    bench.given().every((vote) => vote.endsWith(' 7')),
    bench.given().join(', '),
  )
  assert.ok(bench.given().length > 0)
})

test('an answer to another question counts nothing: it may be older than the loss', () => {
  const bench = lost()
  for (const from of [1, 2, 3]) answer(bench, from, 1, NONCE - 1)
  for (const from of [1, 2, 3]) answer(bench, from, 1, 0)
  assert.ok(!typesIn(bench.actions).includes('rejoin'))
})

test('a claim counts when its certificates are here, and a liar cannot hold back the others', () => {
  const bench = lost()
  answer(bench, 1, 9)
  answer(bench, 2, 3)
  answer(bench, 3, 3)
  assert.ok(!typesIn(bench.actions).includes('rejoin'))
  nullified(bench, 2)
  assert.ok(
    !typesIn(bench.actions).includes('rejoin'),
    'nothing leads into the view that one claims',
  )
  const wide = new Bench(configOf(0, 7), { rejoin: { kind: 'gather', nonce: NONCE } })
  answer(wide, 1, Number.MAX_SAFE_INTEGER)
  for (const from of [2, 3, 4, 5, 6]) answer(wide, from, 1)
  assert.equal(only(wide.last, 'rejoin').voteFrom, 3)
})

test('one peer answers once, however often it speaks', () => {
  const bench = lost()
  for (let count = 0; count < 5; count += 1) answer(bench, 1, 1)
  assert.ok(!typesIn(bench.actions).includes('rejoin'))
})

test('an earlier answer of a peer is enough, though the chain runs on', () => {
  const bench = lost()
  for (const from of [1, 2, 3]) answer(bench, from, 2)
  for (const from of [1, 2, 3]) answer(bench, from, 200)
  bench.certify(bench.nullification(1))
  assert.equal(only(bench.last, 'rejoin').voteFrom, 4)
})

test('a restart while waiting goes on waiting', () => {
  const bench = new Bench(configOf(0), { rejoin: { kind: 'wait', voteFrom: 3 } })
  tempt(bench, 1)
  tempt(bench, 2)
  assert.deepEqual(bench.given(), [])
  tempt(bench, 3)
  assert.ok(bench.given().length > 0)
})

test('an ordinary block that is final above ends the matter; a sealing one does not', () => {
  for (const isSealing of [false, true]) {
    const bench = new Bench(configOf(0), { rejoin: { kind: 'wait', voteFrom: 2 } })
    const block = blockOn(GENESIS, 2, { isSealing })
    bench.certify(bench.nullification(1))
    bench.notarize(block)
    bench.certify(bench.finalization(block))
    const said = bench.actions.flatMap((action) =>
      action.type === 'rejoin' ? [action.voteFrom] : [],
    )
    assert.deepEqual(said, isSealing ? [] : [null])
  }
})

test('of blocks that a later one makes final only their own view counts', () => {
  const bench = new Bench(configOf(0), { rejoin: { kind: 'wait', voteFrom: 3 } })
  const early = blockOn(GENESIS, 2)
  const late = blockOn(early, 3)
  const finalization = bench.finalization(blockOn(late, 4, { isSealing: true }))
  bench.feed({ type: 'synced', block: early, finalization })
  assert.ok(!typesIn(bench.last).includes('rejoin'))
  bench.feed({ type: 'synced', block: late, finalization })
  assert.equal(only(bench.last, 'rejoin').voteFrom, null)
})

test('its own old signatures are no second process; one where it cannot have been is', () => {
  const bench = lost()
  const block = blockOn(GENESIS, 1)
  bench.certify(bench.notarization(block, [0, 1, 2]))
  for (const from of [1, 2, 3]) answer(bench, from, 2)
  assert.equal(bench.state.voteFrom, 4)
  bench.certify(bench.nullification(3, [0, 1, 2]))
  assert.equal(bench.state.isHalted, false)
  bench.certify(bench.nullification(4, [0, 1, 2]))
  assert.equal(bench.state.isHalted, true)
  assert.equal(only(bench.last, 'halt').reason.code, 'duplicate_key')
})

test.run()
