import assert from 'node:assert/strict'
import { NetworkError } from '@mooring/network'
import { test } from 'uvu'
import { describeStall, diagnoseStall } from '../src/stall.ts'
import { nullifyOf, votesBy } from './chain-members.ts'
import { type World, withWorld } from './chain-world.ts'

const WAITED_MS = 47_000
const IDLE = { parameters: { heartbeatMs: 0 } }

function diagnose({ parts, votes }: World, waitingMs = WAITED_MS) {
  return diagnoseStall({ ...parts, votes }, waitingMs)
}

function peerOf({ peers }: World, name: string) {
  const peer = peers.find((each) => each.name === name)
  assert.ok(peer)
  return peer
}

function hearAll({ clock, peers }: World): void {
  for (const peer of peers) if (peer.connected) peer.lastHeard = clock.monotonic()
}

function leave(world: World, name: string, lastError: NetworkError | null = null): void {
  Object.assign(peerOf(world, name), { connected: false, direction: null, lastError })
}

test('while a quorum is not heard the text names exactly the missing, and why', async () => {
  await withWorld((world) => {
    const { peerId } = peerOf(world, 'riverside')
    const message = `riverside (${peerId}) does not answer: connect ECONNREFUSED 10.2.0.7:7420`
    leave(world, 'riverside', new NetworkError('dial_failed', message))
    world.clock.advance(52_000)
    hearAll(world)
    leave(world, 'lakeview')
    peerOf(world, 'lakeview').lastHeard = 0
    const found = diagnose(world)
    assert.deepEqual(found, {
      code: 'authorities_missing',
      mor: 'MOR-3001',
      detail:
        'riverside last seen 52s ago, does not answer: connect ECONNREFUSED 10.2.0.7:7420; ' +
        'lakeview not seen since this node started.',
    })
    assert.ok(found)
    assert.equal(
      describeStall(found, { ...world.parts, votes: world.votes }, WAITED_MS),
      `No block finalized for 47s at height 0, view 1: need 3 of 4 authorities, see 2. ${found.detail}`,
    )
  }, IDLE)
})

test('who is connected and silent is missing too', async () => {
  await withWorld((world) => {
    world.clock.advance(6_000)
    for (const name of ['county', 'laboratory'])
      peerOf(world, name).lastHeard = world.clock.monotonic()
    assert.equal(
      diagnose(world)?.detail,
      'riverside connected, but silent for 6s; lakeview connected, but silent for 6s.',
    )
  }, IDLE)
})

test('nothing is a stall before it has lasted', async () => {
  await withWorld((world) => {
    leave(world, 'riverside')
    leave(world, 'county')
    assert.equal(diagnose(world, 0), null)
    assert.equal(diagnose(world, 4_999), null)
    assert.equal(diagnose(world, 5_000)?.code, 'authorities_missing')
  }, IDLE)
  await withWorld(
    (world) => {
      leave(world, 'riverside')
      leave(world, 'county')
      assert.equal(diagnose(world, 19_999), null)
      assert.equal(diagnose(world, 20_000)?.code, 'authorities_missing')
    },
    { parameters: { heartbeatMs: 0, deltaMs: 1_000 } },
  )
})

test('authorities that are connected and do not vote are named with how far they are', async () => {
  await withWorld(async (world) => {
    for (let height = 1; height <= 5; height += 1) await world.finalize()
    assert.equal(world.state().view, 6)
    peerOf(world, 'riverside').height = 1
    peerOf(world, 'county').height = 5
    peerOf(world, 'lakeview').height = 5
    world.feed({ type: 'work', waiting: true }, votesBy([3], 'nullify', nullifyOf(6)))
    world.clock.advance(2_000)
    assert.equal(world.state().view, 6)
    hearAll(world)
    assert.equal(
      diagnose(world)?.detail,
      'riverside connected, but 4 blocks behind; county connected, but still in view 0.',
    )
    world.feed(votesBy([2], 'nullify', nullifyOf(5)))
    assert.match(diagnose(world)?.detail ?? '', /county connected, but has not voted in view 6\.$/)
  }, IDLE)
})

