// What a grant opens that is for less than whole classes, over real holders: the records that the consent
// permits, with a key for each, and nothing by which another one could be opened.

import assert from 'node:assert/strict'
import { toHex } from '@mooring/codec'
import { type Grant, type GrantTerms, provisionOf, type RecordFacts } from '@mooring/records'
import { test } from 'uvu'
import { NOBODY } from '../src/access-session.ts'
import type { Patient } from './vault-hospital.ts'
import { bytesOf } from './vault-keys.ts'
import { type Placed, PURPOSE, VaultWorld } from './vault-world.ts'

const FIVE = ['a', 'b', 'c', 'd', 'e']
const READER = 'b'
const ALL = { after: null, limit: 100, only: null }

interface Given {
  world: VaultWorld
  patient: Patient
  /** Allergy, observation of this year, observation of an earlier one. */
  placed: [Placed, Placed, Placed]
}

async function withRecords(work: (given: Given) => Promise<void>): Promise<void> {
  await VaultWorld.with(FIVE, async (world) => {
    const patient = world.patient('a', 'maria')
    const place = (name: string, facts: Partial<RecordFacts>) => {
      const resource = { resourceType: facts.type, code: { text: name } }
      const raw = new TextEncoder().encode(JSON.stringify(resource))
      return world.place(patient, raw, 'general', [], facts)
    }
    const placed: Given['placed'] = [
      await place('allergy', { type: 'AllergyIntolerance', date: '2020-01-01' }),
      await place('new', { type: 'Observation', date: '2026-03-01', labels: ['R'] }),
      await place('old', { type: 'Observation', date: '2019-03-01' }),
    ]
    await work({ world, patient, placed })
  })
}

function use(grant: Grant, changes: { purpose?: string } = {}) {
  const { signal } = new AbortController()
  return { grant, purpose: PURPOSE, person: NOBODY, signal, ...changes }
}

async function opened({ world }: Given, grant: Grant): Promise<string[]> {
  const { items } = await world.hospital(READER).keeper.granted.list(use(grant), ALL)
  return items.map(({ setId }) => toHex(setId)).toSorted()
}

function names(...placed: Placed[]): string[] {
  return placed.map(({ located }) => toHex(located.setId)).toSorted()
}

async function readAs({ world }: Given, grant: Grant, { located }: Placed): Promise<Uint8Array> {
  const how = { ...use(grant), logKey: grant.logKey }
  const { body } = await world.hospital(READER).keeper.reader.read(located, how)
  return await bytesOf(body)
}

const only = (content: GrantTerms['content']): Partial<GrantTerms> => ({
  content: { classes: ['general'], ...content },
})

test('a grant for a type, a time, a record or all but one opens these and no other', () =>
  withRecords(async (given) => {
    const { world, patient, placed } = given
    const [allergy, recent, old] = placed
    const record = old.located.manifest.recordCommit
    const cases: [string, Partial<GrantTerms>, Placed[]][] = [
      ['type', only({ types: ['AllergyIntolerance'] }), [allergy]],
      ['time', only({ firstDay: '2026-01-01' }), [recent]],
      ['until', only({ lastDay: '2020-12-31' }), [allergy, old]],
      ['record', only({ records: [record] }), [old]],
      ['label', only({ confidentialities: ['N'] }), [allergy, old]],
      [
        'deny',
        { ...only({}), provisions: [provisionOf('deny', { types: ['Observation'] })] },
        [allergy],
      ],
    ]
    for (const [name, terms, expected] of cases) {
      const grant = await world.grant(patient, READER, terms)
      assert.ok(grant.isNarrow, name)
      assert.deepEqual(await opened(given, grant), names(...expected), name)
      for (const each of placed) {
        if (expected.includes(each)) assert.deepEqual(await readAs(given, grant, each), each.raw)
        else await assert.rejects(readAs(given, grant, each), /refuse/, name)
      }
      await world.wipe(READER)
    }
  }))

test('holders see of each record what the grant makes them check, and hashes of the rest', () =>
  withRecords(async (given) => {
    const { world, patient, placed } = given
    const grant = await world.grant(patient, READER, only({ types: ['AllergyIntolerance'] }))
    await readAs(given, grant, placed[0])
    const seen = world.hospital('c').noted.find(({ what }) => what === 'witness')
    const [set] = seen?.request?.sets ?? []
    assert.ok(set !== undefined)
    const { type, record, date, author, encounter, labels } = set.facts
    assert.equal(type.kind === 'shown' && type.body.value, 'AllergyIntolerance')
    for (const facet of [record, date, author, encounter, labels])
      assert.equal(facet.kind, 'hidden')
  }))

test('no class key goes to who may read some of a class', () =>
  withRecords(async (given) => {
    const { world, patient } = given
    const answers: string[] = []
    world.tampers.set('a', (answer) => {
      if (answer.kind !== 'catalogue') return answer
      answers.push(`${answer.body.keys.length} ${answer.body.items.length}`)
      assert.ok(answer.body.recordKeys.length > 0)
      return answer
    })
    const grant = await world.grant(patient, READER, only({ types: ['AllergyIntolerance'] }))
    assert.equal((await opened(given, grant)).length, 1)
    assert.deepEqual(answers, ['0 1'])
  }))

test('keys of records open for the reader and the question that they were sealed for', () =>
  withRecords(async (given) => {
    const { world, patient } = given
    const kept: Uint8Array[] = []
    world.tampers.set('a', (answer) => {
      if (answer.kind !== 'catalogue') return answer
      kept.push(answer.body.recordKeys)
      const [first = new Uint8Array(0)] = kept
      return { kind: 'catalogue', body: { ...answer.body, recordKeys: first } }
    })
    const grant = await world.grant(patient, READER, only({ types: ['AllergyIntolerance'] }))
    assert.equal((await opened(given, grant)).length, 1)
    // The same keys for another question, at a node that has forgotten them.
    await world.wipe(READER)
    assert.deepEqual(await opened(given, grant), [])
  }))

test('only fields: no holder gives a shard, and the catalogue does not tell of the record', () =>
  withRecords(async (given) => {
    const { world, patient, placed } = given
    const grant = await world.grant(patient, READER, only({ fields: ['/code'] }))
    assert.deepEqual(await opened(given, grant), [])
    await assert.rejects(readAs(given, grant, placed[0]), { code: 'field_only' })
  }))

test('a record that is restricted is not told of', () =>
  withRecords(async (given) => {
    const { world, patient, placed } = given
    const [allergy, recent, old] = placed
    world.hospital('a').restricted.add(toHex(recent.located.manifest.recordCommit))
    const grant = await world.grant(patient, READER, only({ lastDay: '2026-12-31' }))
    assert.deepEqual(await opened(given, grant), names(allergy, old))
  }))

test('a narrow grant of a custodian that is away opens what is known already', () =>
  withRecords(async (given) => {
    const { world, patient, placed } = given
    const grant = await world.grant(patient, READER, only({ types: ['AllergyIntolerance'] }))
    assert.equal((await opened(given, grant)).length, 1)
    world.down.add('a')
    assert.deepEqual(await opened(given, grant), names(placed[0]))
    world.facts.revoke(grant.handle)
    await assert.rejects(opened(given, grant), { code: 'grant_revoked' })
  }))

test.run()
