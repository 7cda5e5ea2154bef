// Wallets at the desk: with a ticket they take the place of what was before, whatever is cut off on the way.

import assert from 'node:assert/strict'
import { patientKeyDigest } from '@mooring/ledger'
import { test } from 'uvu'
import { TICKET_LIFETIME_MS } from '../src/tickets.ts'
import { hex, MadeWallet, OWN, withPatients } from './patients-world.ts'

const wanted = [{ reference: 'p1', class: 'general' }]
const refusedWith = (code: string) => ({ name: 'Refusal', code })

test('a wallet takes the place of the hosted key, on the chain and in the account', () =>
  withPatients(async (patients) => {
    const { desk } = patients
    await desk.accounts.ensure([...wanted, { reference: '', class: 'general' }])
    const hosted = desk.accounts.find('p1')?.patientKey ?? assert.fail()
    const wallet = new MadeWallet(patients, 1)
    const { replaced, receipts } = await wallet.enrol('Patient/p1')
    assert.ok(replaced !== null && receipts.length > 0)
    const successor = desk.facts.successorOf(OWN, hosted)
    assert.equal(hex(successor ?? undefined), hex(patientKeyDigest(OWN, wallet.sign.publicKey)))
    const account = desk.accounts.findByKey(wallet.sign.publicKey)
    assert.deepEqual([account?.reference, account?.custody], ['p1', 'own'])
    assert.deepEqual(account?.logKey, wallet.logKey)
    await assert.rejects(wallet.enrol(''), refusedWith('unknown_patient'))
  }))

test('who is new enrols before the first record, which then stands under the key of the wallet', () =>
  withPatients(async (patients) => {
    const { desk, again } = patients
    await desk.accounts.ensure(wanted)
    const wallet = new MadeWallet(patients, 1)
    await assert.rejects(wallet.ticket('Patient/p9'), refusedWith('unknown_patient'))
    await wallet.ticket('Patient/p9', true)
    assert.equal(desk.accounts.find('p9'), undefined)
    const { replaced } = await wallet.enrol('Patient/p9', true)
    assert.ok(replaced !== null)
    const next = await again()
    const account = next.accounts.findByKey(wallet.sign.publicKey)
    assert.deepEqual([account?.reference, account?.custody], ['p9', 'own'])
    const [sealing] = await next.accounts.ensure([{ reference: 'p9', class: 'general' }])
    assert.deepEqual(sealing?.patientKey, wallet.sign.publicKey)
  }))

test('nobody is new whose number is known, and no number is taken that no record could have', () =>
  withPatients(async (patients) => {
    const { desk } = patients
    await desk.accounts.ensure(wanted)
    const wallet = new MadeWallet(patients, 1)
    await assert.rejects(wallet.ticket('Patient/p1', true), refusedWith('patient_known'))
    await wallet.enrol('p9', true)
    await assert.rejects(wallet.ticket('p9', true), refusedWith('patient_known'))
    await assert.rejects(wallet.ticket('', true), refusedWith('unknown_patient'))
    for (const number of ['Group/9', 'p 9', 'p'.repeat(65), 'Observation?x=1'])
      await assert.rejects(wallet.ticket(number, true), refusedWith('patient_number_unusable'))
  }))

test('a record that comes in between a ticket for somebody new and the wallet changes nothing', () =>
  withPatients(async (patients) => {
    const { desk, final } = patients
    const wallet = new MadeWallet(patients, 1)
    const code = await wallet.ticket('p9', true)
    await desk.accounts.ensure([{ reference: 'p9', class: 'general' }])
    const keys = { sealKey: wallet.logKey, recoveryCommit: null }
    await final(desk.patients.enrol(wallet.caller, { code, ...keys }))
    assert.equal(desk.accounts.find('p9')?.custody, 'own')
    const classKeys = desk.accounts.classKeys(wallet.sign.publicKey)
    assert.deepEqual(classKeys[0]?.patientKey, wallet.sign.publicKey)
  }))

