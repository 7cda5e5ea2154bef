import assert from 'node:assert/strict'
import { array, assert as check, integer, property } from 'fast-check'
import { test } from 'uvu'
import { Finality } from '../src/finality.ts'
import { withWorld } from './chain-world.ts'
import { TestClock } from './test-clock.ts'

type Observed = ['local' | 'remote', number]

test('times run from the door to the disk, for what came from a client of this node', async () => {
  await withWorld(async (world) => {
    const { clock, mempool } = world
    const observed: Observed[] = []
    const observe = (...seen: Observed) => observed.push(seen)
    const finality = new Finality({ clock, mempool, observe })
    world.onDurable = (blocks) => finality.note(blocks)
    assert.deepEqual(finality.times(), { p50Ms: null, p95Ms: null })

    const own = world.anchor('st-mary', 1)
    const gossiped = world.anchor('county', 1)
    const unseen = world.anchor('lakeview', 1)
    assert.equal((await mempool.submit(own)).status, 'accepted')
    clock.advance(100)
    assert.equal(mempool.receive([gossiped]), 'accept')
    clock.advance(300)
    await world.finalize([own, gossiped, unseen])
    assert.deepEqual(observed, [
      ['local', 0.4],
      ['remote', 0.3],
    ])
    assert.deepEqual(finality.times(), { p50Ms: 400, p95Ms: 400 })
    clock.advance(600_001)
    assert.deepEqual(finality.times(), { p50Ms: null, p95Ms: null })
  })
})

/** Blocks of one transaction each, final so long after they came. */
function noteAll(delays: readonly number[]): Finality {
  const clock = new TestClock()
  let at = 0
  const mempool = { receivedAt: () => ({ at, isLocal: true }) }
  const finality = new Finality({ clock, mempool, observe: () => undefined })
  for (const ms of delays) {
    at = clock.monotonic() - ms
    const kind = 'record.anchor' as const
    const receipt = { transaction: new Uint8Array(32), index: 0, kind, organisation: 'st-mary' }
    finality.note([{ receipts: [{ ...receipt, outcome: 'applied' as const, sequence: 1 }] }])
  }
  return finality
}

test('the percentiles are members of the sample, and split it as they say', () => {
  const delays = array(integer({ min: 0, max: 90_000 }), { minLength: 1, maxLength: 60 })
  check(
    property(delays, (sample) => {
      const { p50Ms, p95Ms } = noteAll(sample).times()
      assert.ok(p50Ms !== null && p95Ms !== null && p50Ms <= p95Ms)
      for (const [value, share] of [
        [p50Ms, 0.5],
        [p95Ms, 0.95],
      ] as const) {
        assert.ok(sample.includes(value))
        const below = sample.filter((ms) => ms <= value).length
        const strictlyBelow = sample.filter((ms) => ms < value).length
        assert.ok(below >= share * sample.length && strictlyBelow < share * sample.length)
      }
    }),
  )
})

test('only the last thousand count', () => {
  const finality = noteAll([...Array<number>(1_000).fill(9_000), ...Array<number>(1_000).fill(5)])
  assert.deepEqual(finality.times(), { p50Ms: 5, p95Ms: 5 })
})

test.run()
