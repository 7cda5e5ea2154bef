// Grants that come into force and are taken back: hosted ones, those of wallets, and those that are none.

import assert from 'node:assert/strict'
import { fromHex, toHex } from '@mooring/codec'
import { keyPairFromSeed } from '@mooring/crypto'
import { handleOfKey, signGrantOpen, signGrantRevoke, wholeDayAfter } from '@mooring/ledger'
import {
  formatGrant,
  type GrantTerms,
  parseGrant,
  signDelegation,
  type SignedDelegation,
  signGrant,
} from '@mooring/records'
import { test } from 'uvu'
import {
  DAY_MS,
  type Desk,
  MadeWallet,
  OWN,
  type PatientsWorld,
  READER,
  withPatients,
} from './patients-world.ts'
import { START } from './test-clock.ts'

const wanted = [{ reference: 'p1', class: 'general' }]
const refusedWith = (code: string) => ({ name: 'Refusal', code })
const asked = {
  patient: 'Patient/p1',
  recipient: READER,
  classes: ['general'],
  purposes: ['TREAT'],
  notBefore: null,
  expiresAt: START + DAY_MS,
}

async function enrolled(patients: PatientsWorld, byte = 1): Promise<MadeWallet> {
  await patients.desk.accounts.ensure(wanted)
  const wallet = new MadeWallet(patients, byte)
  await wallet.enrol('p1')
  return wallet
}

test('a hosted grant is in force when its handle is final, and is taken back by its handle', () =>
  withPatients(async (patients) => {
    const { desk, final } = patients
    await desk.accounts.ensure(wanted)
    parseGrant(await final(desk.createGrant(asked)))
    const { items } = await desk.patients.grantsOf('p1', { before: null, limit: 10 })
    const [grant] = items
    assert.ok(grant !== undefined)
    assert.deepEqual([grant.status, grant.isHosted, grant.recipient], ['live', true, READER])
    const handle = fromHex(grant.handle)
    assert.equal(desk.facts.handle(handle)?.expiresAt, wholeDayAfter(asked.expiresAt))
    const patient = desk.accounts.find('p1')?.patientKey ?? assert.fail()
    assert.equal(desk.accounts.wrapsFor(patient, READER).length, 1)
    const revoked = await final(desk.patients.revokeHosted(grant.handle))
    assert.equal(revoked?.handle, grant.handle)
    assert.deepEqual(desk.accounts.wrapsFor(patient, READER), [])
    const [later] = (await desk.patients.grantsOf('p1', { before: null, limit: 10 })).items
    assert.deepEqual([later?.status, later?.revokedHeight], ['revoked', revoked?.height])
    const again = await desk.patients.revokeHosted(grant.handle)
    assert.deepEqual([again?.transactionId, again?.height], [null, revoked?.height])
    assert.equal(await desk.patients.revokeHosted('ab'.repeat(32)), undefined)
  }))

test('a grant that cannot be is refused with a reason, before anything is on the chain', () =>
  withPatients(async ({ desk, relaying }) => {
    await desk.accounts.ensure(wanted)
    for (const [change, code] of [
      [{ patient: 'Patient/nobody' }, 'unknown_patient'],
      [{ recipient: 'nowhere' }, 'unknown_recipient'],
      [{ classes: [] }, 'invalid_grant'],
      [{ classes: ['everything'] }, 'invalid_grant'],
      [{ purposes: ['FUN'] }, 'invalid_grant'],
      [{ expiresAt: START }, 'invalid_grant'],
      [{ expiresAt: START + 400 * DAY_MS }, 'invalid_grant'],
    ] as const)
      await assert.rejects(desk.createGrant({ ...asked, ...change }), { code }, code)
    assert.deepEqual(relaying.sent, [])
  }))

test('a wallet deposits a grant once, however often it asks', () =>
  withPatients(async (patients) => {
    const { desk, relaying } = patients
    const wallet = await enrolled(patients)
    const first = await wallet.deposit(1)
    assert.equal(first.handle, toHex(handleOfKey(wallet.oneTime(1).publicKey)))
    assert.deepEqual(await wallet.deposit(1), first)
    assert.deepEqual(relaying.sent, ['key.replace', 'grant.open'])
    assert.equal(desk.accounts.wrapsFor(wallet.sign.publicKey, READER).length, 2)
    await wallet.deposit(2, { content: { classes: ['general'], types: ['AllergyIntolerance'] } })
    const { items } = await desk.patients.grants(wallet.caller, { before: null, limit: 10 })
    assert.deepEqual(
      items.map(({ id, status }) => [id.slice(0, 2), status]),
      [
        ['02', 'live'],
        ['01', 'live'],
      ],
    )
  }))

