// What holders tell is brought together once, kept under the patient it is about, and asked for again only
// until it is settled.

import assert from 'node:assert/strict'
import { toHex } from '@mooring/codec'
import {
  accessEntryCommit,
  decodeVaultRequest,
  encodeVaultAnswer,
  type HeldAccess,
  type VaultAnswer,
  type VaultRequest,
} from '@mooring/records'
import { MemoryLevel, openDatabaseOn, PrivateValues } from '@mooring/storage'
import { test } from 'uvu'
import { AccessCollector } from '../src/access-collector.ts'
import { createAccessQuestions } from '../src/access-questions.ts'
import { AtRest } from '../src/at-rest.ts'
import type { Account } from '../src/accounts.ts'
import { createPatientTraces } from '../src/patient-traces.ts'
import { createVaultPeers } from '../src/vault-peers.ts'
import { accessOf, logKey, patientKey } from './access-world.ts'

const SECRET = new Uint8Array(32).fill(9)
const HOUR = 3_600_000
const FORMER = new Uint8Array(32).fill(4)
const caller = { patientKey: patientKey.publicKey, signer: patientKey.publicKey, delegation: null }
const { signal } = new AbortController()
const page = { after: null, limit: 100, signal }

const ACCOUNT: Account = {
  reference: '7',
  patientKey: patientKey.publicKey,
  logKey: logKey.publicKey,
  custody: 'own',
  former: [FORMER],
  recoveryCommit: null,
}

function lineOf(number: number, changes: Partial<HeldAccess> = {}): HeldAccess {
  const { request, entry } = accessOf(number)
  return {
    arrival: number,
    time: 1_000 + number,
    leaf: accessEntryCommit(entry),
    asked: {
      id: request.id,
      reader: request.reader,
      purpose: request.purpose,
      grant: null,
      patientKey: patientKey.publicKey,
      sets: request.sets.map(({ setId }) => setId),
    },
    entry,
    note: null,
    served: 1,
    place: null,
    ...changes,
  }
}

const MEMBERS = ['county', 'lakeview', 'riverside']

class Holders {
  readonly logs = new Map<string, HeldAccess[]>()
  readonly asked: { holder: string; after: number }[] = []
  readonly away = new Set<string>()
  limit = 100

  readonly peers = createVaultPeers('county', {
    network: {
      request: (peerId, _protocol, payload) => {
        const answer = this.#answer(peerId, decodeVaultRequest(payload))
        return Promise.resolve(encodeVaultAnswer(answer))
      },
      peers: () =>
        MEMBERS.map((name) => ({
          peerId: name,
          name,
          authority: true,
          connected: !this.away.has(name),
          lastHeard: 1,
          rttMs: 1,
          direction: 'outbound' as const,
          height: 1,
          lastError: null,
        })),
    },
    members: { list: MEMBERS.map((name) => ({ name, peerId: name, authority: true })) },
    answer: (_sender, request) => Promise.resolve(this.#answer('county', request)),
  })

  #answer(holder: string, request: VaultRequest): VaultAnswer {
    if (request.kind !== 'accesses') throw new Error('nothing else is asked')
    const { after } = request.body
    this.asked.push({ holder, after })
    const log = this.logs.get(holder) ?? []
    const behind = log.filter(({ arrival }) => arrival > after)
    const items = behind.slice(0, this.limit)
    const next = behind.length > items.length ? (items.at(-1)?.arrival ?? null) : null
    return { kind: 'accesses', body: { items, next, last: log.at(-1)?.arrival ?? 0 } }
  }
}

const isOf = (key: Uint8Array) =>
  [patientKey.publicKey, FORMER].some((own) => toHex(own) === toHex(key))

async function world() {
  const holders = new Holders()
  const store = new PrivateValues(await openDatabaseOn(new MemoryLevel('records'), 'records'))
  const time = { wall: 2_000, monotonic: 0 }
  const clock = { wall: () => time.wall, monotonic: () => time.monotonic }
  const atRest = new AtRest(SECRET)
  const accounts = {
    find: (reference: string) => (reference === '7' ? ACCOUNT : undefined),
    findByKey: (key: Uint8Array) => (isOf(key) ? ACCOUNT : undefined),
    logKeyPair: () => undefined,
  }
  const collector = new AccessCollector({
    self: 'county',
    peers: holders.peers,
    organisations: () => [{ id: 'county' }, { id: 'lakeview' }, { id: 'riverside' }],
    accounts,
    store,
    atRest,
    chain: { state: () => new Map<Uint8Array, Uint8Array>(), getTransaction: () => undefined },
    clock,
    logger: { warn: () => undefined },
  })
  const later = (ms: number) => {
    time.wall += ms
    time.monotonic += ms
  }
  const index = { getBySet: () => undefined }
  const traces = createPatientTraces({ self: 'county', collector, accounts, index })
  const questions = createAccessQuestions({ collector, accounts, store, atRest, clock })
  return { holders, collector, traces, questions, later, store }
}

