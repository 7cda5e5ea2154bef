import assert from 'node:assert/strict'
import { createTransaction, genesisDigest } from '@mooring/ledger'
import { test } from 'uvu'
import type { Mempool } from '../src/mempool.ts'
import type { Submitted } from '../src/submitted.ts'
import { keyOf } from './chain-members.ts'
import type { World } from './chain-world.ts'
import {
  anchorsOn,
  type Custody,
  eventually,
  Life,
  observations,
  OWN,
  type Run,
  TICK_MS,
  withCustody,
} from './custody-world.ts'

const MINUTE = 60_000

/** A submission whose anchor has come to the door, which answers as it is told. */
async function batchAtDoor({ world }: Custody, { custodian }: Run, from = 0): Promise<void> {
  await custodian.submitRecords(observations(3, from))
  world.clock.advance(TICK_MS)
}

async function settled({ custodian, failures }: Run): Promise<void> {
  await eventually(() => custodian.counts().pending === 0, 'all records are anchored')
  assert.deepEqual(failures, [])
}

function sequences(world: World): number[] {
  return anchorsOn(world).map(({ sequence }) => sequence)
}

/** The mempool, with what was handed in and what it said. */
function observed(mempool: Mempool) {
  const outcomes: Submitted[] = []
  const submit = async (bytes: Uint8Array) => {
    const outcome = await mempool.submit(bytes)
    outcomes.push(outcome)
    return outcome
  }
  return { outcomes, submit }
}

function acceptedIds({ outcomes }: { outcomes: readonly Submitted[] }): Set<string | null> {
  return new Set(outcomes.filter(({ status }) => status === 'accepted').map(({ id }) => id))
}

test('an anchor that expires before a block takes it is signed again, with the same sequence', () =>
  withCustody(async (custody) => {
    const { world } = custody
    const mempool = observed(world.mempool)
    const run = await custody.run({ mempool })
    await batchAtDoor(custody, run)
    await eventually(() => mempool.outcomes.length === 1, 'the anchor is at the door')
    world.clock.advance(6 * MINUTE)
    await world.mempool.tick()
    world.clock.advance(15_000)
    await eventually(() => acceptedIds(mempool).size === 2, 'a new one is at the door')
    await custody.block()
    await settled(run)
    assert.deepEqual(sequences(world), [1])
  }))

test('what the door has lost is handed in again as it was', () =>
  withCustody(async (custody) => {
    const { world } = custody
    const mempool = observed(world.mempool)
    const run = await custody.run({ mempool })
    await batchAtDoor(custody, run)
    await eventually(() => mempool.outcomes.length === 1, 'the anchor is at the door')
    const [lost] = world.mempool.take(world.parts.execution.finalState(), { count: 1, bytes: 1e6 })
    assert.ok(lost !== undefined)
    await world.mempool.rejected([{ transaction: lost, reason: { code: 'bad_signature' } }])
    assert.equal(world.mempool.size, 0)
    world.clock.advance(10_000 + TICK_MS)
    await eventually(() => mempool.outcomes.length === 2, 'it is back')
    assert.equal(acceptedIds(mempool).size, 1)
    await custody.block()
    await settled(run)
  }))

test('a sequence that somebody else with our key has used is passed over', () =>
  withCustody(async (custody) => {
    const { world } = custody
    const run = await custody.run()
    await world.finalize([world.anchor(OWN, 1), world.anchor(OWN, 2)])
    await world.mempool.submit(world.anchor(OWN, 3))
    await batchAtDoor(custody, run)
    await custody.block()
    world.clock.advance(TICK_MS)
    await eventually(() => world.mempool.size === 1, 'the anchor is at the door')
    await custody.block()
    await settled(run)
    assert.deepEqual(sequences(world), [1, 2, 3, 4])
  }))

test('an anchor that an earlier run handed in is waited for, not doubled', () =>
  withCustody(async (custody) => {
    const { world } = custody
    const first = await custody.run()
    await batchAtDoor(custody, first)
    await eventually(() => world.mempool.size === 1, 'the anchor is at the door')
    const mempool = observed(world.mempool)
    const second = await custody.run({ mempool })
    world.clock.advance(30_000)
    await eventually(() => mempool.outcomes.length > 0, 'the next run has asked the door')
    await batchAtDoor(custody, second, 10)
    await eventually(() => world.mempool.size === 2, 'its own anchor follows')
    await custody.block()
    await settled(second)
    assert.deepEqual(sequences(world), [1, 2])
  }))

