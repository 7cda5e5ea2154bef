// Requests of patients at the door: whose each is, and all that is none.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { PatientCall } from '@mooring/api'
import { type KeyPair, keyPairFromSeed } from '@mooring/crypto'
import { handleOfKey, signGrantOpen, signGrantRevoke, wholeDayAfter } from '@mooring/ledger'
import { signDelegation, type SignedDelegation, signPatientRequest } from '@mooring/records'
import { test } from 'uvu'
import {
  DAY_MS,
  hex,
  MadeWallet,
  OWN,
  type PatientsWorld,
  READER,
  withPatients,
} from './patients-world.ts'

const refusedWith = (code: string) => ({ name: 'Refusal', code })
const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length))
const device = keyPairFromSeed(new Uint8Array(32).fill(50))
const PATH = '/v1/patient/grants?limit=3'

interface Signing {
  organisation?: string
  genesisDigest?: Uint8Array
  path?: string
  method?: 'GET' | 'POST'
  body?: Uint8Array
  aheadMs?: number
  signer?: KeyPair
  delegations?: SignedDelegation[]
}

/** What arrives: the call as it was sent, with a signature over what `signing` says instead. */
function sent(
  { digest, world }: PatientsWorld,
  wallet: MadeWallet,
  signing: Signing = {},
): PatientCall {
  const { organisation = OWN, genesisDigest = digest, path = PATH, method = 'GET' } = signing
  const { body = new Uint8Array(0), aheadMs = 0, delegations = [] } = signing
  const signer = signing.signer ?? wallet.sign
  const authorization = signPatientRequest(
    { patientKey: wallet.sign.publicKey, signer, delegations },
    { organisation, genesisDigest, path, method, body },
    { now: world.clock.wall() + aheadMs, random },
  )
  return { authorization, method: 'GET', path: PATH, body: new Uint8Array(0) }
}

const callerAt =
  ({ desk }: PatientsWorld) =>
  (call: PatientCall) =>
    desk.patients.caller(call)

test('a signed request is of the key that signed it, once', () =>
  withPatients(async (patients) => {
    const wallet = new MadeWallet(patients, 1)
    const caller = callerAt(patients)
    const call = sent(patients, wallet)
    const found = await caller(call)
    assert.deepEqual([hex(found.patientKey), found.delegation], [hex(wallet.sign.publicKey), null])
    for (const ms of [0, 1_000, 59_000]) {
      patients.world.clock.advance(ms)
      assert.throws(() => caller(call), refusedWith('patient_request_replayed'))
    }
    patients.world.clock.advance(1_000)
    assert.throws(() => caller(call), refusedWith('patient_request_time'))
  }))

test('a node that was started again does not take what came before', () =>
  withPatients(async (patients) => {
    const wallet = new MadeWallet(patients, 1)
    const call = sent(patients, wallet)
    await patients.desk.patients.caller(call)
    patients.world.clock.advance(1)
    const next = await patients.again()
    const ask = (again: PatientCall) => next.patients.caller(again)
    assert.throws(() => ask(call), refusedWith('patient_request_time'))
    await ask(sent(patients, wallet))
  }))

test('a request from the future is not taken twice when its time has come', () =>
  withPatients(async (patients) => {
    const caller = callerAt(patients)
    const call = sent(patients, new MadeWallet(patients, 1), { aheadMs: 60_000 })
    await caller(call)
    patients.world.clock.advance(119_000)
    assert.throws(() => caller(call), refusedWith('patient_request_replayed'))
    patients.world.clock.advance(2_000)
    assert.throws(() => caller(call), refusedWith('patient_request_time'))
  }))

