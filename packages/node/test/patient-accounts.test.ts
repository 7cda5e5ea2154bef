// Accounts with their keys, over a real store: what holders are given opens for whom it is meant, and
// for nobody else.

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toHex } from '@mooring/codec'
import { x25519PublicKey } from '@mooring/crypto'
import { decodeKeyDeposit, openKeyDeposit, pairwiseSealKey } from '@mooring/records'
import { AccountStore, openDatabase } from '@mooring/storage'
import { test } from 'uvu'
import { AtRest } from '../src/at-rest.ts'
import type { WideGrant } from '../src/accounts.ts'
import { patientReference } from '../src/grant-terms.ts'
import { PatientAccounts } from '../src/patient-accounts.ts'
import { KeyDeposits } from '../src/key-deposits.ts'
import { genesisWith, keyOf, NAMES } from './chain-members.ts'
import { START } from './test-clock.ts'

const [OWN = '', READER = '', OTHER = ''] = NAMES
const ORGANISATIONS = genesisWith({}).organisations.map((entry) => entry.organisation)
const DAY_MS = 86_400_000

function organisations(): typeof ORGANISATIONS {
  return ORGANISATIONS
}

interface World {
  accounts: PatientAccounts
  keys: KeyDeposits
  /** Handles that the chain has as revoked. */
  revoked: Set<string>
  clock: { now: number }
  /** All that holders have been given so far. */
  given: () => Uint8Array[]
  again: () => Promise<World>
}

function secretOf(name: string): Uint8Array {
  return keyOf(name, 'seal').seed
}

async function withAccounts(work: (world: World) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'mooring-accounts-'))
  const database = await openDatabase(join(folder, 'records'), { name: 'records' })
  let drawn = 0
  const revoked = new Set<string>()
  const clock = { now: START }
  const create = async (): Promise<World> => {
    const store = await AccountStore.open(database)
    const atRest = new AtRest(new Uint8Array(32).fill(9))
    const keys = new KeyDeposits({ organisation: OWN, organisations, store, atRest })
    await keys.start()
    const accounts = new PatientAccounts({
      organisation: OWN,
      store,
      atRest,
      keys,
      sealKey: x25519PublicKey(secretOf(OWN)),
      sealKeyOf: (name) => ORGANISATIONS.find(({ id }) => id === name)?.keys.seal,
      isOpenHandle: (handle) => !revoked.has(toHex(handle)),
      now: () => clock.now,
      random: (length) => {
        drawn += 1
        return new Uint8Array(length).map((_, at) => (at === 0 ? drawn : at ^ drawn))
      },
    })
    const given = () =>
      NAMES.flatMap((name) => keys.waitingFor(name, 1_000)).map(({ deposit }) => deposit)
    return { accounts, keys, revoked, clock, given, again: create }
  }
  try {
    await work(await create())
  } finally {
    await database.close()
    await rm(folder, { recursive: true, force: true })
  }
}

/** The classes whose keys somebody can open. */
function openedBy(secret: Uint8Array, deposits: readonly Uint8Array[]): string[] {
  const contents = deposits.map((each) => openKeyDeposit(decodeKeyDeposit(each), secret))
  return [...new Set(contents.flatMap((content) => content?.class ?? []))].toSorted()
}

test('an account is made once, with a key for each class, and is the same after a restart', () =>
  withAccounts(async (world) => {
    const wanted = [
      { reference: 'p1', class: 'general' },
      { reference: 'p1', class: 'emergency' },
      { reference: '', class: 'general' },
      { reference: 'p1', class: 'general' },
    ]
    const [first, second] = await Promise.all([
      world.accounts.ensure(wanted),
      world.accounts.ensure(wanted.toReversed()),
    ])
    assert.deepEqual(second.toReversed(), first)
    assert.deepEqual(first[3], first[0])
    assert.notDeepEqual(first[1]?.key, first[0]?.key)
    assert.notDeepEqual(first[2]?.patientKey, first[0]?.patientKey)
    assert.ok(first.every(({ keyName }) => !world.keys.isSafe(keyName)))

    const later = await world.again()
    assert.deepEqual(await later.accounts.ensure(wanted), first)
    const account = later.accounts.find('p1')
    assert.ok(account !== undefined)
    assert.deepEqual(later.accounts.findByKey(account.patientKey), account)
    assert.equal(later.accounts.find('p2'), undefined)
    assert.deepEqual(
      later.accounts.classKeys(account.patientKey).map((each) => each.class),
      ['emergency', 'general'],
    )
  }))

