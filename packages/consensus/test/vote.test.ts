import assert from 'node:assert/strict'
import { test } from 'uvu'
import type { BlockMeta } from '../src/types.ts'
import {
  Bench,
  blockOn,
  configOf,
  DELTA_MS,
  GENESIS,
  only,
  typesIn,
  unsignedIn,
  voteOf,
  votesIn,
  WALL,
} from './fixture.ts'

const block = blockOn(GENESIS, 1)
const other = blockOn(GENESIS, 1, { salt: 1 })

/** What a proposal in view 1 leads to when it is executed at once. */
function outcomeOf(proposed: BlockMeta, prepare: (bench: Bench) => void = () => undefined) {
  const bench = new Bench(configOf(0))
  prepare(bench)
  bench.show(proposed)
  return bench.given()
}

test('a good proposal is executed and then notarized, with its own subject', () => {
  const bench = new Bench(configOf(0))
  bench.propose(block)
  assert.equal(only(bench.last, 'execute').digest, block.digest)
  assert.deepEqual(bench.given(), [])
  bench.executed(block)
  assert.deepEqual(unsignedIn(bench.last), [
    {
      kind: 'notarize',
      subject: { epoch: 0, view: 1, parentView: 0, height: 1, digest: block.digest },
      signer: 0,
    },
  ])
})

test('a block that cannot be executed is answered with a nullify', () => {
  const bench = new Bench(configOf(0))
  bench.propose(block)
  bench.executed(block, 'invalid')
  assert.deepEqual(bench.given(), ['nullify 1'])
})

test('a proposal on another parent, of another height, or on a later view is nullified', () => {
  assert.deepEqual(outcomeOf({ ...block, parent: other.digest }), ['nullify 1'])
  assert.deepEqual(outcomeOf({ ...block, height: 2 }), ['nullify 1'])
  assert.deepEqual(outcomeOf({ ...block, parentView: 1 }), ['nullify 1'])
  assert.deepEqual(outcomeOf({ ...block, parentView: 7 }), ['nullify 1'])
})

test('a proposal on a block below the last finalization is nullified (R4a)', () => {
  const bench = new Bench(configOf(0))
  bench.notarize(block)
  bench.certify(bench.finalization(block))
  bench.show(blockOn(GENESIS, 2))
  assert.deepEqual(votesIn(bench.last), [])
  assert.deepEqual(bench.given().at(-1), 'nullify 2')
})

test('a proposal beside the final block of the same view is nullified (R4a)', () => {
  const bench = new Bench(configOf(0))
  bench.notarize(block)
  bench.certify(bench.finalization(block))
  bench.show(blockOn(other, 2))
  assert.deepEqual(bench.given().at(-1), 'nullify 2')
})

test('a parent whose notarization is missing is asked for, not refused (R4b)', () => {
  const bench = new Bench(configOf(0))
  bench.certify(bench.nullification(1))
  const missing = blockOn(GENESIS, 1)
  bench.propose(blockOn(missing, 2))
  assert.deepEqual(bench.given(), [])
  const { to, message } = only(bench.last, 'send')
  assert.deepEqual([to, message.kind], [2, 'status'])
  bench.feed({ type: 'block', block: missing })
  bench.certify(bench.notarization(missing))
  bench.executed(missing)
  bench.executed(blockOn(missing, 2))
  assert.ok(bench.given().includes('notarize 2'))
})

test('every skipped view must be nullified, the first as well as the last (R4c)', () => {
  for (const missing of [1, 2, 3]) {
    const bench = new Bench(configOf(1))
    for (const view of [1, 2, 3]) {
      if (view !== missing) bench.certify(bench.nullification(view))
      else bench.certify(bench.notarization(blockOn(GENESIS, view, { salt: 9 })))
    }
    const late = blockOn(GENESIS, 4)
    bench.propose(late)
    bench.executed(late)
    assert.deepEqual(bench.given(), [], `view ${missing} is not nullified`)
    bench.certify(bench.nullification(missing))
    bench.executed(late)
    assert.deepEqual(bench.given(), ['notarize 4'])
  }
})

test('a proposal brings what proves its parent', () => {
  const bench = new Bench(configOf(1))
  const parent = blockOn(GENESIS, 1)
  const late = blockOn(parent, 4)
  const proof = [bench.notarization(parent), bench.nullification(2), bench.nullification(3)]
  bench.propose(late, proof)
  assert.equal(bench.state.view, 4)
  bench.feed({ type: 'block', block: parent })
  bench.executed(parent)
  bench.executed(late)
  assert.ok(bench.given().includes('notarize 4'))
})

test('of two proposals of one leader the first is kept', () => {
  const bench = new Bench(configOf(0))
  bench.show(block)
  bench.show(other)
  assert.deepEqual(bench.given(), ['notarize 1'])
})

