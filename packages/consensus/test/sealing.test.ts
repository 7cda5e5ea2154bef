// The end of an epoch: only the sealing block itself may stand on a sealing block, in any later view.

import assert from 'node:assert/strict'
import { test } from 'uvu'
import type { BlockMeta, Certificate, Proposal, Vote } from '../src/types.ts'
import {
  Bench,
  blockOn,
  configOf,
  DELTA_MS,
  GENESIS,
  only,
  SIGNATURE,
  typesIn,
  unsignedIn,
  votesIn,
  WALL,
} from './fixture.ts'

const sealing = blockOn(GENESIS, 1, { isSealing: true })

/** The leader of a view proposes a block again, on the view of its last notarization. */
function again(block: BlockMeta, view: number, parentView = block.view): Proposal {
  const { height, digest } = block
  const subject = { epoch: 0, view, parentView, height, digest }
  const vote: Vote = { kind: 'notarize', subject, signer: view % 4, signature: SIGNATURE }
  return { block, vote, justification: [] }
}

function proposeAgain(
  bench: Bench,
  block: BlockMeta,
  place: { view: number; parentView?: number },
): void {
  const proposal = again(block, place.view, place.parentView)
  bench.feed({ type: 'proposal', from: proposal.vote.signer, proposal })
}

/** What stands notarized or final when a block was proposed again. */
function certificateOf(
  bench: Bench,
  kind: 'notarize' | 'finalize',
  proposal: Proposal,
): Certificate {
  return { ...bench.notarization(proposal.block), kind, subject: proposal.vote.subject }
}

/** A bench on which the sealing block is notarized and executed. */
function sealed(me: number | null, block = sealing): Bench {
  const bench = new Bench(configOf(me))
  bench.notarize(block)
  return bench
}

test('the leader on an unfinalized sealing block proposes that block again, after two delta', () => {
  const bench = sealed(2)
  bench.feed({ type: 'work', waiting: true })
  assert.ok(!typesIn(bench.last).includes('build'), 'what waits can wait for the next epoch')
  assert.deepEqual(bench.given(), ['finalize 1'])
  bench.now += 2 * DELTA_MS
  bench.timer('completion')
  const { vote, justification } = only(bench.last, 'propose')
  assert.deepEqual(vote.subject, {
    epoch: 0,
    view: 2,
    parentView: 1,
    height: 1,
    digest: sealing.digest,
  })
  assert.deepEqual(justification, [], 'no view is skipped')
})

test('an empty sealing block is work: its epoch has to end', () => {
  const bench = sealed(0, { ...sealing, isEmpty: true })
  bench.now += 2 * DELTA_MS
  bench.timer('completion')
  assert.ok(typesIn(bench.last).includes('leader'))
})

test('a sealing block is notarized and finalized again in a later view', () => {
  const bench = sealed(0)
  proposeAgain(bench, sealing, { view: 2 })
  assert.deepEqual(unsignedIn(bench.last), [
    { kind: 'notarize', subject: again(sealing, 2).vote.subject, signer: 0 },
  ])
  bench.certify(certificateOf(bench, 'notarize', again(sealing, 2)))
  assert.deepEqual(votesIn(bench.last), ['finalize 2'])
})

test('it goes on through any number of views, with their gaps', () => {
  const bench = sealed(0)
  bench.certify(certificateOf(bench, 'notarize', again(sealing, 2)))
  bench.certify(bench.nullification(3))
  proposeAgain(bench, sealing, { view: 5, parentView: 2 })
  assert.deepEqual(votesIn(bench.last), [])
  bench.certify(bench.nullification(4))
  assert.deepEqual(votesIn(bench.last), ['notarize 5'])
  bench.certify(certificateOf(bench, 'finalize', again(sealing, 5, 2)))
  assert.equal(only(bench.last, 'commit').finalization.subject.view, 5)
})

test('any other block on a sealing block is refused', () => {
  const bench = sealed(0)
  bench.show(blockOn(sealing, 2))
  assert.equal(bench.given().at(-1), 'nullify 2')
  const seal = sealed(0)
  seal.show(blockOn(sealing, 2, { isSealing: true }))
  assert.equal(seal.given().at(-1), 'nullify 2')
})

test('it is refused also when the parent is known to be sealing only later', () => {
  const bench = new Bench(configOf(0))
  bench.certify(bench.notarization(sealing))
  const block = blockOn(sealing, 2)
  bench.propose(block)
  bench.feed({ type: 'block', block: sealing })
  bench.executed(sealing)
  bench.executed(block)
  assert.ok(bench.given().includes('nullify 2'))
  assert.ok(!bench.given().includes('notarize 2'))
})

test('a block that is not sealing is not proposed again', () => {
  const ordinary = blockOn(GENESIS, 1)
  const bench = sealed(0, ordinary)
  proposeAgain(bench, ordinary, { view: 2 })
  assert.equal(bench.given().at(-1), 'nullify 2')
})

