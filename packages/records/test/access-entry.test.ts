import assert from 'node:assert/strict'
import { decode, encode, toHex } from '@mooring/codec'
import { formatDidKey } from '@mooring/crypto'
import { test } from 'uvu'
import {
  ACCESS_ENTRY_BYTES_MAX,
  ACCESS_SETS_MAX,
  accessEntryCommit,
  accessEntrySchema,
  auditEventOf,
  openAccessEntry,
  pairwiseSealKey,
  sealAccessEntry,
} from '../src/index.ts'
import {
  accessOf,
  bytesOf,
  CUSTODIAN,
  entry,
  logKey,
  patientKey,
  READER,
  seededRandom,
} from './access-world.ts'

test('the patient opens an entry, and what it says is the audit event', () => {
  const opened = openAccessEntry(entry, logKey)
  assert.equal(opened, auditEventOf(accessOf()))
  const again = decode(accessEntrySchema, encode(accessEntrySchema, entry))
  assert.equal(openAccessEntry(again, logKey), opened)
})

test('nobody else opens it, and no changed byte of it opens', () => {
  assert.equal(openAccessEntry(entry, pairwiseSealKey(bytesOf('other'), 'did:x', 0)), undefined)
  for (let index = 0; index < entry.sealed.length; index += 37) {
    const sealed = entry.sealed.map((byte, at) => (at === index ? byte ^ 1 : byte))
    assert.equal(openAccessEntry({ ...entry, sealed }, logKey), undefined)
  }
  assert.equal(openAccessEntry({ ...entry, custodian: READER }, logKey), undefined)
  assert.equal(openAccessEntry({ ...entry, nonce: bytesOf('nonce', 16) }, logKey), undefined)
  assert.equal(openAccessEntry({ ...entry, sealed: new Uint8Array(7) }, logKey), undefined)
})

test('the commitment covers every part', () => {
  const commits = [
    entry,
    { ...entry, nonce: bytesOf('nonce', 16) },
    { ...entry, custodian: READER },
    { ...entry, sealed: entry.sealed.slice(1) },
  ].map((each) => toHex(accessEntryCommit(each)))
  assert.equal(new Set(commits).size, 4)
})

test('the size is a whole number of KiB above what sealing adds, and the largest fits', () => {
  const record = { setId: bytesOf('s'), recordCommit: bytesOf('r'), class: 'sensitive:psy' }
  const sizes = [0, 1, 2, ACCESS_SETS_MAX].map((count) => {
    const access = accessOf({ records: Array.from({ length: count }, () => record) })
    return sealAccessEntry(access, logKey.publicKey, seededRandom('size')).sealed.length
  })
  for (const size of sizes) assert.equal((size - 48) % 1024, 0)
  const [one, other] = ['general', 'sensitive:psy'].map((recordClass) => {
    const access = accessOf({ records: [{ ...record, class: recordClass }] })
    return sealAccessEntry(access, logKey.publicKey, seededRandom('class')).sealed.length
  })
  assert.equal(one, other)
  assert.ok((sizes.at(-1) ?? 0) <= ACCESS_ENTRY_BYTES_MAX)
  const query = 'x'.repeat(200)
  const largest = accessOf({ records: Array.from({ length: 64 }, () => record), query })
  const made = sealAccessEntry(largest, logKey.publicKey, seededRandom('largest'))
  assert.ok(encode(accessEntrySchema, made).length < ACCESS_ENTRY_BYTES_MAX)
})

interface Coding {
  system: string
  code: string
}
interface AuditEvent {
  meta: { profile: string[] }
  type: Coding
  subtype: Coding[]
  action: string
  outcome: string
  recorded: string
  purposeOfEvent: { coding: Coding[] }[]
  agent: {
    type: { coding: Coding[] }
    who: { identifier: { value: string } }
    requestor: boolean
    purposeOfUse?: { coding: Coding[] }[]
  }[]
  entity: {
    what?: { identifier: { system: string; value: string } }
    type: Coding
    role?: Coding
    query?: string
    detail?: { type: string; valueString: string }[]
  }[]
}

function parsed(text: string): AuditEvent {
  return JSON.parse(text)
}

test('a read is a PatientRead of BALP', () => {
  const event = parsed(auditEventOf(accessOf()))
  assert.deepEqual(event.meta.profile, [
    'https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.PatientRead',
  ])
  assert.deepEqual(
    [event.type.code, event.subtype.map(({ code }) => code), event.action, event.outcome],
    ['rest', ['read'], 'R', '0'],
  )
  assert.equal(event.recorded, '2026-11-26T12:00:00.000Z')
  const agents = event.agent.map(({ type, who, requestor }) => [
    type.coding[0]?.code,
    who.identifier.value,
    requestor,
  ])
  assert.deepEqual(agents, [
    ['110152', 'did:mooring:org:county', false],
    ['110153', `did:mooring:org:${CUSTODIAN}`, false],
    ['IRCP', 'did:mooring:org:county', true],
  ])
  assert.deepEqual(
    [event.agent[2]?.purposeOfUse, event.purposeOfEvent].map((each) => each?.[0]?.coding[0]?.code),
    ['TREAT', 'TREAT'],
  )
  const entities = event.entity.map(({ type, role, what }) => [
    type.code,
    role?.code,
    what?.identifier.value,
  ])
  assert.deepEqual(entities, [
    ['1', '1', formatDidKey(patientKey.publicKey)],
    ['XrequestId', undefined, toHex(bytesOf('request', 16))],
    ['Consent', undefined, toHex(bytesOf('grant', 16))],
    ['2', '4', toHex(bytesOf('record a'))],
    ['2', '4', toHex(bytesOf('record b'))],
  ])
  assert.deepEqual(event.entity[3]?.detail, [
    { type: 'shard-set', valueString: toHex(bytesOf('set a')) },
    { type: 'class', valueString: 'general' },
  ])
})

test('a query is a PatientQuery, with what was asked for', () => {
  const query = 'AllergyIntolerance?patient=é'
  const event = parsed(auditEventOf(accessOf({ kind: 'query', grant: null, records: [], query })))
  assert.match(event.meta.profile[0] ?? '', /PatientQuery$/)
  assert.deepEqual([event.action, event.subtype[0]?.code], ['E', 'search'])
  const asked = event.entity.find(({ role }) => role?.code === '24')?.query ?? ''
  assert.equal(Buffer.from(asked, 'base64').toString('utf8'), query)
  assert.equal(event.agent[1]?.type.coding[0]?.code, '110152')
})

test.run()