test('a ticket ends by itself, is used once, and is good for the same wallet again', () =>
  withPatients(async (patients) => {
    const { desk, world, final, again } = patients
    await desk.accounts.ensure(wanted)
    const wallet = new MadeWallet(patients, 1)
    const late = await wallet.ticket('p1')
    const keys = { sealKey: wallet.logKey, recoveryCommit: null }
    world.clock.advance(TICKET_LIFETIME_MS)
    await assert.rejects(
      desk.patients.enrol(wallet.caller, { code: late, ...keys }),
      refusedWith('ticket_expired'),
    )
    const code = await wallet.ticket('p1')
    await final(desk.patients.enrol(wallet.caller, { code, ...keys }))
    const next = await again()
    const second = await next.patients.enrol(wallet.caller, { code, ...keys })
    assert.equal(second.replaced, null)
    const thief = new MadeWallet(patients, 2)
    const other = { code, sealKey: thief.logKey, recoveryCommit: null }
    await assert.rejects(next.patients.enrol(thief.caller, other), refusedWith('ticket_used'))
    // Not even the right key with another place to seal to.
    const turned = next.patients.enrol(wallet.caller, { ...other, code })
    await assert.rejects(turned, refusedWith('ticket_used'))
    const unknown = { ...other, code: new Uint8Array(16) }
    await assert.rejects(next.patients.enrol(thief.caller, unknown), refusedWith('ticket_unknown'))
  }))

test('a node that ends before or after the chain has the new key goes on with the same ticket', () =>
  withPatients(async (patients) => {
    const { desk, relaying, final, again } = patients
    await desk.accounts.ensure(wanted)
    const hosted = desk.accounts.find('p1')?.patientKey ?? assert.fail()
    const wallet = new MadeWallet(patients, 1)
    const code = await wallet.ticket('p1')
    const keys = { code, sealKey: wallet.logKey, recoveryCommit: null }
    relaying.isCut = true
    await assert.rejects(desk.patients.enrol(wallet.caller, keys), /the node ends here/)
    assert.equal(desk.accounts.find('p1')?.custody, 'hosted')
    relaying.isCut = false
    // The chain has it, and the node ended before its account did.
    const successor = patientKeyDigest(OWN, wallet.sign.publicKey)
    const body = { organisation: OWN, retired: patientKeyDigest(OWN, hosted), successor }
    await final(desk.relay.submit({ kind: 'key.replace', body }))
    const next = await again()
    assert.equal(next.accounts.find('p1')?.custody, 'hosted')
    const { replaced } = await next.patients.enrol(wallet.caller, keys)
    assert.equal(replaced, null)
    assert.equal(next.accounts.find('p1')?.custody, 'own')
  }))

test('who lost a wallet comes with another one; the old key is over, also when the account forgot it', () =>
  withPatients(async (patients) => {
    const { desk } = patients
    await desk.accounts.ensure(wanted)
    const hosted = desk.accounts.find('p1')?.patientKey ?? assert.fail()
    const first = new MadeWallet(patients, 1)
    await first.enrol('p1')
    const second = new MadeWallet(patients, 2)
    const { replaced } = await second.enrol('p1')
    assert.ok(replaced !== null)
    assert.deepEqual(desk.accounts.find('p1')?.former, [hosted, first.sign.publicKey])
    assert.ok(desk.facts.successorOf(OWN, first.sign.publicKey) !== null)
    assert.ok(desk.facts.isSuccessor(OWN, hosted, second.sign.publicKey))
    // A key that was retired comes back to no account.
    await assert.rejects(first.enrol('p1'), refusedWith('patient_key_taken'))
  }))

test('a device cannot enrol, and a key to which nothing can be sealed does not', () =>
  withPatients(async (patients) => {
    const { desk, relaying } = patients
    await desk.accounts.ensure(wanted)
    const wallet = new MadeWallet(patients, 1)
    const code = await wallet.ticket('p1')
    const keys = { code, sealKey: wallet.logKey, recoveryCommit: null }
    const device = { ...wallet.caller, delegation: { kind: 'device' as const, role: null } }
    await assert.rejects(desk.patients.enrol(device, keys), refusedWith('patient_key_needed'))
    for (const sealKey of [new Uint8Array(32), new Uint8Array(32).fill(1, 0, 1)])
      await assert.rejects(
        desk.patients.enrol(wallet.caller, { ...keys, sealKey }),
        refusedWith('seal_key_unusable'),
      )
    assert.deepEqual(relaying.sent, [])
  }))

test('codes cannot be tried as fast as one likes', () =>
  withPatients(async (patients) => {
    const { desk, world } = patients
    await desk.accounts.ensure(wanted)
    const wallet = new MadeWallet(patients, 1)
    const keys = { code: new Uint8Array(16), sealKey: wallet.logKey, recoveryCommit: null }
    const tryOnce = () => desk.patients.enrol(wallet.caller, keys)
    for (let time = 0; time < 60; time += 1)
      await assert.rejects(tryOnce(), refusedWith('ticket_unknown'))
    await assert.rejects(tryOnce(), refusedWith('patient_too_often'))
    // Whoever was at the desk does not wait for those who try.
    await wallet.enrol('p1')
    world.clock.advance(1_000)
    await assert.rejects(tryOnce(), refusedWith('ticket_unknown'))
  }))

test.run()