test('another sealing block than the notarized one is refused', () => {
  const bench = sealed(0)
  const other = blockOn(GENESIS, 1, { isSealing: true, salt: 1 })
  proposeAgain(bench, other, { view: 2 })
  assert.equal(bench.given().at(-1), 'nullify 2')
})

test('when its view was nullified and not notarized here, an ordinary block is in order', () => {
  const bench = new Bench(configOf(0))
  bench.feed({ type: 'block', block: sealing })
  bench.certify(bench.nullification(1))
  bench.show(blockOn(GENESIS, 2))
  assert.deepEqual(votesIn(bench.last), ['notarize 2'])
})

test('a sealing block that has become old is not refused for its age', () => {
  const bench = sealed(0)
  bench.wall = WALL + 3_600_000
  proposeAgain(bench, sealing, { view: 2 })
  assert.deepEqual(votesIn(bench.last), ['notarize 2'])
})

test('when the epoch has ended nothing is voted, and nothing proposed', () => {
  const bench = sealed(0)
  bench.certify(bench.finalization(sealing))
  only(bench.last, 'commit')
  const given = bench.given().length
  bench.feed({ type: 'work', waiting: true })
  bench.now += 10 * DELTA_MS
  bench.timer('leader')
  bench.timer('certification')
  bench.show(blockOn(sealing, 2))
  proposeAgain(bench, sealing, { view: 2 })
  bench.certify(bench.nullification(2))
  bench.certify(certificateOf(bench, 'notarize', again(sealing, 3)))
  assert.equal(bench.given().length, given)
  assert.equal(bench.state.isHalted, false)
})

test('a finalization whose sealing block is missing is completed, and nothing built on it', () => {
  const bench = new Bench(configOf(2))
  bench.feed({ type: 'work', waiting: true })
  bench.certify(certificateOf(bench, 'finalize', again(sealing, 1)))
  assert.equal(only(bench.last, 'fetch-block').digest, sealing.digest)
  assert.ok(!typesIn(bench.last).includes('build'))
  bench.feed({ type: 'block', block: sealing })
  bench.executed(sealing)
  assert.equal(only(bench.last, 'commit').blocks.length, 1)
  assert.ok(!typesIn(bench.last).includes('build'))
  assert.deepEqual(bench.given(), [])
})

test('a leader that crashed proposes the sealing block again with the same vote', () => {
  const { vote } = again(sealing, 2)
  const made = new Bench(configOf(2))
  const bench = new Bench(configOf(2), {
    certificates: [made.notarization(sealing)],
    votes: [vote],
    blocks: [sealing],
    marks: { notarize: 2, nullify: 0, finalize: 0 },
  })
  assert.deepEqual(only(bench.actions, 'propose').vote.subject, vote.subject)
})

function elsewhere<T extends { subject: Certificate['subject'] }>(what: T): T {
  return { ...what, subject: { ...what.subject, epoch: 1 } }
}

test('what is said of another epoch is not heard', () => {
  const bench = new Bench(configOf(0))
  const block = blockOn(GENESIS, 1)
  const { vote } = again(block, 1, 0)
  const before = bench.state
  const proposal = { block, vote: elsewhere(vote), justification: [] }
  bench.feed({ type: 'proposal', from: 1, proposal })
  bench.vote(elsewhere(vote))
  bench.certify(elsewhere(bench.notarization(block)), elsewhere(bench.finalization(block)))
  const finalization = elsewhere(bench.finalization(block))
  bench.feed({ type: 'synced', block, finalization })
  assert.deepEqual(bench.state, before)
  assert.deepEqual(bench.given(), [])
})

test('the next epoch begins on the sealing block, in view 1', () => {
  const base = { ...sealing, view: 0, parentView: 0, isSealing: false }
  const bench = new Bench({ ...configOf(2), epoch: 1 }, { committed: base })
  assert.deepEqual([bench.state.view, bench.state.final.view], [1, 0])
  bench.feed({ type: 'work', waiting: true })
  assert.equal(only(bench.last, 'build').parent.digest, sealing.digest)
})

test('the block that ended the epoch before is not proposed again in the next', () => {
  const base = { ...sealing, view: 0, parentView: 0, isSealing: false }
  const bench = new Bench({ ...configOf(0), epoch: 1 }, { committed: base })
  bench.certify(elsewhere(bench.nullification(1)))
  assert.equal(bench.state.view, 2)
  const proposal = again(sealing, 2, 0)
  const vote = { ...elsewhere(proposal.vote), signer: 3 }
  bench.feed({ type: 'proposal', from: 3, proposal: { ...proposal, vote } })
  assert.deepEqual(bench.given(), ['nullify 2'])
})

test.run()
