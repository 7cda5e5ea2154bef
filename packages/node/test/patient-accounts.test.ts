// Accounts with their keys, over a real store: what holders are given opens for whom it is meant, and
// for nobody else.

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fromHex, toHex } from '@mooring/codec'
import { x25519PublicKey } from '@mooring/crypto'
import {
  decodeKeyDeposit,
  openKeyDeposit,
  parseGrant,
  pairwiseSealKey,
  verifyGrant,
} from '@mooring/records'
import { AccountStore, openDatabase } from '@mooring/storage'
import { test } from 'uvu'
import { AtRest } from '../src/at-rest.ts'
import { createGrantAnswers, patientReference } from '../src/grant-answers.ts'
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
      now: () => START,
      random: (length) => {
        drawn += 1
        return new Uint8Array(length).map((_, at) => (at === 0 ? drawn : at ^ drawn))
      },
    })
    const given = () =>
      NAMES.flatMap((name) => keys.waitingFor(name, 1_000)).map(({ deposit }) => deposit)
    return { accounts, keys, given, again: create }
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

test('a grant opens its classes to its recipient, those of later records as well', () =>
  withAccounts(async ({ accounts, given }) => {
    await accounts.ensure([
      { reference: 'p1', class: 'general' },
      { reference: 'p1', class: 'sensitive:hiv' },
      { reference: 'p2', class: 'general' },
    ])
    const grant = await accounts.createGrant({
      reference: 'p1',
      recipient: READER,
      classes: ['general', 'imaging'],
      purposes: ['TREAT'],
      notBefore: START,
      expiresAt: START + DAY_MS,
    })
    assert.ok(verifyGrant(grant))
    assert.equal(grant.document.custodian, OWN)
    assert.deepEqual(openedBy(secretOf(READER), given()), ['general', 'imaging'])
    const patient = accounts.find('p1')?.patientKey ?? new Uint8Array(0)
    const wraps = accounts.wrapsFor(patient, READER)
    assert.deepEqual(openedBy(secretOf(READER), wraps), ['general', 'imaging'])
    assert.deepEqual(accounts.wrapsFor(patient, OTHER), [])
    const other = accounts.find('p2')?.patientKey ?? new Uint8Array(0)
    assert.deepEqual(accounts.wrapsFor(other, READER), [])
    const keys = accounts.classKeys(patient)
    const opened = wraps.map((each) => openKeyDeposit(decodeKeyDeposit(each), secretOf(READER)))
    for (const content of opened) {
      if (content === undefined) continue
      const own = keys.find((each) => each.class === content.class)
      assert.deepEqual(content.classKey, own?.key)
    }
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

test('a grant is asked for by a reference, and refused with a reason', () =>
  withAccounts(async ({ accounts }) => {
    await accounts.ensure([{ reference: 'p1', class: 'general' }])
    const { createGrant } = createGrantAnswers(accounts, { wall: () => START })
    const asked = {
      patient: 'https://example.org/fhir/Patient/p1',
      recipient: READER,
      classes: ['general'],
      purposes: ['TREAT'],
      notBefore: null,
      expiresAt: START + DAY_MS,
    }
    const grant = parseGrant(await createGrant(asked))
    assert.ok(verifyGrant(grant))
    assert.equal(
      toHex(grant.document.patientKey),
      toHex(accounts.find('p1')?.patientKey ?? fromHex('')),
    )
    for (const [change, code] of [
      [{ patient: 'Patient/nobody' }, 'unknown_patient'],
      [{ recipient: 'nowhere' }, 'unknown_recipient'],
      [{ classes: [] }, 'invalid_grant'],
      [{ classes: ['everything'] }, 'invalid_grant'],
      [{ purposes: ['FUN'] }, 'invalid_grant'],
      [{ expiresAt: START }, 'invalid_grant'],
      [{ expiresAt: START + 400 * DAY_MS }, 'invalid_grant'],
    ] as const)
      await assert.rejects(createGrant({ ...asked, ...change }), { code }, code)
    assert.equal(patientReference('urn:uuid:77'), '77')
    assert.equal(patientReference('Patient/77/_history/2'), '77')
    assert.equal(patientReference('77'), '77')
  }))

test('a patient may grant as often as it likes: the newest count, and what is over goes', () =>
  withAccounts(async ({ accounts, again }) => {
    await accounts.ensure([{ reference: 'maria', class: 'general' }])
    const terms = {
      reference: 'maria',
      classes: ['general'],
      purposes: ['TREAT'],
      notBefore: START,
    }
    const recipients = [READER, OTHER]
    for (let time = 0; time < 300; time += 1) {
      const recipient = recipients[time % 2] ?? READER
      await accounts.createGrant({ ...terms, recipient, expiresAt: START + DAY_MS + time })
    }
    const { accounts: second } = await again()
    const patientKey = second.find('maria')?.patientKey
    assert.ok(patientKey !== undefined)
    for (const name of [OWN, ...recipients]) {
      const wraps = second.wrapsFor(patientKey, READER).map((wrap) => decodeKeyDeposit(wrap))
      assert.ok(wraps.some((wrap) => openKeyDeposit(wrap, secretOf(name)) !== undefined))
    }
  }))

test.run()
