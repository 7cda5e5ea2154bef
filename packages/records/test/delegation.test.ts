import assert from 'node:assert/strict'
import { decode, encode } from '@mooring/codec'
import { test } from 'uvu'
import {
  checkDelegations,
  type Delegation,
  type HandleStanding,
  type SignedDelegation,
  signDelegation,
  signedDelegationSchema,
  verifyDelegation,
} from '../src/delegation.ts'
import { RecordsError } from '../src/errors.ts'
import { DAY_MS, keyOf, patient, START } from './consent-world.ts'

const mother = keyOf(21)
const phone = keyOf(22)
const thief = keyOf(23)

function delegationOf(changed: Partial<Delegation> = {}): Delegation {
  return {
    id: new Uint8Array(16).fill(1),
    kind: 'representative',
    custodian: 'st-agnes',
    from: patient.publicKey,
    to: mother.publicKey,
    role: 'FAMRQT',
    notBefore: START,
    expiresAt: START + 30 * DAY_MS,
    handle: new Uint8Array(32).fill(1),
    ...changed,
  }
}

const device = { kind: 'device', role: null } as const
const toMother = signDelegation(patient, delegationOf())
const toPhone = signDelegation(patient, delegationOf({ ...device, to: phone.publicKey }))
const motherToPhone = signDelegation(
  mother,
  delegationOf({ ...device, from: mother.publicKey, to: phone.publicKey }),
)
const OPEN: HandleStanding = { kind: 'delegation', expiresAt: START + 31 * DAY_MS, revokedAt: null }

function check(
  delegations: SignedDelegation[],
  changed: Partial<Parameters<typeof checkDelegations>[1]> = {},
) {
  return checkDelegations(delegations, {
    patientKey: patient.publicKey,
    signerKey: delegations.at(-1)?.delegation.to ?? patient.publicKey,
    custodian: 'st-agnes',
    now: START + DAY_MS,
    handleOf: () => OPEN,
    ...changed,
  })
}

test('the patient, a device, a representative, and a device of hers sign for the patient', () => {
  assert.equal(check([]), undefined)
  assert.equal(check([toPhone]), undefined)
  assert.equal(check([toMother]), undefined)
  assert.equal(check([toMother, motherToPhone]), undefined)
  assert.ok([toPhone, toMother, motherToPhone].every(verifyDelegation))
})

test('a chain that does not lead from the patient to the signer is forged', () => {
  const fromThief = signDelegation(thief, delegationOf({ from: thief.publicKey }))
  const elsewhere = signDelegation(patient, delegationOf({ custodian: 'riverside' }))
  assert.equal(check([fromThief]), 'delegation_forged')
  assert.equal(check([elsewhere]), 'delegation_forged')
  assert.equal(check([motherToPhone, toMother]), 'delegation_forged')
  assert.equal(check([toMother], { signerKey: thief.publicKey }), 'delegation_forged')
  assert.equal(check([], { signerKey: thief.publicKey }), 'delegation_forged')
})

test('a stolen phone makes itself no friends', () => {
  const onward = { from: phone.publicKey, to: thief.publicKey }
  const toDevice = signDelegation(phone, delegationOf({ ...device, ...onward }))
  const toRepresentative = signDelegation(phone, delegationOf(onward))
  assert.equal(check([toPhone, toDevice]), 'delegation_forged')
  assert.equal(check([toPhone, toRepresentative]), 'delegation_forged')
  assert.equal(check([toMother, motherToPhone, toDevice]), 'delegation_forged')
  const deputy = signDelegation(
    mother,
    delegationOf({ from: mother.publicKey, to: thief.publicKey }),
  )
  assert.equal(check([toMother, deputy]), 'delegation_forged')
})

test('a delegation stands while its handle is open and its time runs', () => {
  const cases: [HandleStanding | undefined, number, string | undefined][] = [
    [OPEN, START, undefined],
    [OPEN, START - 60_000, undefined],
    [OPEN, START - 60_001, 'delegation_not_valid_yet'],
    [OPEN, START + 30 * DAY_MS - 1, undefined],
    [OPEN, START + 30 * DAY_MS, 'delegation_expired'],
    [{ ...OPEN, expiresAt: START + DAY_MS }, START + DAY_MS, 'delegation_expired'],
    [{ ...OPEN, revokedAt: 7 }, START, 'delegation_revoked'],
    [{ ...OPEN, revokedAt: 0 }, START, 'delegation_revoked'],
    [{ ...OPEN, kind: 'share' }, START, 'delegation_forged'],
    [undefined, START, 'delegation_forged'],
  ]
  for (const [standing, now, expected] of cases) {
    assert.equal(check([toMother], { now, handleOf: () => standing }), expected)
  }
})

test('one revoked link ends what is below it', () => {
  const other = new Uint8Array(32).fill(2)
  const last = signDelegation(mother, { ...motherToPhone.delegation, handle: other })
  const revoked = { ...OPEN, revokedAt: 7 }
  const firstGone = (handle: Uint8Array) => (handle[0] === 1 ? revoked : OPEN)
  const lastGone = (handle: Uint8Array) => (handle[0] === 2 ? revoked : OPEN)
  assert.equal(check([toMother, last], { handleOf: firstGone }), 'delegation_revoked')
  assert.equal(check([toMother, last], { handleOf: lastGone }), 'delegation_revoked')
})

test('it is signed by who gives, and covers every word', () => {
  assert.throws(() => signDelegation(thief, delegationOf()), RecordsError)
  const changes: Partial<Delegation>[] = [
    { to: thief.publicKey },
    { custodian: 'riverside' },
    { role: 'PWATRNY' },
    { expiresAt: START + 31 * DAY_MS },
    { handle: new Uint8Array(32).fill(9) },
  ]
  for (const change of changes) {
    const { delegation, signature } = toMother
    assert.ok(!verifyDelegation({ delegation: { ...delegation, ...change }, signature }))
  }
  const encoded = encode(signedDelegationSchema, toMother)
  assert.deepEqual(decode(signedDelegationSchema, encoded), toMother)
})

const encodeWith = (changed: Partial<Delegation>) => () =>
  encode(signedDelegationSchema, { ...toMother, delegation: delegationOf(changed) })

test('a device has no role and a representative has one', () => {
  assert.throws(encodeWith({ role: null }), /a representative has a role/)
  assert.throws(encodeWith({ kind: 'device' }), /a representative has a role/)
})

test.run()