test('a node that is merely behind the others is not a stalled chain', async () => {
  await withWorld((world) => {
    world.feed({ type: 'work', waiting: true })
    world.clock.advance(2_000)
    hearAll(world)
    assert.equal(diagnose(world)?.code, 'authorities_missing')
    const behind = { ...world.parts, votes: world.votes, bestKnownHeight: () => 4 }
    assert.equal(diagnoseStall(behind, WAITED_MS), null)
    leave(world, 'riverside')
    leave(world, 'county')
    assert.equal(diagnoseStall(behind, WAITED_MS)?.code, 'authorities_missing')
  }, IDLE)
})

/** Three of four nullify one view after the other; this node by its own timers. */
function failLeaders(world: World, views: number): void {
  const first = world.state().view
  for (let view = first; view < first + views; view += 1) {
    hearAll(world)
    world.feed({ type: 'peers', heard: world.peers.slice(0, 4).map(() => world.clock.monotonic()) })
    world.clock.advance(2_000)
    assert.ok(world.votes.nullifiedAbove(view - 1).length > 0, `view ${view}`)
    world.feed(votesBy([2, 3], 'nullify', nullifyOf(view)))
    assert.equal(world.state().view, view + 1)
  }
}

test('when views move by nullification the text names their leaders, delays and reasons', async () => {
  await withWorld(async (world) => {
    await world.finalize()
    world.feed({ type: 'work', waiting: true })
    peerOf(world, 'riverside').rttMs = 412
    failLeaders(world, 5)
    assert.equal(world.state().view, 7)
    const found = diagnose(world)
    assert.equal(found?.code, 'leaders_failing')
    assert.equal(found?.mor, 'MOR-3002')
    assert.equal(
      found?.detail,
      'Views 2 to 6 were nullified. Leaders: ' +
        'st-mary (this node) failed once: could not build a block; ' +
        'riverside failed once: no proposal within 300ms, round trip 412ms; ' +
        'county failed 2 times: no proposal within 300ms, round trip 12ms; ' +
        'lakeview failed once: no proposal within 300ms, round trip 12ms.',
    )
    await world.finalize()
    assert.equal(diagnose(world)?.code, 'authorities_missing')
  }, IDLE)
})

test('views that moved once, and then stand because voters left, are a matter of the voters', async () => {
  await withWorld(async (world) => {
    await world.finalize()
    world.feed({ type: 'work', waiting: true })
    failLeaders(world, 1)
    world.clock.advance(40_000)
    hearAll(world)
    const found = diagnose(world)
    assert.equal(found?.code, 'authorities_missing')
    assert.match(found?.detail ?? '', /riverside connected.*; county connected.*; lakeview/)
  }, IDLE)
})

test('a node that has stopped voting is one of the missing', async () => {
  await withWorld((world) => {
    const subject = { epoch: 0, view: 1, parentView: 0, height: 1, digest: 'a'.repeat(64) }
    world.feed(votesBy([0], 'notarize', subject))
    assert.ok(world.state().isHalted)
    leave(world, 'county')
    assert.match(diagnose(world)?.detail ?? '', /^st-mary \(this node\) has stopped voting; county/)
  }, IDLE)
})

test('an observer says what it cannot see', async () => {
  await withWorld(
    (world) => {
      leave(world, 'county')
      world.clock.advance(3_000)
      hearAll(world)
      assert.equal(
        diagnose(world)?.detail,
        'A quorum is connected, and no block comes. This node does not see the votes: ' +
          'ask an authority for its status. Not heard: county last seen 3s ago.',
      )
      leave(world, 'riverside')
      assert.match(diagnose(world)?.detail ?? '', /^riverside last seen 1s ago; county last/)
    },
    { ...IDLE, role: 'observer' },
  )
})

test.run()
