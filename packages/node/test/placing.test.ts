// Records on their way to holders that are away, full, silent or lie.

import assert from 'node:assert/strict'
import { fromHex } from '@mooring/codec'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { test } from 'uvu'
import { NAMES } from './chain-members.ts'
import {
  type Custody,
  eventually,
  observations,
  OWN,
  type Run,
  withCustody,
} from './custody-world.ts'

const OTHERS = NAMES.filter((name) => name !== OWN)

const DEADLINE_MS = 10_000

/** Time goes by until something holds. */
async function until({ world }: Custody, condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS
  while (!condition()) {
    assert.ok(performance.now() < deadline, `still not so: ${what}`)
    world.clock.advance(20)
    await nextTurn()
  }
}

/** Submits, and lets time go by until there is an answer. */
async function submitted(custody: Custody, { custodian }: Run, count: number) {
  let isAnswered = false
  const answer = custodian.submitRecords(observations(count)).finally(() => {
    isAnswered = true
  })
  await until(custody, () => isAnswered, 'there is an answer')
  return answer
}

function isPlaced({ custodian }: Run): () => boolean {
  return () => custodian.placing.status().waiting === 0
}

test('every holder gets its shard, and the queue is empty', () =>
  withCustody(async (custody) => {
    const run = await custody.run()
    const { records } = await run.custodian.submitRecords(observations(20))
    assert.ok(records.every(({ status }) => status === 'accepted'))
    await eventually(() => run.custodian.placing.status().waiting === 0, 'all have theirs')
    for (const { id } of records) {
      const entry = run.custodian.index.get(fromHex(id))
      assert.ok(entry !== undefined)
      assert.deepEqual(entry.missing, [])
      const places = custody.holders.placesOf(entry.setId)
      assert.deepEqual(
        places.toSorted((a, b) => a.index - b.index).map(({ holder }) => holder),
        entry.holders,
      )
      assert.equal(run.custodian.index.getBySet(entry.setId)?.arrival, entry.arrival)
    }
    assert.ok(OTHERS.every((name) => custody.holders.holder(name).keys.size === 1))
  }))

test('a record is accepted with k others, and waits for the rest', () =>
  withCustody(async (custody) => {
    const { holders } = custody
    const run = await custody.run()
    holders.set('away', 'county')
    const { records } = await run.custodian.submitRecords(observations(3))
    assert.ok(records.every(({ status }) => status === 'accepted'))
    assert.equal(run.custodian.placing.status().waiting, 3)
    holders.set('up', 'county')
    await until(custody, isPlaced(run), 'all have theirs')
    assert.equal(holders.holder('county').shards.size, 3)
  }))

test('with fewer than k others it is received, durable, and goes on when they come', () =>
  withCustody(async (custody) => {
    const { holders } = custody
    const run = await custody.run()
    holders.set('away', 'county')
    holders.set('silent', 'riverside')
    const { records } = await submitted(custody, run, 3)
    assert.ok(records.every(({ status }) => status === 'received'))
    assert.equal((await run.custodian.record(records[0]?.id ?? ''))?.status, 'received')
    const counted = await custody.metrics.text()
    assert.match(counted, /records_total.*"received".* 3\n/)
    assert.doesNotMatch(counted, /records_total.*"accepted"/)
    const next = await custody.run()
    const start = custody.world.clock.monotonic()
    await until(custody, () => custody.world.clock.monotonic() > start + 4_000, 'time goes by')
    assert.equal(next.changes.length, 0)
    assert.equal(next.custodian.counts().pending, 3)
    holders.set('up', 'riverside')
    await until(custody, () => next.changes.length === 2, 'they are accepted and in a batch')
    assert.deepEqual(
      next.changes.flatMap(({ status, records: moved }) => moved.map(() => status)),
      ['accepted', 'accepted', 'accepted', 'batched', 'batched', 'batched'],
    )
    assert.match(await custody.metrics.text(), /records_total.*"accepted".* 3\n/)
  }))

test('a receipt that its holder has not signed counts for nothing', () =>
  withCustody(async (custody) => {
    const run = await custody.run()
    custody.holders.set('forging', ...OTHERS)
    const { records } = await submitted(custody, run, 2)
    assert.ok(records.every(({ status }) => status === 'received'))
    assert.match(custody.lines.join(''), /bad_receipt/)
  }))

test('what nobody can replace leaves the queue a shard short, and is listed so', () =>
  withCustody(async (custody) => {
    const { holders } = custody
    const run = await custody.run()
    holders.set('full', 'county')
    const { records } = await run.custodian.submitRecords(observations(4))
    assert.ok(records.every(({ status }) => status === 'accepted'))
    await until(custody, isPlaced(run), 'nothing waits for a holder that is full')
    const short = await run.custodian.index.listShort(0, 10)
    assert.equal(short.length, 4)
    for (const { holders: places, missing } of short)
      assert.deepEqual(
        missing.map((index) => places[index]),
        ['county'],
      )
    const [first] = short
    assert.ok(first !== undefined)
    const [index = -1] = first.missing
    assert.ok(await run.custodian.index.moved(first.setId, index, 'lakeview'))
    assert.equal((await run.custodian.index.listShort(0, 10)).length, 3)
    assert.equal(run.custodian.index.get(first.id)?.holders[index], 'lakeview')
  }))

test.run()