test('what was signed for something else is nothing here', () =>
  withPatients(async (patients) => {
    const wallet = new MadeWallet(patients, 1)
    const caller = callerAt(patients)
    const cases: [Signing, string][] = [
      [{ organisation: READER }, 'patient_request_elsewhere'],
      [{ genesisDigest: new Uint8Array(32) }, 'patient_request_elsewhere'],
      [{ path: '/v1/patient/grants?limit=4' }, 'patient_request_other'],
      [{ method: 'POST' }, 'patient_request_other'],
      [{ body: Uint8Array.of(1) }, 'patient_request_other'],
      [{ aheadMs: -60_001 }, 'patient_request_time'],
      [{ aheadMs: 60_001 }, 'patient_request_time'],
      [{ signer: device }, 'delegation_forged'],
    ]
    for (const [signing, code] of cases)
      assert.throws(() => caller(sent(patients, wallet, signing)), refusedWith(code), code)
    const good = sent(patients, wallet)
    const { authorization } = good
    assert.ok(authorization !== null)
    for (const broken of [
      '',
      'Mooring-Patient',
      'Bearer x',
      authorization.slice(0, -4),
      'x'.repeat(20_000),
    ])
      assert.throws(
        () => caller({ ...good, authorization: broken }),
        refusedWith('patient_request_malformed'),
      )
    const at = authorization.length - 20
    const turned = authorization.charAt(at) === 'A' ? 'B' : 'A'
    const changed = authorization.slice(0, at) + turned + authorization.slice(at + 1)
    assert.throws(
      () => caller({ ...good, authorization: changed }),
      refusedWith('patient_request_forged'),
    )
    await caller(good)
  }))

test('a key that was replaced asks nothing any more, whatever it signs', () =>
  withPatients(async (patients) => {
    await patients.desk.accounts.ensure([{ reference: 'p1', class: 'general' }])
    const caller = callerAt(patients)
    const old = new MadeWallet(patients, 1)
    await old.enrol('p1')
    await caller(sent(patients, old))
    await new MadeWallet(patients, 2).enrol('p1')
    assert.throws(() => caller(sent(patients, old)), refusedWith('key_replaced'))
  }))

test('a device asks for its patient until its delegation ends or is taken back', () =>
  withPatients(async (patients) => {
    const { desk, digest, world, final } = patients
    const caller = callerAt(patients)
    const wallet = new MadeWallet(patients, 1)
    const handleOf = (index: number) => wallet.oneTime(index)
    const now = world.clock.wall()
    const delegated = (index: number, changed = {}): SignedDelegation =>
      signDelegation(wallet.sign, {
        id: new Uint8Array(16).fill(index),
        kind: 'device',
        custodian: OWN,
        from: wallet.sign.publicKey,
        to: device.publicKey,
        role: null,
        notBefore: now,
        expiresAt: now + DAY_MS,
        handle: handleOfKey(handleOf(index).publicKey),
        ...changed,
      })
    const open = (index: number) => {
      const terms = { expiresAt: wholeDayAfter(now + 2 * DAY_MS), kind: 'delegation' as const }
      const signature = signGrantOpen(digest, terms, handleOf(index))
      const { publicKey } = handleOf(index)
      const body = { organisation: OWN, publicKey, ...terms, signature }
      return final(desk.relay.submit({ kind: 'grant.open', body }))
    }
    const ask = (...delegations: SignedDelegation[]) =>
      caller(sent(patients, wallet, { signer: device, delegations }))
    assert.throws(() => ask(delegated(1)), refusedWith('delegation_forged'))
    await open(1)
    const found = await ask(delegated(1))
    assert.deepEqual(found.delegation, { kind: 'device', role: null })
    assert.equal(hex(found.signer), hex(device.publicKey))
    assert.throws(() => ask(delegated(1, { custodian: READER })), refusedWith('delegation_forged'))
    const other = { ...delegated(1), signature: delegated(2).signature }
    assert.throws(() => ask(other), refusedWith('delegation_forged'))
    const parent = { kind: 'representative', role: 'FAMRQT' }
    assert.deepEqual((await ask(delegated(1, parent))).delegation, parent)
    const signature = signGrantRevoke(digest, handleOf(1))
    const { publicKey } = handleOf(1)
    await final(desk.patients.revoke({ publicKey, signature }))
    assert.throws(() => ask(delegated(1)), refusedWith('delegation_revoked'))
    await open(2)
    await ask(delegated(2))
    world.clock.advance(DAY_MS)
    assert.throws(() => ask(delegated(2)), refusedWith('delegation_expired'))
  }))

test('one patient asks so often, and another one is not held up by it', () =>
  withPatients(async (patients) => {
    const caller = callerAt(patients)
    const wallet = new MadeWallet(patients, 1)
    for (let time = 0; time < 120; time += 1) await caller(sent(patients, wallet))
    assert.throws(() => caller(sent(patients, wallet)), refusedWith('patient_too_often'))
    await caller(sent(patients, new MadeWallet(patients, 2)))
    patients.world.clock.advance(250)
    await caller(sent(patients, wallet))
  }))

test.run()