test('lines of one access at several holders are one, under the patient it is about', async () => {
  const { holders, collector, traces } = await world()
  const both = lineOf(1)
  holders.logs.set('lakeview', [both, lineOf(2)])
  holders.logs.set('riverside', [{ ...both, time: 1_500, served: 3 }])
  assert.deepEqual(await collector.collect(), [])
  const { items, silent } = await traces.traces(caller, page)
  assert.deepEqual(silent, [])
  assert.deepEqual(
    items.map(({ request, at }) => [request?.reader, at.map(({ holder }) => holder).toSorted()]),
    [
      ['riverside', ['lakeview']],
      ['riverside', ['lakeview', 'riverside']],
    ],
  )
  assert.equal(items[1]?.entry?.custodian, 'county')
  assert.equal(items[1]?.opened, null)
})

test('who tells first of another request hides nothing that the others tell', async () => {
  const { holders, collector, traces, later } = await world()
  const told = lineOf(1)
  const lie = { ...told, asked: told.asked && { ...told.asked, reader: 'scapegoat' } }
  holders.logs.set('lakeview', [lie])
  await collector.collect()
  later(5_000)
  holders.logs.set('county', [told])
  holders.logs.set('riverside', [told])
  const seen: string[] = []
  let after: string | null = null
  do {
    const { items, next }: Awaited<ReturnType<typeof traces.traces>> = await traces.traces(caller, {
      ...page,
      after,
      limit: 1,
    })
    for (const { request, at } of items)
      seen.push([request?.reader, ...at.map(({ holder }) => holder).toSorted()].join(' '))
    after = next
  } while (after !== null && seen.length < 5)
  assert.deepEqual(seen.toSorted(), ['riverside county riverside', 'scapegoat lakeview'])
})

test('an entry or a note that is not what the line commits to does not stand for it', async () => {
  const { holders, collector, traces, later } = await world()
  const told = lineOf(1)
  holders.logs.set('lakeview', [{ ...told, entry: lineOf(2).entry }])
  await collector.collect()
  later(5_000)
  holders.logs.set('riverside', [told])
  const note = {
    nonce: new Uint8Array(16),
    time: 1,
    kind: 'refusal' as const,
    organisation: 'scapegoat',
    custodian: 'county',
    code: 'denied',
    count: 1,
    entry: told.leaf,
  }
  holders.logs.set('county', [{ ...told, note }])
  const { items } = await traces.traces(caller, page)
  assert.deepEqual(
    items.map(({ entry, at }) => [entry?.nonce, at.map(({ holder }) => holder)]),
    [[told.entry && toHex(told.entry.nonce), ['riverside']]],
  )
})

test('what is about strangers is not kept, and of a former key it is', async () => {
  const { holders, collector, traces } = await world()
  const stranger = lineOf(1)
  const former = lineOf(2)
  holders.logs.set('lakeview', [
    { ...stranger, asked: stranger.asked && { ...stranger.asked, patientKey: new Uint8Array(32) } },
    { ...lineOf(3), asked: null },
    { ...former, asked: former.asked && { ...former.asked, patientKey: FORMER } },
  ])
  await collector.collect()
  const { items } = await traces.traces(caller, page)
  assert.deepEqual(
    items.map(({ leaf }) => leaf),
    [toHex(former.leaf)],
  )
})

test('a member that does not answer is named, and its lines come when it is back', async () => {
  const { holders, collector, traces, later } = await world()
  holders.logs.set('lakeview', [lineOf(1)])
  holders.away.add('lakeview')
  assert.deepEqual(await collector.collect(), ['lakeview'])
  assert.deepEqual((await traces.traces(caller, page)).silent, ['lakeview'])
  holders.away.clear()
  later(2_000)
  const found = await traces.traces(caller, page)
  assert.deepEqual([found.items.length, found.silent], [1, []])
})

test('a log is followed to its end, and what is settled is not asked for again', async () => {
  const { holders, collector, later } = await world()
  holders.limit = 2
  holders.logs.set(
    'lakeview',
    [1, 2, 3, 4, 5].map((number) => lineOf(number)),
  )
  await collector.collect()
  assert.equal((await collector.of(patientKey.publicKey)).length, 5)
  const of = () => holders.asked.splice(0).filter(({ holder }) => holder === 'lakeview')
  assert.deepEqual(
    of().map(({ after }) => after),
    [0, 2, 4],
  )
  later(2_000)
  await collector.collect()
  assert.equal(of()[0]?.after, 0)
  later(25 * HOUR)
  await collector.collect()
  of()
  later(2_000)
  await collector.collect()
  assert.deepEqual(
    of().map(({ after }) => after),
    [5],
  )
  // A holder that has lost its log begins anew, and is asked from its beginning.
  holders.logs.set('lakeview', [lineOf(1), lineOf(2)])
  later(2_000)
  await collector.collect()
  assert.deepEqual(
    of().map(({ after }) => after),
    [5, 0],
  )
})

