// A new guard: it may be that of a founder, of a newcomer, or of an authority that lost everything.

import assert from 'node:assert/strict'
import { test } from 'uvu'
import { quorumOf } from '../src/quorum.ts'
import { witnessesOf } from '../src/rejoin.ts'
import type { Status } from '../src/types.ts'
import { Bench, blockOn, configOf, GENESIS, SIGNATURE, voteOf } from './fixture.ts'

const NONCE = 7
const block = blockOn(GENESIS, 1)

function newcomer(authorities = 4, mayBegin = true): Bench {
  const rejoin = { kind: 'gather' as const, nonce: NONCE, mayBegin }
  return new Bench(configOf(0, authorities), { rejoin })
}

function answer(bench: Bench, from: number, change: Partial<Status> = {}): void {
  const nothing = new Uint8Array(8)
  const status: Status = {
    epoch: 0,
    finalizedView: 0,
    finalizedHeight: 0,
    finalizedDigest: GENESIS.digest,
    view: 1,
    from: 1,
    notarized: nothing,
    nullified: nothing,
    question: 0,
    answer: NONCE,
    ...change,
  }
  bench.feed({ type: 'status', from, status })
}

const nextRejoin = (bench: Bench) =>
  bench.actions.flatMap((action) => (action.type === 'rejoin' ? [action.voteFrom] : []))

test('founders begin as soon as enough of them say that nobody has got anywhere', () => {
  const bench = newcomer()
  bench.show(block)
  answer(bench, 1)
  assert.deepEqual(bench.given(), [])
  answer(bench, 2)
  assert.deepEqual(nextRejoin(bench), [null])
  assert.deepEqual(bench.given(), ['notarize 1'])
})

test('answers to another question, or older than it, are none', () => {
  const bench = newcomer()
  bench.show(block)
  answer(bench, 1, { answer: 0 })
  answer(bench, 2, { answer: NONCE + 1 })
  answer(bench, 3, { answer: NONCE - 1 })
  assert.deepEqual([nextRejoin(bench), bench.given()], [[], []])
})

test('who is alone in its network begins alone', () => {
  assert.deepEqual(nextRejoin(newcomer(1)), [null])
})

test('where a certificate exists a new guard waits, although it may begin', () => {
  const bench = newcomer()
  bench.certify(bench.nullification(1))
  answer(bench, 1, { view: 2 })
  answer(bench, 2, { view: 2 })
  assert.deepEqual(nextRejoin(bench), [])
  answer(bench, 3, { view: 1 })
  assert.deepEqual(nextRejoin(bench), [4])
  bench.show(blockOn(GENESIS, 2))
  assert.deepEqual(bench.given(), [])
})

test('a claim of a later view holds a new guard back until it is proven', () => {
  const bench = newcomer()
  answer(bench, 1, { view: 9 })
  answer(bench, 2)
  assert.deepEqual(nextRejoin(bench), [])
  answer(bench, 3)
  assert.deepEqual(nextRejoin(bench), [null])
})

test('a vote of its own that comes back shows a new guard that it is not the first', () => {
  for (const vote of [voteOf('notarize', block, 0), voteOf('nullify', 1, 0)]) {
    const bench = newcomer()
    bench.vote({ ...vote, signature: SIGNATURE })
    bench.show(block)
    answer(bench, 1)
    answer(bench, 2)
    assert.deepEqual(nextRejoin(bench), [])
    answer(bench, 3)
    assert.deepEqual(nextRejoin(bench), [3])
    assert.deepEqual(bench.given(), [])
  }
})

test('a guard that is known to be lost never begins', () => {
  const bench = newcomer(4, false)
  for (const from of [1, 2, 3]) answer(bench, from)
  assert.deepEqual(nextRejoin(bench), [3])
})

test('witnesses meet every quorum in an honest node, and are no more than must be there', () => {
  for (let authorities = 1; authorities <= 100; authorities += 1) {
    const faults = Math.floor((authorities - 1) / 3)
    const others = authorities - 1
    const witnesses = witnessesOf(authorities)
    const signers = quorumOf(authorities) - 1
    const shared = witnesses + signers - others
    assert.ok(authorities === 1 || shared >= Math.max(1, faults), `${authorities}`)
    assert.ok(authorities < 4 || witnesses <= others - faults, `${authorities}`)
  }
})

test('who connects is sent its own open votes, and nobody else’s', () => {
  const bench = new Bench(configOf(0))
  const theirs = voteOf('notarize', block, 2)
  bench.vote(theirs, voteOf('notarize', blockOn(GENESIS, 1, { salt: 1 }), 1))
  bench.feed({ type: 'peers', heard: [null, null, 5, null] })
  assert.deepEqual(
    bench.sent('send').map(({ to, message }) => [to, message]),
    [[2, { kind: 'votes', votes: [theirs] }]],
  )
  bench.feed({ type: 'peers', heard: [null, null, 9, null] })
  assert.deepEqual(bench.sent('send'), [])
})

test('who asks gets its own votes before the answer', () => {
  const bench = new Bench(configOf(0))
  const theirs = voteOf('notarize', block, 2)
  bench.vote(theirs)
  bench.now += 1_000
  answer(bench, 2, { question: 3, answer: 0 })
  const kinds = bench.sent('send').map(({ to, message }) => `${message.kind} ${to}`)
  assert.deepEqual(kinds, ['votes 2', 'status 2'])
})

test('a vote of its own that a node does not know ends its votes', () => {
  const bench = new Bench(configOf(0))
  bench.vote({ ...voteOf('notarize', block, 0), signature: SIGNATURE })
  assert.equal(bench.state.isHalted, true)
})

test.run()
