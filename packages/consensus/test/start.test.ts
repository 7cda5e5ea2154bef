import assert from 'node:assert/strict'
import { test } from 'uvu'
import { decodeMessage, encodeMessage } from '../src/messages.ts'
import type { Vote } from '../src/types.ts'
import { Bench, blockOn, configOf, GENESIS, typesIn, voteOf } from './fixture.ts'

const NO_MARKS = { notarize: 0, nullify: 0, finalize: 0 }

test('a node that voted in hundreds of views without finality starts with messages within limits', () => {
  const made = new Bench(configOf(0))
  const views = Array.from({ length: 300 }, (_, index) => index + 1)
  const votes = views.map((view) => voteOf('nullify', view, 0))
  const certificates = views.map((view) => made.nullification(view))
  const marks = { ...NO_MARKS, nullify: 300 }
  const bench = new Bench(configOf(0), { votes, certificates, marks })
  const sent: Vote[] = []
  for (const { message } of bench.sent('broadcast')) {
    assert.doesNotThrow(() => decodeMessage(encodeMessage(message)))
    if (message.kind === 'votes') sent.push(...message.votes)
  }
  assert.equal(sent.at(-1)?.subject.view, 300)
  assert.equal(bench.state.view, 301)
})

test('a nullify that only the marks remember is given again, and repeated', () => {
  const bench = new Bench(configOf(0), { marks: { ...NO_MARKS, nullify: 1 } })
  assert.deepEqual(bench.given(), ['nullify 1'])
  bench.release()
  bench.timer('retry')
  assert.deepEqual(
    bench.sent('broadcast').flatMap(({ message }) => message.kind),
    ['votes'],
  )
})

test('a nullify that only the marks remember is given when its view is reached', () => {
  const bench = new Bench(configOf(0), { marks: { ...NO_MARKS, nullify: 3 } })
  assert.deepEqual(bench.given(), ['nullify 1'])
  bench.release()
  bench.certify(bench.nullification(1))
  bench.release()
  bench.certify(bench.nullification(2))
  bench.release()
  assert.deepEqual(bench.given(), ['nullify 1', 'nullify 2', 'nullify 3'])
})

test('where the marks know of a nullify nothing else is voted', () => {
  const bench = new Bench(configOf(0), { marks: { ...NO_MARKS, nullify: 2 } })
  const block = blockOn(GENESIS, 2)
  bench.show(block, [bench.nullification(1)])
  bench.certify(bench.notarization(block))
  assert.equal(bench.state.view, 3)
  assert.equal(bench.state.blocks.get(block.digest)?.execution, 'valid')
  assert.deepEqual(bench.given(), ['nullify 1', 'nullify 2'])
})

test('where the marks know of a notarize no other is given, and the view can be left', () => {
  const bench = new Bench(configOf(0), { marks: { ...NO_MARKS, notarize: 1 } })
  bench.show(blockOn(GENESIS, 1))
  assert.deepEqual(bench.given(), [])
  bench.timer('certification')
  assert.deepEqual(bench.given(), ['nullify 1'])
})

test('a leader of whose notarize only the marks know does not propose again', () => {
  const bench = new Bench(configOf(1), { marks: { ...NO_MARKS, notarize: 1 } })
  assert.deepEqual(typesIn(bench.last).slice(-2), ['leader', 'certification'])
  bench.feed({ type: 'work', waiting: true })
  bench.feed({ type: 'built', view: 1, block: blockOn(GENESIS, 1), failed: false })
  assert.deepEqual(bench.given(), [])
})

test('votes between the last one on record and the mark count as given too', () => {
  const recorded = [voteOf('notarize', blockOn(GENESIS, 1), 0), voteOf('nullify', 1, 0)]
  const marks = { notarize: 3, nullify: 1, finalize: 0 }
  const bench = new Bench(configOf(0), { votes: recorded, marks })
  bench.show(blockOn(GENESIS, 2), [bench.nullification(1)])
  bench.show(blockOn(GENESIS, 3), [bench.nullification(2)])
  assert.deepEqual(bench.given(), [])
  bench.show(blockOn(GENESIS, 5), [bench.nullification(3), bench.nullification(4)])
  assert.deepEqual(bench.given(), ['notarize 5'])
})

test('where the marks know of a finalize there is no nullify, and the finalize can be given again', () => {
  const bench = new Bench(configOf(0), { marks: { ...NO_MARKS, finalize: 1 } })
  const block = blockOn(GENESIS, 1)
  bench.feed({ type: 'work', waiting: true })
  bench.timer('leader')
  bench.timer('certification')
  assert.deepEqual(bench.given(), [])
  bench.notarize(block)
  assert.deepEqual(bench.given(), ['finalize 1'])
})

test('marks at or below the last finalization forbid nothing', () => {
  const made = new Bench(configOf(0))
  const block = blockOn(GENESIS, 5)
  const bench = new Bench(configOf(0), {
    committed: block,
    finalization: made.finalization(block),
    marks: { notarize: 5, nullify: 4, finalize: 5 },
  })
  bench.show(blockOn(block, 6))
  assert.deepEqual(bench.given(), ['notarize 6'])
})

test.run()
