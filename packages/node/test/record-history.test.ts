import assert from 'node:assert/strict'
import { Refusal } from '@mooring/api'
import { verifyProof } from '@mooring/api/verify'
import { genesisDigest } from '@mooring/ledger'
import { toHex } from '@mooring/codec'
import { type Access, sealAccessEntry, UNATTENDED } from '@mooring/records'
import { test } from 'uvu'
import type { KeptAccess } from '../src/access-log.ts'
import { createDisclosures } from '../src/disclosures.ts'
import { createRecordHistory } from '../src/record-history.ts'
import {
  type Custody,
  eventually,
  jsonOf,
  OWN,
  type Run,
  submission,
  TICK_MS,
  withCustody,
} from './custody-world.ts'

const ALL = { before: null, limit: 50 }
const { signal } = new AbortController()

function observation(id: string, value: number, versionId: string): Uint8Array {
  return jsonOf({
    resourceType: 'Observation',
    id,
    meta: { versionId },
    subject: { reference: 'Patient/7' },
    valueQuantity: { value, unit: 'mmHg' },
    note: [{ text: 'a secret remark' }],
  })
}

async function submitAll({ custodian }: Run, resources: readonly Uint8Array[]): Promise<string[]> {
  const ids: string[] = []
  for (const bytes of resources) {
    const { records } = await custodian.submitRecords(submission(bytes))
    ids.push(records[0]?.id ?? assert.fail('nothing was taken'))
  }
  return ids
}

async function anchorAll({ world, block }: Custody, { custodian }: Run): Promise<void> {
  world.clock.advance(TICK_MS)
  await eventually(() => world.mempool.size > 0, 'the anchor is at the door')
  await block()
  await eventually(() => custodian.counts().pending === 0, 'the records are anchored')
}

function historyOf({ custodian }: Run, kept: readonly KeptAccess[] = []) {
  const { index, accounts } = custodian
  async function* list() {
    yield* kept
  }
  const logKeyOf = (patientKey: Uint8Array) => accounts.logKeyPair(patientKey)
  return createRecordHistory({
    index,
    record: (id) => custodian.record(id),
    accesses: { list },
    logKeyOf,
  })
}

test('the versions of a resource are its history, newest first, and no other resource', () =>
  withCustody(async (custody) => {
    const run = await custody.run()
    const [first = '', other = '', second = '', third = ''] = await submitAll(run, [
      observation('bp', 120, '1'),
      observation('pulse', 70, '1'),
      observation('bp', 125, '2'),
      observation('bp', 130, '3'),
    ])
    await anchorAll(custody, run)
    const { recordHistory } = historyOf(run)
    const found = await recordHistory(first, ALL)
    assert.deepEqual(
      found?.items.map(({ id, versionId, supersedes, status }) => [
        id,
        versionId,
        supersedes,
        status,
      ]),
      [
        [third, '3', second, 'anchored'],
        [second, '2', first, 'anchored'],
        [first, '1', null, 'anchored'],
      ],
    )
    assert.equal(found?.next, null)
    for (const { height, transactionId, holders, accesses } of found?.items ?? []) {
      assert.ok(height === 1 && transactionId !== null && holders >= 2 && accesses === 0)
    }
    const page = await recordHistory(third, { before: null, limit: 2 })
    assert.deepEqual(
      page?.items.map(({ supersedes }) => supersedes),
      [second, first],
    )
    const rest = await recordHistory(third, { before: page?.next ?? null, limit: 2 })
    assert.deepEqual(
      rest?.items.map(({ id }) => id),
      [first],
    )
    assert.equal(rest?.next, null)
    assert.equal((await recordHistory(other, ALL))?.items.length, 1)
    assert.equal(await recordHistory('00'.repeat(32), ALL), undefined)
  }))

test('what has no id of its own is its only version', () =>
  withCustody(async (custody) => {
    const run = await custody.run()
    const [id = ''] = await submitAll(run, [jsonOf({ resourceType: 'Basic', code: { text: 'x' } })])
    const found = await historyOf(run).recordHistory(id, ALL)
    assert.deepEqual(
      found?.items.map((version) => [version.id, version.versionId]),
      [[id, null]],
    )
  }))

