import assert from 'node:assert/strict'
import type { BlockMeta, Event } from '@mooring/consensus'
import { test } from 'uvu'
import { type VoteEntry, VoteLog } from '../src/vote-log.ts'
import { nullifyOf, votesBy } from './chain-members.ts'
import { type World, withWorld } from './chain-world.ts'
import { TestClock } from './test-clock.ts'

const IDLE = { parameters: { heartbeatMs: 0 } }

function watch(world: World): VoteEntry[] {
  const entries: VoteEntry[] = []
  world.votes.subscribe((entry) => entries.push(entry))
  return entries
}

function hear(world: World, silent: number[] = []): void {
  const now = world.clock.monotonic()
  const heard = [0, 1, 2, 3].map((index) => (silent.includes(index) ? null : now))
  world.feed({ type: 'peers', heard })
}

/** A first block by the leader of the view, which stands on genesis. */
function proposal(world: World, view: number): { block: BlockMeta; event: Event } {
  const { digest, time } = world.state().committed
  const place = { view, parentView: 0, height: 1 }
  const block = {
    ...place,
    digest: 'b'.repeat(64),
    parent: digest,
    time: time + 1,
    isEmpty: false,
    isSealing: false,
  }
  const subject = { ...place, epoch: 0, digest: block.digest }
  const vote = {
    kind: 'notarize' as const,
    subject,
    signer: view % 4,
    signature: new Uint8Array(64),
  }
  return {
    block,
    event: { type: 'proposal', from: view % 4, proposal: { block, vote, justification: [] } },
  }
}

test('a leader that sends nothing is told from one that is not heard', async () => {
  await withWorld((world) => {
    const entries = watch(world)
    hear(world)
    world.feed({ type: 'work', waiting: true })
    world.clock.advance(400)
    assert.deepEqual(entries, [
      {
        kind: 'nullify',
        view: 1,
        leader: 1,
        isOwn: false,
        reason: 'leader_timeout',
        afterMs: world.clock.monotonic() - world.state().enteredAt - 100,
      },
    ])
    world.feed(votesBy([2, 3], 'nullify', nullifyOf(1)))
    assert.equal(world.state().view, 2)
    hear(world, [2])
    assert.equal(entries[1]?.reason, 'inactivity')
    assert.deepEqual(
      world.votes.nullifiedAbove(1).map(({ view }) => view),
      [2],
    )
  }, IDLE)
})

test('a leader that gives up its own view takes everybody along', async () => {
  await withWorld((world) => {
    const entries = watch(world)
    hear(world)
    world.feed({ type: 'work', waiting: true }, votesBy([1], 'nullify', nullifyOf(1)))
    assert.equal(entries[0]?.reason, 'leader_nullify')
  }, IDLE)
})

test('an invalid block, a missing one and too few votes have their own words', async () => {
  await withWorld((world) => {
    const entries = watch(world)
    hear(world)
    const { block, event } = proposal(world, 1)
    world.feed(event, { type: 'executed', digest: block.digest, outcome: 'invalid' })
    assert.equal(entries[0]?.reason, 'invalid')
  }, IDLE)
  await withWorld((world) => {
    const entries = watch(world)
    hear(world)
    world.feed(proposal(world, 1).event)
    world.clock.advance(500)
    assert.equal(entries[0]?.reason, 'missing')
  }, IDLE)
  await withWorld((world) => {
    const entries = watch(world)
    hear(world)
    const { block, event } = proposal(world, 1)
    world.feed(event, { type: 'executed', digest: block.digest, outcome: 'valid' })
    world.clock.advance(500)
    assert.deepEqual(
      entries.map(({ kind, reason }) => [kind, reason]),
      [
        ['notarize', null],
        ['nullify', 'certification_timeout'],
      ],
    )
  }, IDLE)
})

test('a finalize is timed from the start of its view', async () => {
  await withWorld((world) => {
    const entries = watch(world)
    hear(world)
    world.clock.advance(50)
    world.feed(votesBy([2], 'nullify', nullifyOf(1)), votesBy([3], 'nullify', nullifyOf(1)))
    world.clock.advance(1_000)
    assert.equal(world.state().view, 2)
    const { enteredAt } = world.state()
    const { block, event } = proposal(world, 2)
    world.feed(event, { type: 'executed', digest: block.digest, outcome: 'valid' })
    const { height, digest } = block
    const subject = { epoch: 0, view: 2, parentView: 0, height, digest }
    world.clock.advance(30)
    world.feed(votesBy([3], 'notarize', subject))
    const last = entries.at(-1)
    assert.deepEqual([last?.kind, last?.view], ['finalize', 2])
    assert.equal(last?.afterMs, world.clock.monotonic() - enteredAt)
    assert.equal(world.votes.ageOf(2), last?.afterMs)
    assert.equal(world.votes.ageOf(77), null)
  }, IDLE)
})

test('before agreement has started nothing is told, and what is kept is bounded', async () => {
  const early = new VoteLog(new TestClock(), () => null)
  early.subscribe(() => assert.fail('told'))
  early.note({ kind: 'nullify', subject: nullifyOf(1), signer: 0 })
  assert.deepEqual(early.nullifiedAbove(0), [])
  await withWorld((world) => {
    for (let view = 1; view <= 300; view += 1)
      world.votes.note({ kind: 'nullify', subject: nullifyOf(view), signer: 0 })
    const kept = world.votes.nullifiedAbove(0)
    assert.equal(kept.length, 256)
    assert.equal(kept.at(-1)?.view, 300)
  }, IDLE)
})

test.run()
