// Grants for less than whole classes, over real nodes: only the allergies, only some fields, only one
// practitioner. What is read is what the patient meant, and nothing beside it; the log says who it was.

import assert from 'node:assert/strict'
import { ApiProblem } from '@mooring/api/client'
import { verifyProof } from '@mooring/api/verify'
import { fromHex, toHex } from '@mooring/codec'
import { keyPairFromSeed, sign } from '@mooring/crypto'
import {
  type Access,
  generatePatient,
  openAccessEntry,
  organisationDid,
  pairwiseSealKey,
  parseAccessProof,
  parseGrant,
  provisionOf,
  readAuditEvent,
  readGrant,
} from '@mooring/records'
import { test } from 'uvu'
import { patientIn } from '../../packages/cli/src/devnet/demo-reading.ts'
import { nodeAt, startDevnet } from './devnet.ts'
import { eventually } from './eventually.ts'
import { wholeOf } from './granted-reads.ts'
import { type MadeGrant, PatientKeys } from './patient-keys.ts'

const starting = startDevnet('-n 4')
const SEED = new Uint8Array(32).fill(0x51)
const FINAL_MS = 60_000
const DOCTOR = keyPairFromSeed(new Uint8Array(32).fill(0xd0))
const PURPOSE = 'TREAT'

const making = made()

async function made() {
  const devnet = await starting
  const [hospital, reader, other] = [0, 1, 2].map((at) => nodeAt(devnet, at))
  assert.ok(hospital && reader && other)
  const bundle = generatePatient(21)
  const contentType = 'application/fhir+json'
  const { records } = await hospital.client.submitRecords(bundle, { contentType, waitMs: FINAL_MS })
  const wallet = new PatientKeys(devnet, hospital, SEED)
  await wallet.enrol(patientIn(bundle))
  return { devnet, hospital, reader, other, wallet, records }
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work
  } catch (error) {
    assert.ok(error instanceof ApiProblem, String(error))
    return error.code
  }
  return 'nothing was refused'
}

const practitioner = {
  key: toHex(DOCTOR.publicKey),
  sign: (toSign: string) => toHex(sign(DOCTOR, fromHex(toSign))),
}

test('only the allergies: they are listed and read, and nothing else opens', async () => {
  const { reader, wallet, records } = await making
  const grant = wallet.grant(reader.name, { content: { types: ['AllergyIntolerance'] } })
  await wallet.deposit(grant)
  const under = { grant: grant.text, purpose: PURPOSE }
  const { items } = await reader.client.readable(under, { limit: 500 })
  const allergies = records.filter(({ resourceType }) => resourceType === 'AllergyIntolerance')
  assert.ok(allergies.length > 0)
  assert.deepEqual(items.map(({ id }) => id).toSorted(), allergies.map(({ id }) => id).toSorted())
  for (const { id, size } of items) {
    const raw = await wholeOf(await reader.client.readRecord(id, under))
    assert.equal(raw.length, size)
  }
  const hidden = records.find(({ resourceType }) => resourceType === 'Observation')
  assert.ok(hidden !== undefined)
  assert.equal(await codeOf(reader.client.readRecord(hidden.id, under)), 'unknown_record')
  const [allergy] = allergies
  const asEmergency = reader.client.readRecord(allergy?.id ?? '', { ...under, purpose: 'BTG' })
  assert.equal(await codeOf(asEmergency), 'purpose_not_covered')
})

test('all but what is denied', async () => {
  const { reader, wallet } = await making
  const denied = provisionOf('deny', { types: ['Condition'] })
  const grant = wallet.grant(reader.name, { provisions: [denied] })
  await wallet.deposit(grant)
  const { items } = await reader.client.readable(
    { grant: grant.text, purpose: PURPOSE },
    { limit: 500 },
  )
  const types = new Set(items.map(({ resourceType }) => resourceType))
  assert.ok(types.has('Observation') && !types.has('Condition'))
})