test('a leader that equivocates before the vote gets none', () => {
  const bench = new Bench(configOf(0))
  bench.propose(block)
  bench.propose(other)
  bench.executed(block)
  bench.executed(other)
  assert.deepEqual(bench.given(), [])
  bench.timer('certification')
  assert.deepEqual(bench.given(), ['nullify 1'])
})

test('a leader that votes for another block than it proposed gets no vote', () => {
  const bench = new Bench(configOf(0))
  bench.vote(voteOf('notarize', other, 1))
  bench.show(block)
  assert.deepEqual(bench.given(), [])
})

test('who got the wrong half of an equivocation follows the notarization', () => {
  const bench = new Bench(configOf(0))
  bench.show(other)
  bench.certify(bench.notarization(block))
  assert.equal(only(bench.last, 'fetch-block').digest, block.digest)
  bench.feed({ type: 'block', block })
  bench.executed(block)
  assert.deepEqual(bench.given(), ['notarize 1', 'finalize 1'])
})

test('a proposal for a view that is over is not notarized', () => {
  const bench = new Bench(configOf(0))
  bench.certify(bench.nullification(1))
  bench.show(block)
  assert.deepEqual(bench.given(), [])
})

test('a proposal for a later view waits for that view', () => {
  const bench = new Bench(configOf(0))
  const next = blockOn(GENESIS, 2)
  bench.propose(next)
  assert.deepEqual(bench.given(), [])
  bench.certify(bench.nullification(1))
  bench.executed(next)
  assert.deepEqual(bench.given(), ['notarize 2'])
})

test('a proposal far ahead is not even kept', () => {
  const bench = new Bench(configOf(0))
  bench.propose(blockOn(GENESIS, 17))
  bench.propose(blockOn(GENESIS, 18))
  assert.deepEqual([...bench.state.views.keys()], [17])
  assert.equal(bench.state.blocks.size, 1)
})

test('a block from the future is waited for within delta, and refused beyond', () => {
  const soon = { ...block, time: WALL + 500 + DELTA_MS }
  const bench = new Bench(configOf(0))
  bench.show(soon)
  assert.deepEqual(bench.given(), [])
  const wait = bench.last.find((action) => action.type === 'set-timer' && action.name === 'early')
  assert.ok(wait?.type === 'set-timer' && wait.afterMs === DELTA_MS)
  bench.wall += DELTA_MS
  bench.timer('early')
  assert.deepEqual(bench.given(), ['notarize 1'])
  assert.deepEqual(outcomeOf({ ...soon, time: soon.time + 1 }), ['nullify 1'])
})

test('a block older than its delays explain is refused, later in a run of failed views', () => {
  const oldest = WALL - 500 - 3 * DELTA_MS - 10_000
  assert.deepEqual(outcomeOf({ ...block, time: oldest }), ['notarize 1'])
  assert.deepEqual(outcomeOf({ ...block, time: oldest - 1 }), ['nullify 1'])
  const bench = new Bench(configOf(1))
  bench.certify(bench.nullification(1), bench.nullification(2))
  bench.show(blockOn(GENESIS, 3, { time: oldest - 2_000 }))
  assert.deepEqual(bench.given(), ['notarize 3'])
})

// The table of consensus.md 1.5: what was sent before in the view, against what may be sent now.

test('after a notarize: the same again only, a nullify of the same view, a finalize of what is notarized', () => {
  const again = new Bench(configOf(0))
  again.show(block)
  again.show(block)
  again.show(other)
  assert.deepEqual(again.given(), ['notarize 1'])

  const nullified = new Bench(configOf(0))
  nullified.show(block)
  nullified.timer('certification')
  assert.deepEqual(nullified.given(), ['notarize 1', 'nullify 1'])

  for (const notarized of [block, other]) {
    const finalized = new Bench(configOf(0))
    finalized.show(block)
    finalized.notarize(notarized)
    const [, finalize] = unsignedIn(finalized.actions)
    assert.equal(finalize?.kind, 'finalize')
    assert.equal(finalize.subject.digest, notarized.digest)
  }
})

test('after a nullify: no notarize, no finalize, no second nullify', () => {
  const bench = new Bench(configOf(0))
  bench.feed({ type: 'work', waiting: true })
  bench.timer('leader')
  bench.show(block)
  bench.timer('certification')
  bench.notarize(block)
  assert.equal(bench.state.view, 2)
  assert.deepEqual(bench.given(), ['nullify 1'])
})

test('after a finalize: no nullify and no notarize of its view, also when its certificate was lost', () => {
  const bench = new Bench(configOf(0), {
    votes: [voteOf('finalize', block, 0)],
    marks: { notarize: 0, nullify: 0, finalize: 1 },
  })
  assert.equal(bench.state.view, 1)
  bench.feed({ type: 'work', waiting: true })
  bench.timer('leader')
  bench.timer('certification')
  bench.vote(voteOf('nullify', 1, 1), voteOf('nullify', 1, 2))
  bench.show(other)
  assert.deepEqual(bench.given(), [])
  bench.notarize(block)
  assert.deepEqual(bench.given(), [], 'and the finalize is not given twice')
})

