import assert from 'node:assert/strict'
import { keyPairFromSeed } from '@mooring/crypto'
import { consentOf, signGrant, type SignedGrant } from '@mooring/records'
import { test } from 'uvu'
import { GrantReader } from '../src/grant-reader.ts'

const PATIENT = keyPairFromSeed(new Uint8Array(32).fill(1))

function grantOf(number: number): SignedGrant {
  const consent = consentOf({
    id: new Uint8Array(16).map((_, at) => number >> (8 * at)),
    handle: new Uint8Array(32),
    patientKey: PATIENT.publicKey,
    logKey: new Uint8Array(32),
    custodian: 'st-mary',
    recipient: 'county',
    purposes: ['TREAT'],
    notBefore: 1_000,
    expiresAt: 2_000,
    content: { classes: ['general'] },
  })
  return signGrant(PATIENT, consent)
}

test('a grant is what its text says, however often it is read', () => {
  const reader = new GrantReader()
  const signed = grantOf(7)
  const grant = reader.read(signed)
  assert.equal(grant.custodian, 'st-mary')
  assert.deepEqual(reader.read(signed), grant)
  assert.deepEqual(reader.find(signed), grant)
})

test('delegations are those of each request, and not of an earlier one', () => {
  const reader = new GrantReader()
  const signed = grantOf(7)
  reader.read(signed)
  const delegation = {
    id: new Uint8Array(16),
    kind: 'device' as const,
    custodian: 'st-mary',
    from: PATIENT.publicKey,
    to: new Uint8Array(32),
    role: null,
    notBefore: 1,
    expiresAt: 2,
    handle: new Uint8Array(32),
  }
  const others = { ...signed, delegations: [{ delegation, signature: new Uint8Array(64) }] }
  assert.deepEqual(reader.read(others).signed.delegations, others.delegations)
  assert.deepEqual(reader.read(signed).signed.delegations, [])
})

test('what is no grant is none, each time', () => {
  const reader = new GrantReader()
  for (const jws of ['', 'a.b.c', grantOf(1).jws.slice(1)]) {
    assert.equal(reader.find({ jws, delegations: [] }), undefined)
    assert.throws(() => reader.read({ jws, delegations: [] }), { name: 'RecordsError' })
  }
})

test('many grants push out the oldest, which is read again', () => {
  const reader = new GrantReader()
  const grants = Array.from({ length: 600 }, (_, number) => grantOf(number))
  for (const grant of grants) reader.read(grant)
  for (const grant of grants) assert.equal(reader.read(grant).recipient, 'county')
})

test.run()
