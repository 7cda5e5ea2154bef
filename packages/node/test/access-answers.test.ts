import assert from 'node:assert/strict'
import type { Access, AccessQuery } from '@mooring/api'
import { equalBytes } from '@mooring/codec'
import type { SealKeyPair } from '@mooring/records'
import { test } from 'uvu'
import { createAccessAnswers } from '../src/access-answers.ts'
import type { AccessLog } from '../src/access-log.ts'
import { accessOf, logKey, patientKey, withLog } from './access-world.ts'
import { eventually, OWN } from './custody-world.ts'

const ALL: AccessQuery = {
  before: null,
  limit: 100,
  organisation: null,
  custodian: null,
  outcome: null,
  isOpen: false,
}

function logKeyOf(key: Uint8Array): SealKeyPair | undefined {
  return equalBytes(key, patientKey.publicKey) ? logKey : undefined
}

async function withAnswers(
  work: (answers: ReturnType<typeof createAccessAnswers>, log: AccessLog) => Promise<void>,
): Promise<void> {
  await withLog(async (logWorld) => {
    const { log } = await logWorld.run()
    await work(createAccessAnswers(log, { logKeyOf }), log)
  })
}

test('each line says what came of it', () =>
  withAnswers(async (answers, log) => {
    const [witnessed, served, asked, read, query] = [1, 2, 3, 4, 5].map((number) =>
      accessOf(number),
    )
    assert.ok(witnessed && served && asked && read && query)
    await log.noteWitness(witnessed.request, witnessed.entry)
    await log.noteWitness(served.request, served.entry)
    log.noteServed(served.request, 1)
    await eventually(() => log.find(served.request.entry)?.served === 1, 'it is served')
    await log.noteRead({ ...asked.request, reader: OWN }, asked.entry)
    await log.noteRead({ ...read.request, reader: OWN }, read.entry)
    log.noteServed(read.request, 1)
    await eventually(() => log.find(read.request.entry)?.served === 1, 'it is read')
    await log.noteQuery({ ...query.request, sets: [] }, query.entry)
    await log.noteRefusal({ peer: 'riverside', code: 'grant_expired', ...witnessed })
    await log.noteRepair({ custodian: 'county', holder: OWN, sets: 7 })
    const { items, next } = await answers.listAccess(ALL)
    assert.equal(next, null)
    const told = items.map((item) => {
      const { outcome, organisation, custodian, purpose, code, records } = item
      return [outcome, organisation, custodian, purpose, code, records]
    })
    assert.deepEqual(told, [
      ['repaired', OWN, 'county', null, null, 7],
      ['refused', 'riverside', 'county', 'TREAT', 'grant_expired', 1],
      ['query', 'riverside', 'county', 'TREAT', null, 0],
      ['read', OWN, 'county', 'TREAT', null, 1],
      ['asked', OWN, 'county', 'TREAT', null, 1],
      ['served', 'riverside', 'county', 'TREAT', null, 1],
      ['witnessed', 'riverside', 'county', 'TREAT', null, 1],
    ])
    assert.ok(
      items.every(
        ({ event, times, status }) => event === null && times === 1 && status === 'waiting',
      ),
    )
  }))

test('a list is filtered and comes in pages that do not overlap', () =>
  withAnswers(async (answers, log) => {
    for (let number = 1; number <= 7; number += 1) {
      const { request, entry } = accessOf(number)
      const reader = number % 2 === 0 ? 'lakeview' : 'riverside'
      await log.noteWitness({ ...request, reader }, entry)
    }
    const found: Access[] = []
    let before: number | null = null
    do {
      const page = await answers.listAccess({ ...ALL, organisation: 'lakeview', before, limit: 2 })
      assert.ok(page.items.length <= 2)
      found.push(...page.items)
      before = page.next
    } while (before !== null)
    assert.equal(new Set(found.map(({ id }) => id)).size, 3)
    assert.ok(found.every(({ organisation }) => organisation === 'lakeview'))
    assert.deepEqual((await answers.listAccess({ ...ALL, custodian: 'nobody' })).items, [])
    assert.equal((await answers.listAccess({ ...ALL, outcome: 'witnessed' })).items.length, 7)
  }))

test('an entry opens for who hosts the keys of its patient, and only when asked', () =>
  withAnswers(async (answers, log) => {
    const { request, entry } = accessOf(1)
    await log.noteWitness(request, entry)
    const strangers = { ...request, sets: request.sets.map((set) => ({ ...set })) }
    const foreign = strangers.sets[0]
    assert.ok(foreign !== undefined)
    foreign.facts = { ...foreign.facts, patientKey: new Uint8Array(32) }
    await log.noteWitness(strangers, accessOf(2).entry)
    const { items } = await answers.listAccess({ ...ALL, isOpen: true })
    assert.deepEqual(
      items.map(({ event }) => event?.['resourceType'] ?? null),
      [null, 'AuditEvent'],
    )
    const id = items[1]?.id ?? ''
    assert.equal(answers.access(id, { isOpen: false })?.event, null)
    assert.equal(answers.access(id, { isOpen: true })?.event?.['action'], 'R')
    assert.equal(answers.access('0'.repeat(64), { isOpen: true }), undefined)
  }))

test('an entry in which something else was sealed opens to nothing', () =>
  withAnswers(async (answers, log) => {
    const { request, entry } = accessOf(1)
    await log.noteWitness(request, { ...entry, sealed: entry.sealed.map((byte) => byte ^ 1) })
    const { items } = await answers.listAccess({ ...ALL, isOpen: true })
    assert.deepEqual(
      items.map(({ event }) => event),
      [null],
    )
  }))

test.run()