test('a node that nullified still advances on a notarization (R1)', () => {
  const bench = new Bench(configOf(0))
  bench.feed({ type: 'work', waiting: true })
  bench.timer('leader')
  bench.notarize(block)
  assert.equal(bench.state.view, 2)
  assert.deepEqual(bench.given(), ['nullify 1'])
})

test('only the current view is nullified (R5)', () => {
  const bench = new Bench(configOf(0))
  bench.certify(bench.nullification(1))
  bench.feed({ type: 'work', waiting: true })
  bench.timer('leader', 1)
  bench.timer('certification', 1)
  bench.timer('certification', 3)
  assert.deepEqual(bench.given(), [])
  bench.timer('certification', 2)
  assert.deepEqual(bench.given(), ['nullify 2'])
})

test('a leader that nullifies its own view is followed at once', () => {
  const bench = new Bench(configOf(0))
  bench.vote(voteOf('nullify', 1, 2))
  assert.deepEqual(bench.given(), [])
  bench.vote(voteOf('nullify', 1, 1))
  assert.deepEqual(bench.given(), ['nullify 1'])
})

test('f + 1 nullifies start the timers and do not vote by themselves', () => {
  const bench = new Bench(configOf(0))
  bench.vote(voteOf('nullify', 1, 2))
  assert.deepEqual(typesIn(bench.last), [])
  bench.vote(voteOf('nullify', 1, 3))
  assert.deepEqual(typesIn(bench.last), ['leader', 'certification'])
  assert.deepEqual(bench.given(), [])
})

test('a nullify is repeated with the certificate of entry until the view ends (R6)', () => {
  const bench = new Bench(configOf(0))
  bench.certify(bench.nullification(1))
  bench.feed({ type: 'work', waiting: true })
  bench.timer('leader')
  bench.timer('retry')
  assert.deepEqual(
    bench.sent('broadcast').map(({ message }) => message.kind),
    ['certificates'],
    'a vote that is not durable is not sent',
  )
  bench.vote(voteOf('nullify', 2, 0))
  for (let round = 0; round < 3; round += 1) {
    bench.timer('retry')
    assert.deepEqual(
      bench.sent('broadcast').map(({ message }) => message.kind),
      ['votes', 'certificates'],
    )
    assert.ok(typesIn(bench.last).includes('retry'))
  }
  bench.certify(bench.nullification(2))
  bench.timer('retry', 2)
  assert.deepEqual(bench.last, [])
})

test('a notarized view is finalized however old it is, once, and without an own notarize (R7)', () => {
  const bench = new Bench(configOf(0))
  bench.certify(bench.nullification(2), bench.nullification(3))
  bench.feed({ type: 'block', block })
  bench.certify(bench.notarization(block))
  bench.executed(block)
  assert.deepEqual(bench.given(), ['finalize 1'])
  bench.timer('status')
  bench.executed(block)
  assert.deepEqual(bench.given(), ['finalize 1'])
})

test('what is not executed here is not finalized here', () => {
  const bench = new Bench(configOf(0))
  bench.certify(bench.notarization(block))
  bench.feed({ type: 'block', block })
  assert.deepEqual(bench.given(), [])
  bench.executed(block)
  assert.deepEqual(bench.given(), ['finalize 1'])
})

test('a view at or below the last finalization is not finalized', () => {
  const bench = new Bench(configOf(0))
  const second = blockOn(block, 2)
  bench.feed({ type: 'block', block })
  bench.feed({ type: 'block', block: second })
  bench.certify(bench.finalization(second))
  bench.certify(bench.notarization(block))
  bench.executed(block)
  bench.executed(second)
  assert.deepEqual(bench.given(), [])
})

test('who finds a notarized block invalid stops voting for good', () => {
  const bench = new Bench(configOf(0))
  bench.feed({ type: 'block', block })
  bench.certify(bench.notarization(block))
  bench.executed(block, 'invalid')
  assert.deepEqual(only(bench.last, 'halt').reason, {
    code: 'state_diverged',
    digest: block.digest,
    view: 1,
  })
  bench.certify(bench.nullification(2))
  bench.feed({ type: 'work', waiting: true })
  bench.timer('certification')
  assert.deepEqual(bench.given(), [])
})

test('an observer follows and never votes', () => {
  const bench = new Bench(configOf(null))
  bench.show(block)
  bench.notarize(block)
  bench.timer('certification')
  bench.certify(bench.finalization(block))
  assert.equal(bench.state.committed.digest, block.digest)
  assert.deepEqual(bench.given(), [])
})

test.run()
