import assert from 'node:assert/strict'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { toHex } from '@mooring/codec'
import {
  batchRoot,
  decodeBatchDeposit,
  encodeVaultRequest,
  leavesOfDeposit,
  placementOrder,
} from '@mooring/records'
import { MemoryLevel } from '@mooring/storage'
import { test } from 'uvu'
import { possibleHolders } from '../src/holder-choice.ts'
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

const GIVE_MS = 300
const AGAIN_MS = 60_000

async function anchored(custody: Custody, run: Run, count = 3, from = 0): Promise<string[]> {
  const before = run.custodian.counts().anchored
  const { records } = await run.custodian.submitRecords(observations(count, from))
  custody.world.clock.advance(TICK_MS)
  await eventually(() => custody.world.mempool.size > 0, 'an anchor')
  await custody.block()
  await eventually(() => run.custodian.counts().anchored === before + count, 'anchored')
  return records.map(({ id }) => id)
}

function keepersOf({ holders }: Custody, root: string): string[] {
  return [...holders.holders].flatMap(([name, { batches }]) => (batches.has(root) ? [name] : []))
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await nextTurn()
}

/** A batch is noted as given after its last holder has it. */
async function untilGiven({ store }: Run): Promise<void> {
  for (let turn = 0; turn < 2_000; turn += 1) {
    if ((await store.undeposited()).length === 0) return
    await nextTurn()
  }
  assert.fail('a batch still waits for its holders')
}

test('the leaves of an anchored batch are with the holders that its root has', () =>
  withCustody(async (custody) => {
    const run = await custody.run()
    const ids = await anchored(custody, run)
    await turns()
    assert.ok(!custody.holders.answered.some((each) => each.startsWith('deposit-batches')))
    custody.world.clock.advance(GIVE_MS)
    const [anchor] = anchorsOn(custody.world)
    assert.ok(anchor !== undefined)
    const places = possibleHolders(custody.world.parts.members.organisations)
    const expected = placementOrder(Buffer.from(anchor.root, 'hex'), places).slice(0, 4)
    await eventually(() => keepersOf(custody, anchor.root).length === 4, 'at four holders')
    assert.deepEqual(keepersOf(custody, anchor.root).toSorted(), expected.toSorted())
    const [keeper = ''] = expected
    const [encoded] = [...custody.holders.holder(keeper).batches.values()]
    assert.ok(encoded !== undefined)
    const deposit = decodeBatchDeposit(encoded)
    const leaves = leavesOfDeposit(deposit)
    assert.equal(deposit.custodian, OWN)
    assert.equal(deposit.height, anchor.height)
    assert.equal(deposit.sequence, anchor.sequence)
    assert.equal(toHex(batchRoot(leaves)), anchor.root)
    assert.ok(ids.every((id) => leaves.some((leaf) => toHex(leaf) === id)))
    await eventually(() => run.store.getBatch(1) !== undefined, 'the batch')
    await untilGiven(run)
  }))

test('nothing in a deposit tells which leaves are records', () =>
  withCustody(async (custody) => {
    const run = await custody.run()
    const ids = await anchored(custody, run, 5)
    custody.world.clock.advance(GIVE_MS)
    await eventually(() => custody.holders.holder('riverside').batches.size === 1, 'deposited')
    const [encoded] = [...custody.holders.holder('riverside').batches.values()]
    assert.ok(encoded !== undefined)
    const request = { kind: 'deposit-batches' as const, body: { items: [encoded] } }
    const sent = Buffer.from(encodeVaultRequest(request))
    const { leaves, ...anchor } = decodeBatchDeposit(encoded)
    // What is there beside sixteen leaves is the same for every record of the batch.
    assert.equal(leaves.length, 16 * 32)
    assert.deepEqual(Object.keys(anchor).toSorted(), [
      'custodian',
      'height',
      'sequence',
      'transaction',
    ])
    for (const id of ids) {
      const first = sent.indexOf(Buffer.from(id, 'hex'))
      assert.ok(first > 0)
      assert.equal(sent.indexOf(Buffer.from(id, 'hex'), first + 1), -1, 'a record is there twice')
    }
  }))

test('a holder that was away has the leaves later, and the others do not wait for it', () =>
  withCustody(async (custody) => {
    const run = await custody.run()
    await anchored(custody, run)
    const [anchor] = anchorsOn(custody.world)
    const root = anchor?.root ?? ''
    custody.holders.set('away', 'riverside')
    custody.world.clock.advance(GIVE_MS)
    await eventually(() => keepersOf(custody, root).length === 3, 'at three')
    await turns()
    assert.deepEqual(await run.store.undeposited(), [1])
    custody.holders.set('up', 'riverside')
    custody.world.clock.advance(AGAIN_MS)
    await eventually(() => keepersOf(custody, root).length === 4, 'at all four')
    assert.deepEqual(run.failures, [])
  }))

test('cut off before its leaves are given, a custodian gives them when it is back', () =>
  withCustody(async (custody) => {
    const first = await custody.run()
    await anchored(custody, first)
    const [anchor] = anchorsOn(custody.world)
    const root = anchor?.root ?? ''
    assert.deepEqual(keepersOf(custody, root), [])
    first.life.end()
    const second = await custody.run()
    custody.world.clock.advance(GIVE_MS)
    await eventually(() => keepersOf(custody, root).length === 4, 'at all four')
    await turns()
    await untilGiven(second)
  }))

test('cut off at any step of giving them, the leaves are with all holders in the end', () =>
  withCustody(async (custody) => {
    const level = new MemoryLevel('records')
    for (let steps = 1; steps <= 8; steps += 1) {
      const life = new Life()
      const run = await custody.run({ life, level })
      await anchored(custody, run, 1, steps)
      const root = anchorsOn(custody.world).at(-1)?.root ?? ''
      custody.world.clock.advance(GIVE_MS)
      for (let turn = 0; turn < steps; turn += 1) await nextTurn()
      life.end()
      const next = await custody.run({ level })
      custody.world.clock.advance(GIVE_MS)
      await eventually(() => keepersOf(custody, root).length === 4, `all have it, ${steps}`)
      assert.deepEqual(next.failures, [])
    }
  }))

test.run()