test('custodian and patient open what holders are given, and nobody else', () =>
  withAccounts(async ({ accounts, given }) => {
    const [key] = await accounts.ensure([{ reference: 'p1', class: 'general' }])
    assert.deepEqual(openedBy(secretOf(OWN), given()), ['general'])
    for (const name of [READER, OTHER]) assert.deepEqual(openedBy(secretOf(name), given()), [])
    const content = openKeyDeposit(decodeKeyDeposit(given()[0] ?? new Uint8Array(0)), secretOf(OWN))
    assert.deepEqual(content?.classKey, key?.key)
    const stranger = pairwiseSealKey(new Uint8Array(32), 'did:mooring:org:st-mary', 1)
    assert.deepEqual(openedBy(stranger.secretKey, given()), [])
  }))

let made = 0

function wide(recipient: string, classes: string[] = ['general'], expiresAt = START + DAY_MS) {
  made += 1
  const handle = new Uint8Array(32).fill(made)
  const granted: WideGrant = { handles: [handle], recipient, classes, expiresAt }
  return { granted, handle: toHex(handle) }
}

const patientOf = ({ accounts }: World, reference = 'p1'): Uint8Array =>
  accounts.find(reference)?.patientKey ?? assert.fail('no account')

const general = (reference = 'p1') => ({ reference, class: 'general' })

test('a grant opens its classes to its recipient, those of later records as well', () =>
  withAccounts(async (world) => {
    const { accounts, given } = world
    await accounts.ensure([general(), { ...general(), class: 'sensitive:hiv' }, general('p2')])
    const patient = patientOf(world)
    await accounts.open(patient, wide(READER, ['general', 'imaging']).granted)
    assert.deepEqual(openedBy(secretOf(READER), given()), ['general', 'imaging'])
    const wraps = accounts.wrapsFor(patient, READER)
    assert.deepEqual(openedBy(secretOf(READER), wraps), ['general', 'imaging'])
    assert.deepEqual(accounts.wrapsFor(patient, OTHER), [])
    assert.deepEqual(accounts.wrapsFor(patientOf(world, 'p2'), READER), [])
    const keys = accounts.classKeys(patient)
    const opened = wraps.map((each) => openKeyDeposit(decodeKeyDeposit(each), secretOf(READER)))
    for (const content of opened) {
      const own = keys.find((each) => each.class === content?.class)
      assert.deepEqual(content?.classKey, own?.key)
    }
    const [later] = await accounts.ensure([{ ...general(), class: 'imaging' }])
    assert.deepEqual(later?.key, keys.find((each) => each.class === 'imaging')?.key)
  }))

test('when a grant ends, the next record has a key that its recipient was never given', () =>
  withAccounts(async (world) => {
    const { accounts, revoked, clock, given } = world
    const [first] = await accounts.ensure([general()])
    const patient = patientOf(world)
    const { granted, handle } = wide(READER)
    await accounts.open(patient, granted)
    await accounts.open(patient, wide(OTHER, ['general'], START + 2 * DAY_MS).granted)
    assert.deepEqual(await accounts.ensure([general()]), [first])

    revoked.add(handle)
    const [second] = await accounts.ensure([general()])
    assert.equal(second?.epoch, 2)
    assert.deepEqual(accounts.wrapsFor(patient, READER), [])
    const has = (name: string, key: Uint8Array | undefined) =>
      given().some((each) => {
        const content = openKeyDeposit(decodeKeyDeposit(each), secretOf(name))
        return toHex(content?.classKey ?? patient) === toHex(key ?? patient)
      })
    assert.deepEqual([has(READER, second?.key), has(OTHER, second?.key)], [false, true])
    assert.deepEqual(await accounts.ensure([general()]), [second])

    clock.now = START + 3 * DAY_MS
    const [third] = await accounts.ensure([general()])
    assert.equal(third?.epoch, 3)
    assert.deepEqual([has(OTHER, third?.key), has(OWN, third?.key)], [false, true])
    const { accounts: again } = await world.again()
    assert.deepEqual(await again.ensure([general()]), [third])
    assert.equal(again.classKeys(patient).length, 3)
  }))