test('only fields: the custodian shows them with a proof, and no holder gives a shard', async () => {
  const { devnet, hospital, reader, wallet } = await making
  const content = { types: ['AllergyIntolerance'], fields: ['/code', '/nowhere'] }
  const grant = wallet.grant(reader.name, { content })
  await wallet.deposit(grant)
  const under = { grant: grant.text, purpose: PURPOSE }
  assert.deepEqual((await reader.client.readable(under)).items, [])
  const { items } = await reader.client.readFields(under)
  assert.ok(items.length > 0)
  const genesisDigest = fromHex(devnet.genesisDigest)
  for (const { fields, proof } of items) {
    assert.ok(fields.length > 0 && fields.every(({ pointer }) => pointer.startsWith('/code/')))
    const result = verifyProof(JSON.stringify(proof), { genesisDigest })
    assert.ok(result.ok && result.anchor?.organisation === hospital.name)
    assert.deepEqual(result.shown, fields)
  }
  const [first] = items
  assert.equal(await codeOf(reader.client.readRecord(first?.id ?? '', under)), 'unknown_record')
})

test('only one practitioner there, who signs each request', async () => {
  const { reader, wallet, records } = await making
  const grant = wallet.grant(reader.name, { practitioner: DOCTOR.publicKey })
  await wallet.deposit(grant)
  const under = { grant: grant.text, purpose: PURPOSE, person: 'Dr. Ada Lind' }
  assert.equal(await codeOf(reader.client.readable(under)), 'practitioner_missing')
  const stranger = keyPairFromSeed(new Uint8Array(32).fill(0xd1))
  const posing = {
    key: practitioner.key,
    sign: (toSign: string) => toHex(sign(stranger, fromHex(toSign))),
  }
  const forged = reader.client.readable({ ...under, practitioner: posing })
  assert.equal(await codeOf(forged), 'practitioner_forged')
  const { items } = await reader.client.readable({ ...under, practitioner }, { limit: 500 })
  const [record] = items
  assert.ok(record !== undefined && items.length < records.length)
  const stream = await reader.client.readRecord(record.id, { ...under, practitioner })
  assert.equal((await wholeOf(stream)).length, record.size)
  const events = await eventsUnder(grant)
  const last = events.at(-1)
  assert.equal(last?.kind, 'read')
  assert.equal(last?.by.name, 'Dr. Ada Lind')
  assert.deepEqual(last?.by.key, DOCTOR.publicKey)
})

test('what a reader asks under a grant is numbered without a gap, also what was refused', async () => {
  const { reader, wallet } = await making
  const grant = wallet.grant(reader.name)
  await wallet.deposit(grant)
  const under = { grant: grant.text, purpose: PURPOSE }
  const { items } = await reader.client.readable(under, { limit: 3 })
  for (const { id } of items) await wholeOf(await reader.client.readRecord(id, under))
  const [first] = items
  const marketing = { ...under, purpose: 'HMARKT' }
  assert.equal(
    await codeOf(reader.client.readRecord(first?.id ?? '', marketing)),
    'purpose_not_covered',
  )
  const events = await eventsUnder(grant)
  assert.deepEqual(
    events.map(({ sequence }) => sequence),
    [1, 2, 3, 4, 5],
  )
  assert.ok(events.every(({ by }) => by.kind === 'machine'))
})

test('a recipient that passes its grant on helps nobody', async () => {
  const { reader, other, wallet } = await making
  const grant = wallet.grant(reader.name)
  await wallet.deposit(grant)
  const passed = other.client.readable({ grant: grant.text, purpose: PURPOSE })
  assert.equal(await codeOf(passed), 'not_the_recipient')
})

test('it stops and leaves nothing behind', async () => {
  const devnet = await starting
  await devnet.close()
})

// What the reader's own log has of a grant, opened with the keys of the patient, in the order of its numbers.
async function eventsUnder({ text }: MadeGrant) {
  const { hospital, reader } = await making
  const grant = toHex(readGrant(parseGrant(text)).id)
  const seal = pairwiseSealKey(SEED, organisationDid(hospital.name), 1)
  const { items } = await reader.client.accessList({ limit: 500 })
  const own = items.filter(
    (item) =>
      item.grant === grant && item.organisation === reader.name && item.outcome !== 'refused',
  )
  const events: Access[] = []
  for (const { id } of own) {
    const proof = await eventually('an entry is final', FINAL_MS, async () =>
      parseAccessProof(await reader.client.proof(id)),
    )
    const content = proof.version === 1 ? proof.entry.content : null
    const opened = content === null ? undefined : openAccessEntry(content, seal)
    const event = opened === undefined ? undefined : readAuditEvent(opened)
    assert.ok(event !== undefined)
    events.push(event)
  }
  return events.toSorted((one, two) => (one.sequence ?? 0) - (two.sequence ?? 0))
}

test.run()
