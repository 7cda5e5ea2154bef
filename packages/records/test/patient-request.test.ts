import assert from 'node:assert/strict'
import { domainHash, decodeBase64url, encodeBase64url, keyPairFromSeed } from '@mooring/crypto'
import { equalBytes } from '@mooring/codec'
import * as fc from 'fast-check'
import { test } from 'uvu'
import {
  checkPatientRequest,
  type HandleStanding,
  PATIENT_REQUEST_SKEW_MS,
  type PatientCall,
  type PatientSigner,
  signDelegation,
  signPatientRequest,
} from '../src/index.ts'
import type { Delegation } from '../src/delegation.ts'
import { PATIENT_REQUEST_SCHEME } from '../src/patient-request.ts'

const NOW = 1_800_000_000_000
const DAY = 86_400_000
const key = keyPairFromSeed(new Uint8Array(32).fill(1))
const thief = keyPairFromSeed(new Uint8Array(32).fill(2))
const own: PatientSigner = { patientKey: key.publicKey, signer: key, delegations: [] }
const call: PatientCall = {
  genesisDigest: new Uint8Array(32).fill(9),
  organisation: 'riverside',
  method: 'POST',
  path: '/v1/patient/grants?wait=5s',
  body: Uint8Array.of(1, 2, 3),
}
const random = (length: number) => new Uint8Array(length).fill(7)
const signed = (signer = own, given = call) =>
  signPatientRequest(signer, given, { now: NOW, random })

const HANDLE = domainHash('grant-handle', new Uint8Array(32).fill(4))
let standing: HandleStanding = { kind: 'delegation', expiresAt: NOW + DAY, revokedAt: null }
const handleOf = (handle: Uint8Array) => (equalBytes(handle, HANDLE) ? standing : undefined)
const here = { now: NOW, handleOf }

function codeOf(header: string, given = call, now = NOW): string {
  const checked = checkPatientRequest(header, given, { now, handleOf })
  return 'code' in checked ? checked.code : 'holds'
}

test('a request holds for the call it was signed for, and names itself', () => {
  const checked = checkPatientRequest(signed(), call, here)
  assert.ok('request' in checked)
  assert.deepEqual(checked.request.patientKey, key.publicKey)
  const again = checkPatientRequest(signed(), call, { ...here, now: NOW + 5 })
  assert.ok('request' in again)
  assert.deepEqual(again.name, checked.name)
  const later = signPatientRequest(own, call, { now: NOW + 1, random })
  const other = checkPatientRequest(later, call, here)
  assert.ok('request' in other)
  assert.notDeepEqual(other.name, checked.name)
})

test('it is worth nothing for anything else', () => {
  const header = signed()
  const elsewhere = 'patient_request_elsewhere'
  const other = 'patient_request_other'
  assert.equal(codeOf(header, { ...call, organisation: 'lakeview' }), elsewhere)
  assert.equal(codeOf(header, { ...call, genesisDigest: new Uint8Array(32) }), elsewhere)
  assert.equal(codeOf(header, { ...call, method: 'GET' }), other)
  assert.equal(codeOf(header, { ...call, path: '/v1/patient/grants' }), other)
  assert.equal(codeOf(header, { ...call, body: Uint8Array.of(1, 2, 4) }), other)
})

test('it holds for a minute around its time', () => {
  const header = signed()
  for (const sign of [-1, 1]) {
    assert.equal(codeOf(header, call, NOW + sign * PATIENT_REQUEST_SKEW_MS), 'holds')
    const late = NOW + sign * (PATIENT_REQUEST_SKEW_MS + 1)
    assert.equal(codeOf(header, call, late), 'patient_request_time')
  }
})

test('another key cannot speak for the patient', () => {
  const stolen = { patientKey: key.publicKey, signer: thief, delegations: [] }
  assert.equal(codeOf(signed(stolen)), 'delegation_forged')
  const dressed = { patientKey: key.publicKey, signer: { ...thief, publicKey: key.publicKey } }
  assert.equal(codeOf(signed({ ...dressed, delegations: [] })), 'patient_request_forged')
})

function delegated(change: Partial<Delegation> = {}): PatientSigner {
  const delegation = signDelegation(key, {
    id: new Uint8Array(16).fill(5),
    kind: 'device',
    custodian: call.organisation,
    from: key.publicKey,
    to: thief.publicKey,
    role: null,
    notBefore: NOW - DAY,
    expiresAt: NOW + DAY,
    handle: HANDLE,
    ...change,
  })
  return { patientKey: key.publicKey, signer: thief, delegations: [delegation] }
}

test('a device speaks for the patient while its delegation stands', () => {
  assert.equal(codeOf(signed(delegated())), 'holds')
  assert.equal(codeOf(signed(delegated({ custodian: 'lakeview' }))), 'delegation_forged')
  assert.equal(codeOf(signed(delegated({ to: key.publicKey }))), 'delegation_forged')
  assert.equal(codeOf(signed(delegated({ handle: new Uint8Array(32) }))), 'delegation_forged')
  assert.equal(codeOf(signed(delegated({ expiresAt: NOW }))), 'delegation_expired')
  assert.equal(codeOf(signed(delegated({ notBefore: NOW + DAY }))), 'delegation_not_valid_yet')
  const [first] = delegated().delegations
  assert.ok(first)
  const forged = { ...first, signature: new Uint8Array(64) }
  const signer = { ...delegated(), delegations: [forged] }
  assert.equal(codeOf(signed(signer)), 'delegation_forged')
})

test('a stolen phone says nothing any more once its delegation is revoked', () => {
  const header = signed(delegated())
  standing = { ...standing, revokedAt: 7 }
  assert.equal(codeOf(header), 'delegation_revoked')
  standing = { ...standing, revokedAt: null }
  assert.equal(codeOf(header), 'holds')
})

test('a changed header never holds', () => {
  const header = signed()
  const start = PATIENT_REQUEST_SCHEME.length + 1
  const encoded = decodeBase64url(header.slice(start))
  fc.assert(
    fc.property(fc.nat(encoded.length - 1), fc.integer({ min: 1, max: 255 }), (index, change) => {
      const altered = encoded.slice()
      altered[index] = (altered[index] ?? 0) ^ change
      const again = `${PATIENT_REQUEST_SCHEME} ${encodeBase64url(altered)}`
      assert.notEqual(codeOf(again), 'holds')
    }),
    { numRuns: 400 },
  )
  for (const bad of ['', 'Bearer x', header.slice(0, -4), `${header}AA`, `${header} `]) {
    assert.equal(codeOf(bad), 'patient_request_malformed')
  }
  assert.equal(codeOf(header + 'A'.repeat(20_000)), 'patient_request_malformed')
})

test.run()