test('accesses are counted record by record, in entries that the hosted key opens', () =>
  withCustody(async (custody) => {
    const run = await custody.run()
    const ids = await submitAll(run, [observation('bp', 120, '1'), observation('bp', 125, '2')])
    const [older = '', newer = ''] = ids
    const kept = [accessOf(run, newer), accessOf(run, newer), accessOf(run, older)]
    const found = await historyOf(run, kept).recordHistory(older, ALL)
    assert.deepEqual(
      found?.items.map(({ id, accesses }) => [id, accesses]),
      [
        [newer, 2],
        [older, 1],
      ],
    )
  }))

function accessOf({ custodian }: Run, id: string): KeptAccess {
  const { index, accounts } = custodian
  const entry = index.get(Buffer.from(id, 'hex')) ?? assert.fail('no entry')
  const account = accounts.findByKey(entry.account) ?? assert.fail('no account')
  const request = { id: new Uint8Array(16), reader: OWN, custodian: OWN, purpose: 'TREAT' }
  const access: Access = {
    kind: 'read',
    ...request,
    time: 0,
    patientKey: entry.account,
    grant: null,
    records: [{ setId: entry.setId, recordCommit: entry.id, class: 'general' }],
    query: null,
    by: UNATTENDED,
    sequence: null,
    emergency: null,
  }
  const sealed = sealAccessEntry(access, account.logKey, (count) => new Uint8Array(count).fill(3))
  return {
    time: 0,
    role: 'reader',
    act: null,
    asked: {
      ...request,
      digest: new Uint8Array(32),
      grant: null,
      patientKey: entry.account,
      sets: [new Uint8Array(32)],
    },
    entry: sealed,
    note: null,
    served: 0,
    arrival: 1,
    leaf: new Uint8Array(32),
    status: 'waiting',
    batch: null,
    height: null,
  }
}

test('chosen fields are shown in a proof that verifies, and nothing else of the record', () =>
  withCustody(async (custody) => {
    const run = await custody.run()
    const raw = observation('bp', 120.5, '1')
    const [id = ''] = await submitAll(run, [raw])
    const asked: string[] = []
    const anchored = { isAnchored: true, height: 1 }
    const { disclose } = createDisclosures({
      index: run.custodian.index,
      proofs: run.proofs,
      recordContent: ({ purpose }) => {
        asked.push(purpose)
        async function* body() {
          yield raw.subarray(0, 10)
          yield raw.subarray(10)
        }
        const content = { contentType: 'application/fhir+json', size: raw.length, body: body() }
        return Promise.resolve({ ...content, entry: null, anchored, badHolders: [] })
      },
    })
    assert.deepEqual(await disclose(id, ['/valueQuantity'], signal), { kind: 'pending' })
    assert.deepEqual(asked, [], 'nothing is read before the proof can be made')
    await anchorAll(custody, run)

    const shown = await disclose(id, ['/valueQuantity'], signal)
    assert.ok(shown?.kind === 'record')
    assert.deepEqual(asked, ['HOPERAT'])
    const result = verifyProof(shown.json, { genesisDigest: genesisDigest(custody.world.genesis) })
    assert.ok(result.ok, JSON.stringify(result))
    assert.deepEqual(result.shown, [
      { pointer: '/valueQuantity/unit', value: '"mmHg"' },
      { pointer: '/valueQuantity/value', value: '120.5' },
    ])
    for (const hidden of ['secret remark', 'Patient/7', toHex(raw)]) {
      assert.ok(!shown.json.includes(hidden), hidden)
    }
    const missing = disclose(id, ['/valueString'], signal)
    await assert.rejects(missing, (error: unknown) => {
      return error instanceof Refusal && error.code === 'no_such_field'
    })
    assert.equal(await disclose('00'.repeat(32), ['/id'], signal), undefined)
  }))

test.run()
