import assert from 'node:assert/strict'
import { formatVerification, verifyProof } from '@mooring/api/verify'
import { genesisDigest } from '@mooring/ledger'
import { generatePatient, readSubmission } from '@mooring/records'
import { test } from 'uvu'
import {
  anchorsOn,
  type Custody,
  eventually,
  jsonOf,
  observations,
  type Run,
  submission,
  TICK_MS,
  withCustody,
} from './custody-world.ts'

/** The clock closes a batch, the anchor is accepted, and a block makes it final. */
async function anchorAll({ world, block }: Custody, { custodian }: Run): Promise<void> {
  world.clock.advance(TICK_MS)
  await eventually(() => world.mempool.size > 0, 'an anchor is at the door')
  await block()
  await eventually(() => custodian.counts().pending === 0, 'all records are anchored')
}

function acceptedBy({ changes }: Run): number {
  const accepted = changes.filter(({ status }) => status === 'accepted')
  return accepted.flatMap(({ records }) => records).length
}

test('a bundle is accepted, anchored, and proved with a file or without', () =>
  withCustody(async (custody) => {
    const { world, metrics, lines } = custody
    const run = await custody.run()
    const { custodian, proofs } = run
    const bundle = generatePatient(1)
    const { resources } = readSubmission(bundle)

    const outcome = await custodian.submitRecords(submission(bundle))
    assert.deepEqual(outcome.problems, [])
    assert.equal(outcome.records.length, resources.length)
    assert.ok(outcome.records.every(({ status, height }) => status === 'accepted' && !height))
    const counted = { accepted: resources.length, anchored: 0, pending: resources.length }
    assert.deepEqual(custodian.counts(), counted)
    const [first] = outcome.records
    const [resource] = resources
    assert.ok(first !== undefined && resource !== undefined)
    assert.deepEqual(proofs.record(first.id, true), { kind: 'pending' })

    const waiting = custodian.waitForRecords(outcome.submission, new AbortController().signal)
    await anchorAll(custody, run)
    const anchored = await waiting
    assert.ok(anchored.every(({ status, height }) => status === 'anchored' && height === 1))
    assert.deepEqual(custodian.counts(), { ...counted, anchored: resources.length, pending: 0 })

    const record = await custodian.record(first.id)
    assert.equal(record?.status, 'anchored')
    assert.equal(record.height, 1)
    assert.equal(record.size, resource.raw.length)
    assert.deepEqual(run.content(first.id), resource.raw)
    assert.equal(record.contentType, 'application/fhir+json')

    const trust = { genesisDigest: genesisDigest(world.genesis) }
    const full = proofs.record(first.id, true)
    assert.ok(full?.kind === 'record')
    const verified = verifyProof(full.json, trust, resource.raw)
    assert.deepEqual(formatVerification(verified).failed, null)
    assert.equal(verified.steps.length, 6)
    const bare = proofs.record(first.id, false)
    assert.ok(bare?.kind === 'record')
    assert.ok(verifyProof(bare.json, trust).ok)
    assert.ok(!verifyProof(bare.json, trust, resource.raw).ok)
    const anchor = proofs.transaction(record.transactionId ?? '')
    assert.ok(anchor?.kind === 'transaction')
    assert.ok(verifyProof(anchor.json, trust).ok)

    // What came of a batch is counted after those who wait for it are told.
    await eventually(() => lines.join('').includes('batch anchored'), 'the batch is counted')
    const text = await metrics.text()
    assert.match(text, new RegExp(`mooring_anchor_delay_seconds_count ${resources.length}`))
    assert.match(text, /mooring_anchor_batch_records_count 1/)
    for (const result of ['received', 'accepted', 'anchored']) {
      const line = `mooring_records_total.*"${result}".* ${resources.length}\n`
      assert.match(text, new RegExp(line), result)
    }
    assert.deepEqual(
      run.changes.map(({ status, records, height }) => [status, records.length, height]),
      [
        ['received', resources.length, null],
        ['accepted', resources.length, null],
        ['batched', resources.length, null],
        ['anchored', resources.length, 1],
      ],
    )
    const told = lines.join('')
    assert.ok(!resources.some(({ id }) => id !== null && told.includes(id)))
    assert.ok(!/Patient|Observation|family/.test(told))
  }))

