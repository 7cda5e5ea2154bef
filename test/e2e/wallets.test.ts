// A patient with a wallet of its own, over real nodes: it enrols at a desk, lets another hospital read, takes
// that back, and moves to another wallet. And whoever tries with less than that.

import assert from 'node:assert/strict'
import { ApiProblem } from '@mooring/api/client'
import { decode, fromHex, toHex } from '@mooring/codec'
import { decodeBase64url } from '@mooring/crypto'
import {
  generatePatient,
  signedDischargeReceiptsSchema,
  verifyDischargeReceipts,
} from '@mooring/records'
import { test } from 'uvu'
import { patientIn } from '../../packages/cli/src/devnet/demo-reading.ts'
import { type DevnetNode, nodeAt, startDevnet } from './devnet.ts'
import { wholeOf } from './granted-reads.ts'
import { PatientKeys } from './patient-keys.ts'

const starting = startDevnet('-n 4')
const HOSPITAL = 0
const READER = 1
const RELAY = 2
const FINAL_MS = 60_000

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work
  } catch (error) {
    assert.ok(error instanceof ApiProblem, String(error))
    return error.code
  }
  return 'nothing was refused'
}

async function submitted({ client }: DevnetNode, seed: number) {
  const bundle = generatePatient(seed)
  const contentType = 'application/fhir+json'
  const { records } = await client.submitRecords(bundle, { contentType, waitMs: FINAL_MS })
  return { records, patient: patientIn(bundle) }
}

async function ask(api: string, at: string, header: string): Promise<string> {
  const response = await fetch(`${api}${at}`, { headers: { authorization: header } })
  const { code = 'answered' } = JSON.parse(await response.text())
  return code
}

const readAt = ({ client }: DevnetNode, grant: string) =>
  client.readable({ grant, purpose: 'TREAT' }, { limit: 500 })

test('a wallet enrols with a ticket, and is told by signature what there is of its patient', async () => {
  const devnet = await starting
  const hospital = nodeAt(devnet, HOSPITAL)
  const { patient, records } = await submitted(hospital, 11)
  const wallet = new PatientKeys(devnet, hospital)
  assert.equal(await codeOf(wallet.client.ownGrants()), 'unknown_patient_key')
  const { receipts, replaced } = await wallet.enrol(patient)
  assert.ok(replaced !== null && replaced.height > 0)
  const signed = decode(signedDischargeReceiptsSchema, decodeBase64url(receipts))
  const anchorKey = devnet.genesis.organisations.find(
    ({ organisation }) => organisation.id === hospital.name,
  )?.organisation.keys.anchor
  assert.ok(anchorKey !== undefined && verifyDischargeReceipts(signed, anchorKey))
  const listed = new Set(signed.receipts.records.map(({ record }) => toHex(record)))
  const ofPatient = records.filter(({ id }) => listed.has(id))
  assert.ok(listed.size > 0 && ofPatient.length === listed.size)
  assert.deepEqual((await wallet.client.ownGrants()).items, [])
  // The hospital has no key of the patient any more.
  const terms = {
    recipient: nodeAt(devnet, READER).name,
    classes: ['general'],
    purposes: ['TREAT'],
  }
  const expiresAt = new Date(Date.now() + 3_600_000).toISOString()
  const asked = hospital.client.createGrant({ patient, ...terms, expiresAt })
  assert.equal(await codeOf(asked), 'patient_has_wallet')
})

test('a ticket is for one wallet, for somebody who is known, and a key for one patient', async () => {
  const devnet = await starting
  const hospital = nodeAt(devnet, HOSPITAL)
  const { patient } = await submitted(hospital, 12)
  const { patient: other } = await submitted(hospital, 13)
  const endpoint = hospital.api
  const unknown = hospital.client.createEnrolment({ patient: 'nobody', endpoint })
  assert.equal(await codeOf(unknown), 'unknown_patient')
  const { ticket } = await hospital.client.createEnrolment({ patient, endpoint })
  const wallet = new PatientKeys(devnet, hospital)
  const first = await wallet.enrolWith(ticket)
  // It heard no answer, and comes again.
  const again = await wallet.enrolWith(ticket)
  assert.ok(first.replaced !== null && again.replaced === null)
  const thief = new PatientKeys(devnet, hospital)
  assert.equal(await codeOf(thief.enrolWith(ticket)), 'ticket_used')
  const code = 'A'.repeat(22)
  const sealKey = toHex(thief.logKey)
  assert.equal(await codeOf(thief.client.enrolPatient({ code, sealKey })), 'ticket_unknown')
  assert.equal(await codeOf(wallet.enrol(other)), 'patient_key_taken')
  const flat = thief.client.enrolPatient({ code, sealKey: '00'.repeat(32) })
  assert.equal(await codeOf(flat), 'seal_key_unusable')
})

