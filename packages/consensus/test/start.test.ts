import assert from 'node:assert/strict'
import { test } from 'uvu'
import { decodeMessage, encodeMessage } from '../src/messages.ts'
import type { Vote } from '../src/types.ts'
import { Bench, blockOn, configOf, GENESIS, only, typesIn, voteOf } from './fixture.ts'

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
  bench.feed({ type: 'work', waiting: true })
  assert.deepEqual(typesIn(bench.last), ['leader', 'certification'])
  bench.feed({ type: 'built', view: 1, block: blockOn(GENESIS, 1), failed: false })
  assert.deepEqual(bench.given(), [])
})

test('a nullify lost behind the marks stays in mind when later ones are on record', () => {
  const made = new Bench(configOf(0))
  const block = blockOn(GENESIS, 2)
  const bench = new Bench(configOf(0), {
    certificates: [made.nullification(1), made.notarization(block), made.nullification(3)],
    votes: [voteOf('nullify', 1, 0), voteOf('nullify', 3, 0)],
    blocks: [block],
    marks: { ...NO_MARKS, nullify: 3 },
  })
  bench.executed(block)
  assert.equal(bench.state.blocks.get(block.digest)?.execution, 'valid')
  assert.deepEqual(bench.given(), [])
})

test('a finalize on record is no nullify, whatever the marks say', () => {
  const made = new Bench(configOf(0))
  const block = blockOn(GENESIS, 1)
  const bench = new Bench(configOf(0), {
    votes: [voteOf('finalize', block, 0), voteOf('nullify', 2, 0)],
    certificates: [made.notarization(block), made.nullification(2)],
    marks: { notarize: 0, nullify: 2, finalize: 1 },
  })
  assert.deepEqual(bench.given(), [])
  assert.equal(bench.state.view, 3)
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

test('the view comes from certificates alone: an empty entry counts for nothing', () => {
  const made = new Bench(configOf(0))
  const bench = new Bench(configOf(0), {
    certificates: [made.nullification(1), made.notarization(blockOn(GENESIS, 2))],
    votes: [voteOf('nullify', 1, 0), voteOf('notarize', blockOn(GENESIS, 3), 0)],
    marks: { notarize: 3, nullify: 1, finalize: 0 },
  })
  assert.equal(bench.state.view, 3)
})

test('own votes come back with their signatures, are told again, and bind', () => {
  const block = blockOn(GENESIS, 1)
  const own = { ...voteOf('notarize', block, 0), signature: new Uint8Array(64).fill(9) }
  const bench = new Bench(configOf(0), {
    votes: [own],
    blocks: [block],
    marks: { ...NO_MARKS, notarize: 1 },
  })
  const told = bench
    .sent('broadcast')
    .flatMap(({ message }) => (message.kind === 'votes' ? message.votes : []))
  assert.deepEqual(told, [own])
  bench.show(blockOn(GENESIS, 1, { salt: 1 }))
  assert.deepEqual(bench.given(), [])
})

test('a node that had nullified its view repeats that', () => {
  const bench = new Bench(configOf(0), {
    votes: [voteOf('nullify', 1, 0)],
    marks: { ...NO_MARKS, nullify: 1 },
  })
  assert.ok(typesIn(bench.actions).includes('retry'))
  bench.timer('retry')
  assert.equal(bench.sent('broadcast')[0]?.message.kind, 'votes')
  assert.deepEqual(bench.given(), [])
})

test('an unfinished commit is taken up again', () => {
  const made = new Bench(configOf(0))
  const [first, second] = [blockOn(GENESIS, 1), blockOn(blockOn(GENESIS, 1), 2)]
  const bench = new Bench(configOf(0), {
    certificates: [made.notarization(first), made.notarization(second), made.finalization(second)],
    blocks: [first],
  })
  assert.deepEqual([bench.state.final.view, bench.state.committed.height], [2, 0])
  assert.deepEqual(
    bench.actions
      .filter(({ type }) => type === 'fetch-block' || type === 'execute')
      .map(({ type }) => type),
    ['fetch-block'],
  )
  bench.feed({ type: 'block', block: second })
  bench.executed(first)
  bench.executed(second)
  assert.deepEqual(only(bench.actions, 'commit').blocks, [first, second])
})

test('a leader that had voted for its block and not sent it proposes it again', () => {
  const block = blockOn(GENESIS, 1)
  const votes = [voteOf('notarize', block, 1)]
  const marks = { ...NO_MARKS, notarize: 1 }
  const bench = new Bench(configOf(1), { votes, blocks: [block], marks })
  assert.equal(only(bench.actions, 'propose').vote.subject.digest, block.digest)
  const made = new Bench(configOf(1))
  const later = { votes, blocks: [block], marks, certificates: [made.nullification(1)] }
  assert.ok(!typesIn(new Bench(configOf(1), later).actions).includes('propose'))
})

test('nothing that was on disk is journalled again, and everybody is asked for news', () => {
  const made = new Bench(configOf(0))
  const bench = new Bench(configOf(0), { certificates: [made.nullification(1)] })
  assert.ok(!typesIn(bench.actions).includes('journal'))
  assert.deepEqual(
    bench.sent('broadcast').map(({ message }) => message.kind),
    ['status'],
  )
})

test('a start on a chain without its own journal begins after its last final block', () => {
  const made = new Bench(configOf(0))
  const tip = { ...blockOn(GENESIS, 9), height: 9 }
  const bench = new Bench(configOf(0), { committed: tip, finalization: made.finalization(tip) })
  assert.deepEqual([bench.state.final.view, bench.state.view], [9, 10])
  assert.equal(bench.state.committed.digest, tip.digest)
})

test('a second start from the same disk is the same start', () => {
  const made = new Bench(configOf(0))
  const block = blockOn(GENESIS, 2)
  const recovered = {
    certificates: [made.nullification(1), made.notarization(block)],
    votes: [voteOf('nullify', 1, 0), voteOf('notarize', block, 0), voteOf('finalize', block, 0)],
    blocks: [block],
    marks: { notarize: 2, nullify: 1, finalize: 2 },
  }
  const [first, second] = [new Bench(configOf(0), recovered), new Bench(configOf(0), recovered)]
  assert.deepEqual(first.state, second.state)
  assert.deepEqual(first.actions, second.actions)
})

test.run()