test('a narrow grant gives nobody a class key', () =>
  withPatients(async (patients) => {
    const wallet = await enrolled(patients)
    await wallet.deposit(1, { content: { classes: ['general'], types: ['AllergyIntolerance'] } })
    assert.deepEqual(patients.desk.accounts.wrapsFor(wallet.sign.publicKey, READER), [])
  }))

test('what is no grant of this patient, or has no such handle, is not taken', () =>
  withPatients(async (patients) => {
    const { desk, relaying } = patients
    const wallet = await enrolled(patients)
    const stranger = new MadeWallet(patients, 2)
    const now = patients.world.clock.wall()
    const sent = relaying.sent.length
    const tryWith = async (code: string, terms: Partial<GrantTerms>, open = wallet.opening(1)) => {
      const deposit = { grant: wallet.grant(1, terms), open }
      await assert.rejects(desk.patients.depositGrant(wallet.caller, deposit), { code }, code)
    }
    await tryWith('grant_of_another_custodian', { custodian: READER })
    await tryWith('wrong_patient', { logKey: stranger.logKey })
    await tryWith('grant_expired', { notBefore: now - DAY_MS, expiresAt: now })
    await tryWith('grant_too_long', { expiresAt: now + 367 * DAY_MS })
    await tryWith('handle_too_short', { expiresAt: now + 3 * DAY_MS })
    await tryWith('handle_differs', {}, wallet.opening(2))
    await tryWith('handle_differs', {}, wallet.opening(1, { kind: 'delegation' }))
    await tryWith('unknown_recipient', { recipient: 'nowhere' })
    await tryWith('handle_forged', {}, { ...wallet.opening(1), signature: new Uint8Array(64) })
    const [header, , signature] = JSON.parse(wallet.grant(1)).jws.split('.')
    const [, payload] = JSON.parse(wallet.grant(1, { purposes: ['BTG'] })).jws.split('.')
    const grant = JSON.stringify({
      version: 2,
      jws: `${header}.${payload}.${signature}`,
      delegations: [],
    })
    const forged = { grant, open: wallet.opening(1) }
    await assert.rejects(desk.patients.depositGrant(wallet.caller, forged), {
      code: 'grant_forged',
    })
    const foreign = { grant: stranger.grant(1), open: stranger.opening(1) }
    await assert.rejects(
      desk.patients.depositGrant(wallet.caller, foreign),
      refusedWith('wrong_patient'),
    )
    await assert.rejects(
      desk.patients.depositGrant(stranger.caller, foreign),
      refusedWith('unknown_patient_key'),
    )
    assert.equal(relaying.sent.length, sent)
  }))

test('a node that ends on the way goes on: keys follow a handle that is final', () =>
  withPatients(async (patients) => {
    const { desk, relaying, final, again, world } = patients
    const wallet = await enrolled(patients)
    relaying.isCut = true
    await assert.rejects(wallet.deposit(1), /the node ends here/)
    await assert.rejects(wallet.deposit(2), /the node ends here/)
    relaying.isCut = false
    const { publicKey, signature, expiresAt, kind } = wallet.opening(1)
    const body = { organisation: OWN, publicKey, signature, expiresAt, kind }
    await final(desk.relay.submit({ kind: 'grant.open', body }))
    const next = await again()
    assert.deepEqual(next.accounts.wrapsFor(wallet.sign.publicKey, READER), [])
    await next.start()
    assert.equal(next.accounts.wrapsFor(wallet.sign.publicKey, READER).length, 2)
    const page = { before: null, limit: 10 }
    assert.equal((await next.patients.grants(wallet.caller, page)).items.length, 1)
    assert.equal((await next.kept.unfinished()).length, 1)
    world.clock.advance(16 * 60_000)
    await next.start()
    assert.equal((await next.kept.unfinished()).length, 0)
    assert.equal(next.kept.findByHandle(handleOfKey(wallet.oneTime(2).publicKey)), undefined)
  }))

