import assert from 'node:assert/strict'
import { decodeMessage, type Message } from '@mooring/consensus'
import { test } from 'uvu'
import { EpochRepair, epochOf } from '../src/epoch-repair.ts'
import { withWorld, type World } from './chain-world.ts'

interface Sent {
  readonly peerId: string
  readonly message: Message
}

function repairOf(world: World): { repair: EpochRepair; sent: Sent[] } {
  const sent: Sent[] = []
  const repair = new EpochRepair({
    clock: world.clock,
    chain: {
      epochs: () => [{ epoch: 0, height: 1, authoritySet: new Uint8Array(0) }],
      getFinalization: (height) => world.parts.chain.finalizationAtOrAfter(height)?.finalization,
    },
    network: {
      send: (peerId, _lane, frame) => sent.push({ peerId, message: decodeMessage(frame) }) > 0,
    },
  })
  return { repair, sent }
}

function inEpoch(world: World, epoch: number): ReturnType<World['state']> {
  const state = world.state()
  return { ...state, config: { ...state.config, epoch } }
}

test('who is in an older epoch is shown what ended it, and only so often', async () => {
  await withWorld(async (world) => {
    await world.finalize()
    const { repair, sent } = repairOf(world)
    const state = inEpoch(world, 1)
    for (let count = 0; count < 5; count += 1) repair.take('late', new Uint8Array(1), 0, state)
    repair.take('other', new Uint8Array(1), 0, state)
    assert.deepEqual(
      sent.map(({ peerId }) => peerId),
      ['late', 'other'],
    )
    const [first] = sent
    assert.ok(first?.message.kind === 'certificates')
    assert.equal(first.message.certificates[0]?.kind, 'finalize')
    assert.equal(epochOf(first.message), 0)
    world.clock.advance(1_000)
    repair.take('late', new Uint8Array(1), 0, state)
    assert.equal(sent.length, 3)
    repair.take('lost', new Uint8Array(1), 7, inEpoch(world, 9))
    assert.equal(sent.length, 3, 'nothing is known of epoch 7')
  })
})

test('who is in a newer epoch is told where we are; what it sends of the next one is kept', async () => {
  await withWorld((world) => {
    const { repair, sent } = repairOf(world)
    const state = inEpoch(world, 1)
    const frames = Array.from({ length: 300 }, (_, index) => Uint8Array.of(index & 255, index >> 8))
    for (const frame of frames) repair.take('ahead', frame, 2, state)
    repair.take('far', Uint8Array.of(1), 3, state)
    assert.deepEqual(
      sent.map(({ peerId, message }) => [peerId, message.kind, epochOf(message)]),
      [
        ['ahead', 'status', 1],
        ['far', 'status', 1],
      ],
    )
    const kept = repair.release()
    assert.equal(kept.length, 64, 'no more than so many')
    assert.deepEqual(kept.at(-1), { peerId: 'ahead', frame: frames.at(-1) })
    assert.deepEqual(repair.release(), [])
    repair.take('honest', new Uint8Array(100), 2, state)
    for (let count = 0; count < 20; count += 1)
      repair.take('flood', new Uint8Array(1 << 20), 2, state)
    const rest = repair.release()
    assert.equal(rest.length, 16, 'nor more bytes')
    assert.equal(rest[0]?.peerId, 'honest', 'a flood drowns itself')
  })
})

test('evidence belongs to no epoch, and an empty message to none', () => {
  assert.equal(epochOf({ kind: 'evidence', evidence: [] }), undefined)
  const empty: Message = { kind: 'votes', votes: [] }
  assert.equal(epochOf(empty), undefined)
})

test.run()