test('a batch that was anchored while nobody looked is found in the chain', () =>
  withCustody(async (custody) => {
    const { world } = custody
    const first = await custody.run()
    await batchAtDoor(custody, first)
    await eventually(() => world.mempool.size === 1, 'the anchor is at the door')
    first.life.end()
    first.stopListening()
    await custody.block()
    for (let count = 0; count < 30; count += 1) await world.finalize()
    const mempool = observed(world.mempool)
    const second = await custody.run({ mempool })
    await settled(second)
    assert.deepEqual(
      second.changes.map(({ status, height }) => [status, height]),
      [['anchored', 1]],
    )
    assert.deepEqual(mempool.outcomes, [])
    assert.deepEqual(sequences(world), [1])
  }))

test('another member may anchor our root first and takes nothing from us', () =>
  withCustody(async (custody) => {
    const { world } = custody
    const run = await custody.run()
    await batchAtDoor(custody, run)
    await eventually(() => world.mempool.size === 1, 'the anchor is at the door')
    const [ours] = world.mempool.take(world.parts.execution.finalState(), { count: 1, bytes: 1e6 })
    assert.ok(ours?.payload.kind === 'record.anchor')
    const stolen = createTransaction({
      genesisDigest: genesisDigest(world.genesis),
      keyPair: keyOf('county', 'anchor'),
      kind: 'record.anchor',
      expiresAt: world.clock.wall() + MINUTE,
      body: { ...ours.payload.body, organisation: 'county' },
    })
    await world.finalize([stolen])
    await custody.block()
    await settled(run)
    assert.deepEqual(
      anchorsOn(world).map(({ height }) => height),
      [2],
    )
    const [change] = run.changes.filter(({ status }) => status === 'anchored')
    assert.equal(change?.height, 2)
  }))

test('a refused anchor is tried again later, and the log names the code alone', () =>
  withCustody(
    async (custody) => {
      const { world } = custody
      const run = await custody.run()
      for (let sequence = 1; sequence <= 4; sequence += 1) {
        await world.finalize([world.anchor(OWN, sequence)])
      }
      await batchAtDoor(custody, run)
      await eventually(() => custody.lines.some((line) => line.includes('refused')), 'a refusal')
      assert.ok(custody.lines.some((line) => line.includes('"code":"quota_exceeded"')))
      world.clock.advance(MINUTE)
      await world.finalize()
      world.clock.advance(TICK_MS)
      await eventually(() => world.mempool.size === 1, 'the anchor is at the door')
      await custody.block()
      await settled(run)
      assert.deepEqual(sequences(world), [1, 2, 3, 4, 5])
      const told = custody.lines.filter((line) => line.includes('anchor refused'))
      assert.ok(told.length <= 2, `the same refusal was told ${told.length} times`)
    },
    { parameters: { quotaPerMinute: 4 } },
  ))

test('a chain that stands still gathers records in few batches', () =>
  withCustody(async (custody) => {
    const { world } = custody
    const run = await custody.run()
    for (let round = 0; round < 70; round += 1) {
      await run.custodian.submitRecords(observations(2, 10 * round))
      world.clock.advance(TICK_MS)
      await eventually(() => world.mempool.size === Math.min(round + 1, 64), 'the tick is over')
    }
    assert.equal(run.custodian.counts().pending, 140)
    await custody.block()
    await eventually(() => run.custodian.counts().pending === 12, 'what was batched is anchored')
    world.clock.advance(TICK_MS)
    await eventually(() => world.mempool.size === 1, 'the rest is one batch')
    await custody.block()
    await settled(run)
    assert.equal(anchorsOn(world).length, 65)
  }))

test('what is submitted while an earlier run is being taken up waits for that', () =>
  withCustody(async (custody) => {
    const { world } = custody
    const first = await custody.run()
    await first.custodian.submitRecords(observations(4_100))
    await eventually(() => world.mempool.size === 1, 'a full batch is at the door')
    await custody.block()
    await eventually(() => first.custodian.counts().anchored === 4_096, 'it is anchored')
    const second = await custody.run({
      beforeStart: async ({ custodian }) => {
        assert.equal((await custodian.submitRecords(observations(3, 5_000))).records.length, 3)
      },
    })
    assert.deepEqual(second.custodian.counts(), { accepted: 4_103, anchored: 4_096, pending: 7 })
    world.clock.advance(TICK_MS)
    await eventually(() => world.mempool.size === 1, 'the rest is at the door')
    await custody.block()
    await settled(second)
    assert.deepEqual(sequences(world), [1, 2])
  }))

test('a store that fails ends the loop and is reported once', () =>
  withCustody(async (custody) => {
    const life = new Life()
    const run = await custody.run({
      life,
      mempool: { submit: () => Promise.reject(new Error('the disk is full')) },
    })
    await batchAtDoor(custody, run)
    await eventually(() => run.failures.length > 0, 'the failure is reported')
    custody.world.clock.advance(10 * TICK_MS)
    assert.equal(run.failures.length, 1)
  }))

test.run()