test('a grant that rests on a delegation ends with it', () =>
  withAccounts(async (world) => {
    const { accounts, revoked } = world
    await accounts.ensure([general()])
    const { granted } = wide(READER)
    const delegation = new Uint8Array(32).fill(200)
    await accounts.open(patientOf(world), { ...granted, handles: [...granted.handles, delegation] })
    assert.equal(accounts.wrapsFor(patientOf(world), READER).length, 1)
    revoked.add(toHex(delegation))
    assert.equal(accounts.wrapsFor(patientOf(world), READER).length, 0)
    assert.equal((await accounts.ensure([general()]))[0]?.epoch, 2)
  }))

test('a class is sealed anew when somebody asks for it', () =>
  withAccounts(async (world) => {
    const { accounts } = world
    await accounts.ensure([general(), { ...general(), class: 'imaging' }])
    await accounts.rotate(patientOf(world), 'general')
    const [turned, other] = await accounts.ensure([general(), { ...general(), class: 'imaging' }])
    assert.deepEqual([turned?.epoch, other?.epoch], [2, 1])
  }))

const walletKeys = (byte: number) => ({
  patientKey: new Uint8Array(32).fill(byte),
  logKey: pairwiseSealKey(new Uint8Array(32).fill(byte), 'did:mooring:org:st-mary', 1).publicKey,
  recoveryCommit: null,
})
const walletSecret = (byte: number): Uint8Array =>
  pairwiseSealKey(new Uint8Array(32).fill(byte), 'did:mooring:org:st-mary', 1).secretKey

test('a wallet takes the place of hosted keys: what was granted is over, what there is opens to it', () =>
  withAccounts(async (world) => {
    const { accounts, given } = world
    const [before] = await accounts.ensure([general()])
    const hosted = patientOf(world)
    await accounts.open(hosted, wide(READER).granted)
    const account = await accounts.adopt('p1', walletKeys(77))
    assert.deepEqual([account.custody, account.former], ['own', [hosted]])
    assert.deepEqual(accounts.findByKey(hosted), account)
    assert.deepEqual(accounts.findByKey(account.patientKey), account)
    assert.deepEqual(accounts.wrapsFor(account.patientKey, READER), [])
    assert.equal(accounts.signKeyPair(account.patientKey), undefined)
    assert.equal(accounts.signKeyPair(hosted), undefined)
    assert.ok(accounts.logKeyPair(hosted) !== undefined)
    assert.equal(accounts.logKeyPair(account.patientKey), undefined)

    const [after] = await accounts.ensure([general()])
    assert.deepEqual([before?.patientKey, after?.patientKey], [hosted, account.patientKey])
    const opened = given().flatMap(
      (each) => openKeyDeposit(decodeKeyDeposit(each), walletSecret(77)) ?? [],
    )
    const all = opened.map(({ epoch, classKey }) => `${epoch} ${toHex(classKey)}`)
    const names = [...new Set(all)].toSorted()
    const known = [before, after].map((each) => `${each?.epoch} ${toHex(each?.key ?? hosted)}`)
    assert.deepEqual(names, known)

    const { accounts: again } = await world.again()
    assert.deepEqual(again.find('p1'), account)
    await again.adopt('p1', walletKeys(78))
    assert.deepEqual(again.find('p1')?.former, [hosted, account.patientKey])
  }))

test('a key governs one account, and no account twice', () =>
  withAccounts(async ({ accounts }) => {
    await accounts.ensure([general(), general('p2')])
    const first = await accounts.adopt('p1', walletKeys(77))
    assert.deepEqual(await accounts.adopt('p1', walletKeys(77)), first)
    await accounts.adopt('p1', walletKeys(78))
    for (const reference of ['p1', 'p2'])
      await assert.rejects(accounts.adopt(reference, walletKeys(77)), { code: 'patient_key_taken' })
    await assert.rejects(accounts.adopt('p3', walletKeys(79)), { code: 'unknown_patient' })
    for (let byte = 80; byte < 142; byte += 1) await accounts.adopt('p1', walletKeys(byte))
    await assert.rejects(accounts.adopt('p1', walletKeys(200)), { code: 'too_many_keys' })
  }))

