import assert from 'node:assert/strict'
import { test } from 'uvu'
import { type CountedVote, ConsensusTally } from '../src/consensus-tally.ts'
import { nullifyOf, votesBy } from './chain-members.ts'
import { type World, withWorld } from './chain-world.ts'

interface Counted {
  views: Record<string, number>
  proposals: Record<string, number>
  votes: Record<string, number>
  tally: ConsensusTally
}

function add(to: Record<string, number>, key: string): void {
  to[key] = (to[key] ?? 0) + 1
}

function count(world: World): Counted {
  const views: Record<string, number> = {}
  const proposals: Record<string, number> = {}
  const votes: Record<string, number> = {}
  const tally = new ConsensusTally(world.state(), {
    view: (result) => add(views, result),
    proposal: (authority, result) => add(proposals, `${authority} ${result}`),
    vote: (authority, vote: CountedVote, result) => add(votes, `${authority} ${vote} ${result}`),
  })
  return { views, proposals, votes, tally }
}

function subjectOf(view: number, parentView: number) {
  return { epoch: 0, view, parentView, height: view, digest: view.toString(16).padStart(64, '0') }
}

/** A view in which these vote; three of them make it final. */
function decide(world: World, view: number, signers = [1, 2, 3]): void {
  const subject = subjectOf(view, view - 1)
  world.feed(votesBy(signers, 'notarize', subject), votesBy(signers, 'finalize', subject))
  assert.equal(world.state().final.view, view)
}

test('views are counted once, however often one looks', async () => {
  await withWorld((world) => {
    const { views, proposals, tally } = count(world)
    decide(world, 1)
    tally.follow(world.state())
    tally.follow(world.state())
    assert.deepEqual(views, { finalized: 1, notarized: 1 })
    world.feed(votesBy([1, 2, 3], 'nullify', nullifyOf(2)))
    tally.follow(world.state())
    decide(world, 3)
    decide(world, 4)
    tally.follow(world.state())
    assert.deepEqual(views, { finalized: 3, notarized: 3, nullified: 1 })
    assert.deepEqual(proposals, {
      '1 finalized': 1,
      '2 nullified': 1,
      '3 finalized': 1,
      '0 finalized': 1,
    })
  })
})

test('a vote is on time, late or missing, told when it is settled', async () => {
  await withWorld(
    (world) => {
      const { votes, tally } = count(world)
      const first = subjectOf(1, 0)
      world.feed(votesBy([0, 1, 2, 3], 'notarize', first), votesBy([1, 2, 3], 'finalize', first))
      tally.follow(world.state())
      assert.deepEqual(votes, {})
      decide(world, 2, [1, 2, 3])
      tally.follow(world.state())
      world.feed(votesBy([0], 'finalize', first))
      for (let view = 3; view <= 10; view += 1) decide(world, view)
      tally.follow(world.state())
      assert.deepEqual(votes, {
        '0 finalize late': 1,
        '0 finalize missing': 1,
        '0 notarize missing': 1,
        '0 notarize on_time': 1,
        '1 finalize on_time': 2,
        '1 notarize on_time': 2,
        '2 finalize on_time': 2,
        '2 notarize on_time': 2,
        '3 finalize on_time': 2,
        '3 notarize on_time': 2,
      })
    },
    { role: 'observer' },
  )
})

test('the last view in which an authority voted is remembered', async () => {
  await withWorld(
    (world) => {
      const { tally } = count(world)
      decide(world, 1, [0, 1, 2])
      decide(world, 2, [1, 2, 3])
      tally.follow(world.state())
      assert.deepEqual(
        [0, 1, 2, 3].map((index) => tally.lastVoteView(index)),
        [1, 2, 2, 2],
      )
      for (let view = 3; view <= 200; view += 1) decide(world, view)
      tally.follow(world.state())
      assert.deepEqual(
        [0, 1, 2, 3].map((index) => tally.lastVoteView(index)),
        [1, 200, 200, 200],
      )
    },
    { role: 'observer' },
  )
})

test('what a jump has skipped is not counted', async () => {
  await withWorld((world) => {
    const { views, votes, tally } = count(world)
    const { digest: parent, time } = world.state().committed
    const at = { view: 5_000_000, parentView: 4_999_999, height: 4_000_000 }
    const block = {
      ...at,
      digest: 'c'.repeat(64),
      parent,
      time: time + 1,
      isEmpty: true,
      isSealing: false,
    }
    const subject = { ...at, epoch: 0, digest: block.digest }
    const finalization = world.certificate('finalize', subject)
    world.feed({ type: 'synced', block, finalization })
    const began = performance.now()
    tally.follow(world.state())
    assert.ok(performance.now() - began < 100)
    assert.deepEqual(views, {})
    assert.deepEqual(votes, {})
  })
})

test.run()