test('the same bytes again are the same records, known', () =>
  withCustody(async (custody) => {
    const run = await custody.run()
    const { custodian } = run
    const first = await custodian.submitRecords(observations(3))
    const again = await custodian.submitRecords(observations(3))
    assert.equal(again.submission, first.submission)
    assert.deepEqual(
      again.records,
      first.records.map((each) => ({ ...each, status: 'known' })),
    )
    const more = await custodian.submitRecords(observations(4))
    assert.deepEqual(
      more.records.map(({ status }) => status),
      ['known', 'known', 'known', 'accepted'],
    )
    await anchorAll(custody, run)
    const later = await (await custody.run()).custodian.submitRecords(observations(3))
    assert.deepEqual(
      later.records.map(({ id, status, height }) => [id, status, height]),
      first.records.map(({ id }) => [id, 'known', 1]),
    )
  }))

test('the same bytes at the same time are one record', () =>
  withCustody(async (custody) => {
    const { custodian } = await custody.run()
    const outcomes = await Promise.all([
      custodian.submitRecords(observations(40)),
      custodian.submitRecords(observations(60)),
      custodian.submitRecords(observations(20, 20)),
      custodian.submitRecords(observations(40)),
    ])
    assert.equal(custodian.counts().accepted, 60)
    const [first, second, third, fourth] = outcomes.map(({ records }) =>
      records.map(({ id }) => id),
    )
    assert.deepEqual(second?.slice(0, 40), first)
    assert.deepEqual(second?.slice(20, 40), third)
    assert.deepEqual(fourth, first)
    const accepted = outcomes
      .flatMap(({ records }) => records)
      .filter((each) => each.status === 'accepted')
    assert.equal(accepted.length, 60)
  }))

test('two identical resources of one submission are one record', () =>
  withCustody(async (custody) => {
    const { custodian } = await custody.run()
    const resource = { resourceType: 'Observation', valueInteger: 7 }
    const bundle = {
      resourceType: 'Bundle',
      type: 'collection',
      entry: [{ resource }, { resource }, { resource: { ...resource, valueInteger: 8 } }],
    }
    const { records } = await custodian.submitRecords(submission(jsonOf(bundle)))
    assert.deepEqual(
      records.map(({ entry, status }) => [entry, status]),
      [
        [0, 'accepted'],
        [1, 'accepted'],
        [2, 'accepted'],
      ],
    )
    assert.equal(records[0]?.id, records[1]?.id)
    assert.equal(new Set(records.map(({ id }) => id)).size, 2)
    assert.equal(custodian.counts().accepted, 2)
  }))

test('a bad entry refuses the whole, unless good lines may be kept', () =>
  withCustody(async (custody) => {
    const { custodian } = await custody.run()
    const bad = new TextEncoder().encode('{"resourceType":"Basic"}\n{"resourceType":7}\n{"a":')
    const whole = submission(bad, { format: 'ndjson' })
    const refused = await custodian.submitRecords(whole)
    assert.deepEqual(refused.records, [])
    assert.deepEqual(
      refused.problems.map(({ code, entry, line }) => [code, entry, line]),
      [
        ['not_fhir', 1, 2],
        ['not_json', 2, 3],
      ],
    )
    assert.equal(custodian.counts().accepted, 0)
    const kept = await custodian.submitRecords({ ...whole, isPartial: true })
    assert.equal(kept.records.length, 1)
    assert.equal(kept.problems.length, 2)
    assert.equal(custodian.counts().accepted, 1)
    const json = await custodian.submitRecords(submission(new TextEncoder().encode('[]')))
    assert.deepEqual([json.records.length, json.problems.length], [0, 1])
  }))