test('a grant that begins later gives its keys when it begins, and not before', () =>
  withPatients(async (patients) => {
    const { desk, world, again } = patients
    const wallet = await enrolled(patients)
    const hour = 3_600_000
    const now = world.clock.wall()
    await wallet.deposit(1, { notBefore: now + hour, expiresAt: now + 2 * hour })
    await wallet.deposit(2, {
      notBefore: now + hour,
      expiresAt: now + 2 * hour,
      recipient: 'county',
    })
    const page = { before: null, limit: 10 }
    assert.equal((await desk.patients.grants(wallet.caller, page)).items[0]?.status, 'not_yet')
    const { publicKey } = wallet.oneTime(2)
    const signature = signGrantRevoke(patients.digest, wallet.oneTime(2))
    await patients.final(desk.patients.revoke({ publicKey, signature }))
    const next = await again()
    await next.start()
    const wraps = ({ accounts }: Desk, name: string) =>
      accounts.wrapsFor(wallet.sign.publicKey, name).length
    assert.deepEqual([wraps(next, READER), wraps(next, 'county')], [0, 0])
    await next.close()
    world.clock.advance(hour)
    const later = await again()
    await later.start()
    assert.deepEqual([wraps(later, READER), wraps(later, 'county')], [2, 0])
    assert.deepEqual(await later.kept.unfinished(), [])
    assert.equal((await later.patients.grants(wallet.caller, page)).items[1]?.status, 'live')
    await later.close()
  }))

test('a grant that a device has signed counts while its delegation does', () =>
  withPatients(async (patients) => {
    const { desk, final, digest, world } = patients
    const wallet = await enrolled(patients)
    const device = keyPairFromSeed(new Uint8Array(32).fill(50))
    const now = world.clock.wall()
    const delegation = signDelegation(wallet.sign, {
      id: new Uint8Array(16),
      kind: 'device',
      custodian: OWN,
      from: wallet.sign.publicKey,
      to: device.publicKey,
      role: null,
      notBefore: now,
      expiresAt: now + DAY_MS,
      handle: handleOfKey(wallet.oneTime(90).publicKey),
    })
    const deposit = (index: number, delegations: SignedDelegation[]) => {
      const made = { ...wallet.consent(index), signerKey: device.publicKey }
      const grant = formatGrant(signGrant(device, made, delegations))
      const open = wallet.opening(index)
      return final(desk.patients.depositGrant(wallet.caller, { grant, open }))
    }
    await assert.rejects(deposit(1, []), refusedWith('delegation_forged'))
    await assert.rejects(deposit(1, [delegation]), refusedWith('delegation_forged'))
    const terms = { expiresAt: wholeDayAfter(now + DAY_MS), kind: 'delegation' as const }
    const signature = signGrantOpen(digest, terms, wallet.oneTime(90))
    const { publicKey } = wallet.oneTime(90)
    const body = { organisation: OWN, publicKey, ...terms, signature }
    await final(desk.relay.submit({ kind: 'grant.open', body }))
    await deposit(1, [delegation])
    const wraps = () => desk.accounts.wrapsFor(wallet.sign.publicKey, READER).length
    assert.equal(wraps(), 2)
    const revocation = signGrantRevoke(digest, wallet.oneTime(90))
    await final(desk.patients.revoke({ publicKey, signature: revocation }))
    assert.equal(wraps(), 0)
    await assert.rejects(deposit(2, [delegation]), refusedWith('delegation_revoked'))
  }))

test('a handle that somebody else has brought is as good; one that says something else is not', () =>
  withPatients(async (patients) => {
    const { desk, final } = patients
    const wallet = await enrolled(patients)
    const { publicKey, signature, expiresAt, kind } = wallet.opening(1)
    const body = { organisation: OWN, publicKey, signature, expiresAt, kind }
    const { height } = await final(desk.relay.submit({ kind: 'grant.open', body }))
    const deposited = await wallet.deposit(1)
    assert.deepEqual([deposited.transactionId, deposited.height], [null, height])
    const open = wallet.opening(1, { kind: 'standing' })
    const other = { grant: wallet.grant(1, { purposes: ['HPAYMT'] }), open }
    await assert.rejects(
      desk.patients.depositGrant(wallet.caller, other),
      refusedWith('handle_seen'),
    )
  }))