test('class keys come back from holders to the key in force, and what was made up does not', () =>
  withAccounts(async (world) => {
    const { accounts, given } = world
    const [before] = await accounts.ensure([general()])
    const hosted = patientOf(world)
    const account = await accounts.adopt('p1', walletKeys(77))
    const [after] = await accounts.ensure([general()])
    const found = given().flatMap((deposit) => {
      const content = openKeyDeposit(decodeKeyDeposit(deposit), secretOf(OWN))
      return content === undefined ? [] : [{ reference: 'p1', content, deposit }]
    })
    const forged = found.map((each) => {
      const patientKey = new Uint8Array(32).fill(66)
      return { ...each, content: { ...each.content, patientKey, epoch: 9 } }
    })
    await withAccounts(async ({ accounts: empty }) => {
      const isRetired = (key: Uint8Array) => toHex(key) === toHex(hosted)
      const restored = await empty.restore([...forged, ...found], isRetired)
      assert.deepEqual([...restored].toSorted(), [hosted, account.patientKey].map(toHex).toSorted())
      assert.deepEqual(empty.find('p1'), account)
      const keys = empty.classKeys(hosted).map(({ key }) => toHex(key))
      assert.deepEqual(
        keys,
        [after, before].map((each) => toHex(each?.key ?? hosted)),
      )
      // Who else had the last key is forgotten with the disk.
      const [next] = await empty.ensure([general()])
      assert.deepEqual([next?.epoch, next?.patientKey], [3, account.patientKey])
    })
  }))

test('a key is safe with k others, and its deposit is forgotten with all', () =>
  withAccounts(async (world) => {
    const [key] = await world.accounts.ensure([{ reference: 'p1', class: 'general' }])
    const name = key?.keyName ?? ''
    const safe: string[] = []
    world.keys.onSafe = (keyName) => safe.push(keyName)
    const others = NAMES.filter((each) => each !== OWN)
    await world.keys.receipted(OWN, world.keys.waitingFor(OWN, 9))
    for (const holder of others.slice(0, 1))
      await world.keys.receipted(holder, world.keys.waitingFor(holder, 9))
    assert.deepEqual([world.keys.isSafe(name), safe], [false, []])
    for (const holder of others.slice(1, 2))
      await world.keys.receipted(holder, world.keys.waitingFor(holder, 9))
    assert.deepEqual([world.keys.isSafe(name), safe], [true, [name]])
    assert.deepEqual(world.keys.holders().toSorted(), NAMES.toSorted())
    for (const holder of others.slice(2))
      await world.keys.receipted(holder, world.keys.waitingFor(holder, 9))
    assert.deepEqual(world.keys.holders(), [])
    assert.deepEqual((await world.again()).given(), [])
  }))

test('a patient has many names', () => {
  assert.equal(patientReference('https://example.org/fhir/Patient/p1'), 'p1')
  assert.equal(patientReference('urn:uuid:77'), '77')
  assert.equal(patientReference('Patient/77/_history/2'), '77')
  assert.equal(patientReference('77'), '77')
})

test('class keys go to members, for patients that are known', () =>
  withAccounts(async (world) => {
    await world.accounts.ensure([general()])
    const patient = patientOf(world)
    await assert.rejects(world.accounts.open(patient, wide('nowhere').granted), {
      code: 'unknown_recipient',
    })
    await assert.rejects(world.accounts.open(new Uint8Array(32), wide(READER).granted), {
      code: 'unknown_patient',
    })
  }))

test('a patient may grant as often as it likes: the newest count, and what is over goes', () =>
  withAccounts(async (world) => {
    await world.accounts.ensure([general('maria')])
    const patientKey = patientOf(world, 'maria')
    const recipients = [READER, OTHER]
    for (let time = 0; time < 300; time += 1) {
      const recipient = recipients[time % 2] ?? READER
      const handles = [new Uint8Array(32).fill(time % 251), new Uint8Array(32).fill(time % 249)]
      const granted = { ...wide(recipient).granted, handles, expiresAt: START + DAY_MS + time }
      await world.accounts.open(patientKey, granted)
    }
    const { accounts: second } = await world.again()
    const wraps = second.wrapsFor(patientKey, READER).map((wrap) => decodeKeyDeposit(wrap))
    assert.equal(wraps.length, 1)
    assert.ok(wraps.some((wrap) => openKeyDeposit(wrap, secretOf(READER)) !== undefined))
  }))

test.run()