test('what a wallet grants is read elsewhere, until it is revoked at whatever node', async () => {
  const devnet = await starting
  const [hospital, reader, relay] = [HOSPITAL, READER, RELAY].map((at) => nodeAt(devnet, at))
  assert.ok(hospital && reader && relay)
  const { patient } = await submitted(hospital, 14)
  const wallet = new PatientKeys(devnet, hospital)
  await wallet.enrol(patient)
  const grant = wallet.grant(reader.name)
  assert.equal(await codeOf(readAt(reader, grant.text)), 'grant_unknown')
  const { handle, height } = await wallet.deposit(grant)
  assert.equal(handle, grant.handle)
  assert.ok(height > 0)
  assert.deepEqual((await wallet.deposit(grant)).height, height)
  const { items } = await readAt(reader, grant.text)
  const [record] = items
  assert.ok(record !== undefined)
  const stream = await reader.client.readRecord(record.id, { grant: grant.text, purpose: 'TREAT' })
  assert.equal((await wholeOf(stream)).length, record.size)
  const [shown] = (await wallet.client.ownGrants()).items
  assert.deepEqual([shown?.handle, shown?.status], [handle, 'live'])

  const revoked = await relay.client.revokeHandle(wallet.revocation(grant))
  assert.equal(revoked.handle, handle)
  assert.equal(await codeOf(readAt(reader, grant.text)), 'grant_revoked')
  const read = reader.client.readRecord(record.id, { grant: grant.text, purpose: 'TREAT' })
  assert.equal(await codeOf(read), 'grant_revoked')
  assert.equal((await wallet.client.ownGrants()).items[0]?.status, 'revoked')
  assert.equal((await relay.client.revokeHandle(wallet.revocation(grant))).height, revoked.height)
})

test('whoever does not hold the keys deposits and revokes nothing', async () => {
  const devnet = await starting
  const hospital = nodeAt(devnet, HOSPITAL)
  const reader = nodeAt(devnet, READER)
  const { patient } = await submitted(hospital, 15)
  const wallet = new PatientKeys(devnet, hospital)
  await wallet.enrol(patient)
  const thief = new PatientKeys(devnet, hospital)
  const { patient: other } = await submitted(hospital, 16)
  await thief.enrol(other)
  const grant = wallet.grant(reader.name)
  assert.equal(await codeOf(thief.deposit(grant)), 'wrong_patient')
  const stolen = { ...grant, oneTime: thief.grant(reader.name).oneTime }
  assert.equal(await codeOf(wallet.deposit(stolen)), 'handle_differs')
  await wallet.deposit(grant)
  const { publicKey } = wallet.revocation(grant)
  const { signature } = thief.revocation(stolen)
  assert.equal(
    await codeOf(hospital.client.revokeHandle({ publicKey, signature })),
    'handle_forged',
  )
  const never = wallet.grant(reader.name)
  const early = hospital.client.revokeHandle(wallet.revocation(never))
  assert.equal(await codeOf(early), 'unknown_handle')
  assert.equal(await codeOf(hospital.client.revokeGrant(grant.handle)), 'unknown_grant')
})

test('a request of a wallet counts once, for its hospital, and for what it says', async () => {
  const devnet = await starting
  const hospital = nodeAt(devnet, HOSPITAL)
  const { patient } = await submitted(hospital, 17)
  const wallet = new PatientKeys(devnet, hospital)
  await wallet.enrol(patient)
  const path = '/v1/patient/grants?limit=3'
  const call = { method: 'GET' as const, path, body: new Uint8Array(0) }
  const authorization = wallet.authorization(call)
  assert.equal(await ask(hospital.api, path, authorization), 'answered')
  assert.equal(await ask(hospital.api, path, authorization), 'patient_request_replayed')
  const second = wallet.authorization(call)
  const other = '/v1/patient/grants?limit=4'
  assert.equal(await ask(hospital.api, other, second), 'patient_request_other')
  const elsewhere = nodeAt(devnet, READER).api
  assert.equal(await ask(elsewhere, path, second), 'patient_request_elsewhere')
  assert.equal(await ask(hospital.api, path, second), 'answered')
})

test('a new wallet retires the old one, and what that has granted', async () => {
  const devnet = await starting
  const hospital = nodeAt(devnet, HOSPITAL)
  const reader = nodeAt(devnet, READER)
  const { patient } = await submitted(hospital, 18)
  const old = new PatientKeys(devnet, hospital)
  await old.enrol(patient)
  const grant = old.grant(reader.name)
  await old.deposit(grant)
  const before = (await readAt(reader, grant.text)).items.length
  const wallet = new PatientKeys(devnet, hospital)
  const { replaced } = await wallet.enrol(patient)
  assert.ok(replaced !== null)
  assert.equal(await codeOf(old.client.ownGrants()), 'key_replaced')
  assert.equal(await codeOf(old.deposit(old.grant(reader.name))), 'key_replaced')
  assert.equal(await codeOf(readAt(reader, grant.text)), 'key_replaced')
  const fresh = wallet.grant(reader.name)
  await wallet.deposit(fresh)
  assert.equal((await readAt(reader, fresh.text)).items.length, before)
  assert.equal(fromHex(fresh.handle).length, 32)
})

test('it stops and leaves nothing behind', async () => {
  const devnet = await starting
  await devnet.close()
})

test.run()