test('records are listed newest first, by type where one is asked for, page by page', () =>
  withCustody(async (custody) => {
    const run = await custody.run()
    const { custodian } = run
    await custodian.submitRecords(observations(5))
    await custodian.submitRecords(submission(jsonOf({ resourceType: 'Patient', active: true })))
    await custodian.submitRecords(observations(5, 5))
    const all = await custodian.records({ before: null, limit: 50, resourceType: null })
    assert.equal(all.items.length, 11)
    assert.equal(all.next, null)
    assert.equal(all.items[5]?.resourceType, 'Patient')
    const paged: string[] = []
    let before: number | null = null
    do {
      const page = await custodian.records({ before, limit: 3, resourceType: 'Observation' })
      paged.push(...page.items.map(({ id }) => id))
      before = page.next
    } while (before !== null)
    const observed = all.items.filter(({ resourceType }) => resourceType === 'Observation')
    assert.deepEqual(
      paged,
      observed.map(({ id }) => id),
    )
    const none = await custodian.records({ before: null, limit: 3, resourceType: 'Device' })
    assert.deepEqual(none, { items: [], next: null })
    assert.equal(await custodian.record('00'.repeat(32)), undefined)
    assert.equal(run.proofs.record('00'.repeat(32), true), undefined)
    assert.equal(run.proofs.transaction('00'.repeat(32)), undefined)
  }))

test('a wait ends with its signal, and tells how far the records came', () =>
  withCustody(async (custody) => {
    const { custodian } = await custody.run()
    const { submission: name, records } = await custodian.submitRecords(observations(2))
    const waiting = custodian.waitForRecords(name, AbortSignal.abort())
    assert.deepEqual(await waiting, records)
    const other = new AbortController()
    const longer = custodian.waitForRecords(name, other.signal)
    other.abort()
    assert.deepEqual(await longer, records)
    await assert.rejects(custodian.waitForRecords('unknown', other.signal), {
      code: 'unknown_submission',
    })
  }))

test('a full batch does not wait for the clock', () =>
  withCustody(async (custody) => {
    const { world } = custody
    const run = await custody.run()
    await run.custodian.submitRecords(observations(4_200))
    await eventually(() => world.mempool.size === 1, 'the first batch is at the door')
    await custody.block()
    await eventually(() => run.custodian.counts().anchored === 4_096, 'a full batch is anchored')
    assert.equal(run.custodian.counts().pending, 104)
    await anchorAll(custody, run)
    assert.deepEqual(
      anchorsOn(world).map(({ sequence }) => sequence),
      [1, 2],
    )
  }))

test('batches follow each other to the door while earlier ones wait', () =>
  withCustody(async (custody) => {
    const { world } = custody
    const run = await custody.run()
    for (const from of [0, 10, 20]) {
      await run.custodian.submitRecords(observations(10, from))
      const waiting = world.mempool.size
      world.clock.advance(TICK_MS)
      await eventually(() => world.mempool.size === waiting + 1, 'one more anchor waits')
    }
    const block = await custody.block()
    assert.deepEqual(
      block?.receipts.map(({ sequence }) => sequence),
      [1, 2, 3],
    )
    await eventually(() => run.custodian.counts().anchored === 30, 'all are anchored')
    assert.equal(new Set(run.changes.filter((each) => each.height === 1)).size, 3)
  }))

test('a custodian that closes lets nobody in and loses nothing', () =>
  withCustody(async (custody) => {
    const first = await custody.run()
    const working = first.custodian.submitRecords(observations(500))
    const closing = first.custodian.close()
    assert.equal((await working).records.length, 500)
    await closing
    await assert.rejects(first.custodian.submitRecords(observations(1)), { code: 'closing' })
    const second = await custody.run()
    assert.equal(second.custodian.counts().pending, 500)
    // Their holders were not waited for by a custodian that was closing.
    await eventually(() => acceptedBy(second) === 500, 'all are accepted')
    await anchorAll(custody, second)
    assert.deepEqual(second.failures, [])
  }))

test.run()