test('a deposit that is under way is not put aside by another patient with its handle', () =>
  withPatients(async (patients) => {
    const { desk, relaying } = patients
    const wallet = await enrolled(patients)
    relaying.isCut = true
    await assert.rejects(wallet.deposit(1), /the node ends here/)
    relaying.isCut = false
    await desk.accounts.ensure([{ reference: 'p2', class: 'general' }])
    const other = new MadeWallet(patients, 2)
    await other.enrol('p2')
    const open = wallet.opening(1)
    const handle = handleOfKey(open.publicKey)
    const copied = { grant: other.grant(1, { handle }), open }
    await assert.rejects(
      desk.patients.depositGrant(other.caller, copied),
      refusedWith('handle_seen'),
    )
    assert.deepEqual(desk.kept.findByHandle(handle)?.patientKey, wallet.sign.publicKey)
  }))

test('only the one-time key revokes, and only what was opened', () =>
  withPatients(async (patients) => {
    const { desk, final, digest } = patients
    const wallet = await enrolled(patients)
    await wallet.deposit(1)
    const revocation = (index: number, by = index) => ({
      publicKey: wallet.oneTime(index).publicKey,
      signature: signGrantRevoke(digest, wallet.oneTime(by)),
    })
    await assert.rejects(desk.patients.revoke(revocation(1, 2)), refusedWith('handle_forged'))
    await assert.rejects(desk.patients.revoke(revocation(2)), refusedWith('unknown_handle'))
    const elsewhere = signGrantRevoke(new Uint8Array(32), wallet.oneTime(1))
    const foreign = { ...revocation(1), signature: elsewhere }
    await assert.rejects(desk.patients.revoke(foreign), refusedWith('handle_forged'))
    const both = [desk.patients.revoke(revocation(1)), desk.patients.revoke(revocation(1))]
    const [first, second] = await final(Promise.all(both))
    assert.deepEqual(first?.height, second?.height)
    assert.deepEqual(desk.accounts.wrapsFor(wallet.sign.publicKey, READER), [])
  }))

test('grants are listed page by page, of one patient alone', () =>
  withPatients(async (patients) => {
    const { desk } = patients
    const wallet = await enrolled(patients)
    await desk.accounts.ensure([{ reference: 'p2', class: 'general' }])
    const other = new MadeWallet(patients, 2)
    await other.enrol('p2')
    for (let index = 1; index <= 5; index += 1) await wallet.deposit(index)
    await other.deposit(9)
    const ids: string[] = []
    let before: number | null = null
    do {
      const page: { items: { id: string }[]; next: number | null } = await desk.patients.grants(
        wallet.caller,
        { before, limit: 2 },
      )
      ids.push(...page.items.map(({ id }) => id.slice(0, 2)))
      before = page.next
    } while (before !== null)
    assert.deepEqual(ids, ['05', '04', '03', '02', '01'])
  }))

test('a patient deposits so many grants at a time', () =>
  withPatients(async (patients) => {
    const wallet = await enrolled(patients)
    for (let index = 1; index <= 30; index += 1) await wallet.deposit(index)
    await assert.rejects(wallet.deposit(31), refusedWith('patient_too_often'))
    patients.world.clock.advance(60_000)
    await wallet.deposit(31)
  }))

test('no flood of revocations that revoke nothing keeps a patient from one that does', () =>
  withPatients(async (patients) => {
    const { desk, digest, final } = patients
    const wallet = await enrolled(patients)
    await wallet.deposit(1)
    await wallet.deposit(2)
    const revoke = (index: number, signature = signGrantRevoke(digest, wallet.oneTime(index))) =>
      desk.patients.revoke({ publicKey: wallet.oneTime(index).publicKey, signature })
    await final(revoke(2))
    for (let time = 0; time < 200; time += 1) {
      await assert.rejects(revoke(99), refusedWith('unknown_handle'))
      await assert.rejects(revoke(1, new Uint8Array(64)), refusedWith('handle_forged'))
      assert.equal((await revoke(2)).transactionId, null)
    }
    assert.notEqual((await final(revoke(1))).transactionId, null)
  }))

test.run()