test('who asks twice at once gets one answer', async () => {
  const { holders, collector } = await world()
  await Promise.all([collector.collect(), collector.collect(), collector.collect()])
  await collector.collect()
  assert.equal(holders.asked.length, 3)
})

test('pages go on behind the last line of the one before', async () => {
  const { holders, collector, traces } = await world()
  holders.logs.set(
    'lakeview',
    [1, 2, 3, 4, 5].map((number) => lineOf(number)),
  )
  await collector.collect()
  const seen: string[] = []
  let after: string | null = null
  do {
    const { items, next }: Awaited<ReturnType<typeof traces.traces>> = await traces.traces(caller, {
      ...page,
      after,
      limit: 2,
    })
    seen.push(...items.map(({ leaf }) => leaf))
    after = next
  } while (after !== null)
  assert.equal(new Set(seen).size, 5)
})

test('a hospital accounts for what others were given, and for nothing else', async () => {
  const { holders, traces } = await world()
  const own = lineOf(3)
  holders.logs.set('lakeview', [
    lineOf(1),
    lineOf(2, { served: 0 }),
    { ...own, asked: own.asked && { ...own.asked, reader: 'county' } },
  ])
  const { items, patient } = await traces.accounting('Patient/7', signal)
  assert.equal(patient, 'Patient/7')
  assert.deepEqual(
    items.map(({ recipient, purpose, records, unknown, holders: who }) => [
      recipient,
      purpose,
      records,
      unknown,
      who,
    ]),
    [['riverside', 'TREAT', [], 1, ['lakeview']]],
  )
  await assert.rejects(traces.accounting('Patient/8', signal), { code: 'unknown_patient' })
})

test('a question is about an access that is known, and is answered once', async () => {
  const { holders, collector, questions } = await world()
  const line = lineOf(1)
  holders.logs.set('lakeview', [line])
  await collector.collect()
  const access = toHex(line.leaf)
  const asked = await questions.ask(caller, { access, question: 'Warum nachts?' })
  assert.deepEqual([asked.reader, asked.patient, asked.answer], ['riverside', null, null])
  const open = await questions.allQuestions({ isOpen: true })
  assert.deepEqual(
    open.map(({ id, patient, question }) => [id, patient, question]),
    [[asked.id, '7', 'Warum nachts?']],
  )
  const answered = await questions.answer(asked.id, 'Ein Notfall.')
  assert.equal(answered?.answer, 'Ein Notfall.')
  await assert.rejects(questions.answer(asked.id, 'anders'), { code: 'question_answered' })
  assert.equal((await questions.questions(caller))[0]?.answer, 'Ein Notfall.')
  assert.deepEqual(await questions.allQuestions({ isOpen: true }), [])
  assert.equal(await questions.answer('00'.repeat(16), 'x'), undefined)
  const other = { access: '00'.repeat(32), question: 'why' }
  await assert.rejects(questions.ask(caller, other), { code: 'unknown_access' })
})

test('so many questions wait for an answer, and no more', async () => {
  const { holders, collector, questions } = await world()
  const line = lineOf(1)
  holders.logs.set('lakeview', [line])
  await collector.collect()
  const access = toHex(line.leaf)
  const first = await questions.ask(caller, { access, question: 'why 0' })
  for (let at = 1; at < 50; at += 1) await questions.ask(caller, { access, question: `why ${at}` })
  const more = { access, question: 'and why' }
  await assert.rejects(questions.ask(caller, more), { code: 'too_many_questions' })
  await questions.answer(first.id, 'so')
  await questions.ask(caller, more)
})

test('nothing of it stands on the disk in clear', async () => {
  const { holders, collector, questions, store } = await world()
  const line = lineOf(1)
  holders.logs.set('lakeview', [line])
  await collector.collect()
  await questions.ask(caller, { access: toHex(line.leaf), question: 'a secret worry' })
  for (const namespace of ['accesses', 'questions', 'access-cursors']) {
    const found = await store.list(namespace, null, 10)
    assert.ok(found.length > 0, namespace)
    for (const { key, value } of found) {
      const disk = Buffer.concat([key, value])
      for (const word of [
        'riverside',
        'lakeview',
        'TREAT',
        'secret',
        Buffer.from(patientKey.publicKey),
      ])
        assert.ok(!disk.includes(word))
    }
  }
})

test.run()
