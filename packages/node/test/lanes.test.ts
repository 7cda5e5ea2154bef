import assert from 'node:assert/strict'
import { test } from 'uvu'
import { type LaneEntry, type LanePlace, Lanes } from '../src/lanes.ts'
import { NAMES } from './chain-members.ts'
import { withWorld } from './chain-world.ts'

const [OWN = '', OTHER = ''] = NAMES
const placeAt = (sequence: number): LanePlace => ({
  organisation: OWN,
  counter: 'anchorSequence',
  sequence,
})
const ALL = { count: 10, bytes: 1 << 20 }

test('lanes take turns, and a gap ends the turn of its lane alone', () =>
  withWorld(async (world) => {
    const { mempool, parts } = world
    const own = [1, 2, 4].map((sequence) => world.anchor(OWN, sequence))
    const others = [1, 2, 3].map((sequence) => world.anchor(OTHER, sequence))
    mempool.receive([...own, ...others])
    const taken = mempool
      .take(parts.execution.finalState(), ALL)
      .map(({ bytes }) => world.idOf(bytes))
    const [a1, a2] = own.map((bytes) => world.idOf(bytes))
    const [b1, b2, b3] = others.map((bytes) => world.idOf(bytes))
    assert.deepEqual(taken, [a1, b1, a2, b2, b3])
    assert.equal(mempool.take(parts.execution.finalState(), { ...ALL, count: 3 }).length, 3)
    await world.finalize([own[0] ?? new Uint8Array()])
    assert.equal(mempool.take(parts.execution.finalState(), ALL).length, 4)
  }))

test('an organisation anchors and logs access in two lanes, and neither waits for the other', () =>
  withWorld(async (world) => {
    const { mempool, parts } = world
    const anchors = [1, 2, 3].map((sequence) => world.anchor(OWN, sequence))
    const entries = [1, 2].map((sequence) => world.accessBatch(OWN, sequence))
    for (const bytes of [...anchors, ...entries]) {
      assert.equal((await mempool.submit(bytes)).status, 'accepted')
    }
    const taken = () =>
      mempool
        .take(parts.execution.finalState(), ALL)
        .map(({ payload }) => (payload.kind === 'access.log' ? 'access' : 'anchor'))
    assert.deepEqual(taken(), ['anchor', 'access', 'anchor', 'access', 'anchor'])
    await world.finalize(anchors.slice(0, 2))
    assert.deepEqual(taken(), ['anchor', 'access', 'access'])
    const gap = await mempool.submit(world.accessBatch(OWN, 4))
    assert.deepEqual(gap.status === 'rejected' && [gap.code, gap.expected], ['wrong_sequence', 3])
  }))

test('a sequence that was dropped without a block may be sent again', () =>
  withWorld(async (world) => {
    const { mempool, parts } = world
    const state = parts.execution.finalState()
    const lanes = new Lanes<LaneEntry>()
    const expected = () => lanes.checkPlace(state, placeAt(9), true)?.expected
    assert.equal(expected(), 1)
    for (const sequence of [1, 2]) {
      const bytes = world.anchor(OWN, sequence)
      await mempool.submit(bytes)
      const transaction = mempool.get(world.idOf(bytes))
      assert.ok(transaction)
      lanes.add(placeAt(sequence), { transaction })
    }
    assert.equal(expected(), 3)
    assert.equal(lanes.heads(state).length, 2)
    lanes.delete(placeAt(1))
    assert.equal(expected(), 3)
    assert.equal(lanes.heads(state).length, 0)
    lanes.reopen(placeAt(1))
    assert.equal(expected(), 1)
  }))

test.run()
