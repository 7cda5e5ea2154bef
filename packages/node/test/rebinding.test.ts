// A wallet that comes back without a ticket: what the chain says of its identity decides.

import assert from 'node:assert/strict'
import { sha256 } from '@mooring/crypto'
import {
  controlKeyDigest,
  identityIdOf,
  relayedBy,
  signIdentityCreate,
  signIdentityRotate,
} from '@mooring/ledger'
import { recoveryCommit, rootSignKey, signRebinding } from '@mooring/records'
import { test } from 'uvu'
import { MadeWallet, OWN, type PatientsWorld, withPatients } from './patients-world.ts'

const SEED = new Uint8Array(32).fill(5)
const SALT = sha256(SEED)
const root = (index: number) => rootSignKey(SEED, index)
const IDENTITY = identityIdOf(root(0).publicKey)
const refusedWith = (code: string) => ({ name: 'Refusal', code })
const next = (index: number) => ({
  nextKeyDigest: controlKeyDigest(root(index).publicKey),
  recovery: null,
  devices: [],
})

// The first wallet has enrolled with its commitment, and its identity is on the chain.
async function enrolled(patients: PatientsWorld): Promise<MadeWallet> {
  const { desk, digest, final } = patients
  await desk.accounts.ensure([{ reference: 'p1', class: 'general' }])
  const first = new MadeWallet(patients, 1)
  const code = await first.ticket('p1')
  const commit = recoveryCommit(SALT, IDENTITY)
  const wallet = { code, sealKey: first.logKey, recoveryCommit: commit }
  await final(desk.patients.enrol(first.caller, wallet))
  const body = signIdentityCreate(digest, next(1), root(0))
  await final(desk.relay.submit(relayedBy(OWN, { kind: 'identity.create', body })))
  return first
}

function rebinding(
  { digest }: PatientsWorld,
  wallets: { first: MadeWallet; second: MadeWallet },
  changes: { key?: number; salt?: Uint8Array; identity?: Uint8Array; organisation?: string } = {},
) {
  const { first, second } = wallets
  const { key = 0, salt = SALT, identity = IDENTITY, organisation = OWN } = changes
  const former = first.sign.publicKey
  const { logKey: sealKey } = second
  const words = { organisation, identity, former, patientKey: second.sign.publicKey, sealKey }
  const signature = signRebinding(digest, words, root(key))
  return { former, sealKey, identity, salt, signature, recoveryCommit: null }
}

test('the key in control vouches for another pairwise key, and the former one is retired', () =>
  withPatients(async (patients) => {
    const { desk, final, digest } = patients
    const first = await enrolled(patients)
    const second = new MadeWallet(patients, 2)
    const wallets = { first, second }
    const settings = next(2)
    const place = { identity: IDENTITY, sequence: 2, settings }
    const body = signIdentityRotate(digest, place, root(1))
    await final(desk.relay.submit(relayedBy(OWN, { kind: 'identity.rotate', body })))
    // The key of before the rotation is in control no more.
    const late = desk.patients.rebind(second.caller, rebinding(patients, wallets))
    await assert.rejects(late, refusedWith('rebinding_unproved'))
    const good = rebinding(patients, wallets, { key: 1 })
    const { replaced, receipts } = await final(desk.patients.rebind(second.caller, good))
    assert.ok(replaced !== null && receipts.length > 0)
    assert.deepEqual(desk.accounts.find('p1')?.patientKey, second.sign.publicKey)
    assert.ok(desk.facts.successorOf(OWN, first.sign.publicKey) !== null)
    // Whoever lost the answer asks again, and nobody else does.
    assert.equal((await desk.patients.rebind(second.caller, good)).replaced, null)
    const thief = new MadeWallet(patients, 3)
    const stolen = desk.patients.rebind(thief.caller, good)
    await assert.rejects(stolen, refusedWith('rebinding_unproved'))
  }))

test('nothing vouches but the identity of the commitment, for this hospital and these keys', () =>
  withPatients(async (patients) => {
    const { desk, relaying } = patients
    const first = await enrolled(patients)
    const second = new MadeWallet(patients, 2)
    const wallets = { first, second }
    const sent = relaying.sent.length
    const good = rebinding(patients, wallets)
    const wrong = [
      rebinding(patients, wallets, { salt: new Uint8Array(32) }),
      rebinding(patients, wallets, { identity: identityIdOf(root(4).publicKey) }),
      rebinding(patients, wallets, { organisation: 'elsewhere' }),
      rebinding(patients, wallets, { key: 3 }),
      { ...good, sealKey: first.logKey },
      { ...good, former: second.sign.publicKey },
    ]
    for (const each of wrong) {
      const answer = desk.patients.rebind(second.caller, each)
      await assert.rejects(answer, refusedWith('rebinding_unproved'))
    }
    const device = { ...second.caller, delegation: { kind: 'device' as const, role: null } }
    await assert.rejects(desk.patients.rebind(device, good), refusedWith('patient_key_needed'))
    assert.equal(relaying.sent.length, sent)
  }))

test('who left no commitment comes back with a ticket alone', () =>
  withPatients(async (patients) => {
    const { desk } = patients
    await desk.accounts.ensure([{ reference: 'p1', class: 'general' }])
    const first = new MadeWallet(patients, 1)
    await first.enrol('p1')
    const second = new MadeWallet(patients, 2)
    const answer = desk.patients.rebind(second.caller, rebinding(patients, { first, second }))
    await assert.rejects(answer, refusedWith('rebinding_unproved'))
  }))

test.run()
