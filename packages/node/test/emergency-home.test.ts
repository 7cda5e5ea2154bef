import assert from 'node:assert/strict'
import { equalBytes } from '@mooring/codec'
import { keyPairFromSeed } from '@mooring/crypto'
import { locatorIdOf, sealEmergencySet, withdrawEmergencySet } from '@mooring/records'
import { test } from 'uvu'
import { reviewerOf } from '../src/emergency-terms.ts'
import type { EmergencyPatient } from '../src/emergency-home.ts'
import { createEmergencyAnswers } from '../src/emergency-answers.ts'
import {
  accountOf,
  codeOf,
  type EmergencyWorld,
  end,
  HOME,
  HOUR,
  OPENER,
  organisation,
  PATIENT,
  randomBytes,
  secretOf,
  seen,
  settled,
  SUMMARY,
  versionsAt,
  WITH_WALLET,
  withScene,
} from './emergency-world.ts'

const callerOf = (patientKey: Uint8Array) => ({
  patientKey,
  signer: patientKey,
  delegation: null,
})

test('a wallet deposits through its hospital, and guardians are told through theirs', () =>
  withScene(async ({ world, ada, locator: old }) => {
    const { home } = world.at(HOME).emergencies
    const account = accountOf('Patient/9')
    const guardian = accountOf('Patient/guardian').patientKey
    const locator = secretOf('card of a wallet').subarray(0, 16)
    const { k, trustees } = home.trustees(locatorIdOf(locator))
    const sealed = sealEmergencySet(SUMMARY, {
      ...account,
      locator,
      trustees,
      k,
      firstVersion: 0,
      count: 2,
      sequence: 1,
      owner: keyPairFromSeed(secretOf('owner of a wallet')),
      madeAt: world.clock.wall(),
      home: HOME,
      notified: [{ organisation: 'cedar', key: guardian }],
      random: randomBytes,
    })
    const deposits = sealed.flatMap((deposit, at) => {
      const trustee = trustees[at]?.organisation
      return trustee === undefined ? [] : [{ trustee, deposit }]
    })
    const stolen = home.deposit(accountOf('Patient/8').patientKey, deposits)
    assert.equal(await codeOf(stolen), 'statement_of_another')
    const { taken, waiting } = await home.deposit(account.patientKey, deposits)
    // What the hospital had made before there was a wallet is taken back, and its card opens nothing.
    const before = world.open(OPENER, world.request(OPENER, ada, old))
    assert.equal(await codeOf(before), 'emergency_ended')
    assert.deepEqual([taken.length, waiting.length], [5, 0])
    const how = { withSensitive: false, isOptedOut: false }
    await world.open(OPENER, world.request(OPENER, ada, locator))
    await settled()
    const [told] = world.at('cedar').emergencies.notices.of(guardian)
    assert.deepEqual([told?.as, told?.organisation], ['guardian', OPENER])
    const own = world.at(HOME).emergencies.notices.of(account.patientKey)
    assert.deepEqual(
      own.map(({ as }) => as),
      ['patient'],
    )
    assert.equal(home.spare(home.find(account.patientKey) ?? assert.fail()), 1)
    assert.equal(await codeOf(home.depositHosted('Patient/9', how)), 'emergency_of_wallet')
    const made = { kind: 'notice' as const, body: { requestId: secretOf('none'), key: guardian } }
    await world.at('cedar').emergencies.answer('birch', made)
    assert.equal(world.at('cedar').emergencies.notices.of(guardian).length, 1)
  }))

test('who was down when a set was opened tells the patient, and reviews, when it is back', () =>
  withScene(async ({ world, locator, ada }) => {
    const request = world.request(OPENER, ada, locator)
    const openedAt = { height: 1, time: world.clock.wall() }
    const opening = { organisation: OPENER, openedAt }
    const reviewer = reviewerOf(request.requestId, opening, world.organisations) ?? HOME
    await world.restart(reviewer, () => world.restart(HOME, () => world.open(OPENER, request)))
    const { reviews } = world.at(reviewer).emergencies
    assert.equal((await reviews.list(null, 9)).length, 1)
    assert.equal(world.at(HOME).emergencies.notices.of(accountOf(PATIENT).patientKey).length, 1)
  }))

test('who opts out is not opened; a trustee that was away learns it when it is back', () =>
  withScene(async ({ world, locator, ada }) => {
    world.dead.add('birch')
    const { home } = world.at(HOME).emergencies
    const out = { withSensitive: false, isOptedOut: true }
    assert.deepEqual((await home.depositHosted(PATIENT, out)).waiting, ['birch'])
    const request = () => world.open(OPENER, world.request(OPENER, ada, locator))
    assert.equal(await codeOf(request()), 'emergency_opted_out')
    world.dead.delete('birch')
    await home.care()
    assert.deepEqual(await versionsAt(world), [0, 0, 0, 0, 0])
    assert.equal(await codeOf(request()), 'emergency_opted_out')
  }))

test('who is no trustee any more keeps nothing, after an opt-out as after a new set', () =>
  withScene(async ({ world, locator }) => {
    const { home } = world.at(HOME).emergencies
    const present = [...world.organisations]
    const former = present.filter(({ id }) => id === 'birch' || id === 'cedar')
    const others = ['fir', 'gorse', 'hazel'].map((id) => organisation(id))
    const left = present.filter((each) => !former.includes(each))
    world.dead.add('fir').add('gorse').add('hazel').add('cedar')
    for (const isOptedOut of [false, true]) {
      world.organisations.splice(0, 9, ...left, ...(isOptedOut ? others.slice(0, 1) : []))
      await home.depositHosted(PATIENT, { withSensitive: false, isOptedOut })
      world.organisations.splice(0, 9, ...present)
    }
    const { trustees } = home.trustees(locatorIdOf(locator))
    assert.equal(trustees.length, 5)
    assert.deepEqual(await versionsAt(world), [0, 0, 6, 0, 0])
    world.dead.delete('cedar')
    await home.care()
    assert.deepEqual(await versionsAt(world), [0, 0, 0, 0, 0])
  }))

test('a patient is told of versions that a failed deposit or another claim would hide', () =>
  withScene(async ({ world, ada }) => {
    const { home, notices } = world.at(HOME).emergencies
    const locator = secretOf('card of a wallet').subarray(0, 16)
    const thief = accountOf('Patient/8').patientKey
    world.full.add('cedar')
    assert.equal(await codeOf(depositOf(world, { locator, account: WITH_WALLET })), 'holder_full')
    world.full.clear()
    // Somebody who has seen the card claims its handles, in a set of their own.
    const other = { locator, account: accountOf('Patient/8'), owner: 'thief' }
    assert.equal(await codeOf(depositOf(world, other)), 'statement_of_another')
    await world.restart(HOME)
    const request = world.request(OPENER, ada, locator)
    await world.open(OPENER, request)
    await settled()
    const told = world.at(HOME).emergencies.notices.of(WITH_WALLET.patientKey)
    assert.deepEqual(
      told.map(({ as }) => as),
      ['patient'],
    )
    assert.ok(home !== world.at(HOME).emergencies.home && notices.of(thief).length < 2)
  }))

test('a wallet tells those that are trustees no more, and signs one statement for the rest', () =>
  withScene(async ({ world }) => {
    const { home, store } = world.at(HOME).emergencies
    const locator = secretOf('card of a wallet').subarray(0, 16)
    const owner = keyPairFromSeed(secretOf('owner of a wallet'))
    const { organisations } = world
    await depositOf(world, { locator, account: WITH_WALLET })
    const sealed = sealEmergencySet(SUMMARY, {
      ...WITH_WALLET,
      locator,
      trustees: organisations.slice(0, 4).map(({ id, keys }) => {
        return { organisation: id, sealKey: keys.seal }
      }),
      k: 2,
      firstVersion: 2,
      count: 2,
      sequence: 2,
      owner,
      madeAt: world.clock.wall(),
      home: HOME,
      notified: [],
      random: randomBytes,
    })
    const own = sealed.map((deposit, at) => ({ trustee: organisations[at]?.id ?? '', deposit }))
    const gone = withdrawEmergencySet({ locator, owner, sequence: 2, home: HOME }, false)
    const strange = withdrawEmergencySet({ locator, owner, sequence: 3, home: HOME }, false)
    const mixed = home.deposit(WITH_WALLET.patientKey, [
      ...own,
      { trustee: 'elm', deposit: strange },
    ])
    assert.equal(await codeOf(mixed), 'statement_incomplete')
    await home.deposit(WITH_WALLET.patientKey, [...own, { trustee: 'elm', deposit: gone }])
    const { held } = world.at('elm').emergencies.store
    assert.equal(held.get(held.name(locatorIdOf(locator)))?.versions.length, 0)
    const set = home.find(WITH_WALLET.patientKey)
    assert.deepEqual(
      set?.versions.map(({ version }) => version),
      [2, 3],
    )
    assert.ok(store.handed.of(set?.versions[0]?.setHandle ?? locator).length === 1)
  }))

test('a notice that came in front of ours does not make a patient a guardian', () =>
  withScene(async (scene) => {
    const { world } = scene
    const { patientKey } = accountOf(PATIENT)
    const { notices } = world.at(HOME).emergencies
    const { request } = await seen(scene)
    await settled()
    await world
      .at(HOME)
      .emergencies.store.notices.delete(world.at(HOME).emergencies.store.notices.name(patientKey))
    const { requestId } = request
    const body = { requestId, key: patientKey }
    await world.at(HOME).emergencies.answer('cedar', { kind: 'notice', body })
    assert.equal(notices.of(patientKey)[0]?.as, 'guardian')
    assert.equal(await notices.add(patientKey, requestId, 'patient'), true)
    assert.deepEqual(
      notices.of(patientKey).map(({ as }) => as),
      ['patient'],
    )
    assert.equal(await notices.add(patientKey, requestId, 'guardian'), false)
  }))

test('a hosted set that runs out of versions is made anew, when nothing is open', () =>
  withScene(async (scene) => {
    const { world } = scene
    const { home } = world.at(HOME).emergencies
    for (let count = 0; count < 5; count += 1) {
      await seen(scene)
      world.clock.advance(4 * HOUR)
      await end(world)
    }
    await home.care()
    const set = home.find(accountOf(PATIENT).patientKey) ?? assert.fail()
    assert.equal(home.spare(set), 6)
    assert.deepEqual(
      set.versions.map(({ version }) => version),
      [6, 7, 8, 9, 10, 11],
    )
    const { opened } = await seen(scene)
    assert.ok(opened.ok && opened.header.version === 6)
  }))

test('a trustee without room takes nothing, and a wallet deposits a bounded number of times', () =>
  withScene(async ({ world }) => {
    const { home } = world.at(HOME).emergencies
    world.full.add('birch')
    const how = { withSensitive: false, isOptedOut: false }
    assert.equal(await codeOf(home.depositHosted('Patient/2', how)), 'holder_full')
    const { patientKey } = accountOf('Patient/3')
    const [deposit] = withdrawnSet(HOME)
    assert.ok(deposit !== undefined)
    world.full.clear()
    const codes: string[] = []
    for (let count = 0; count < 9; count += 1) {
      codes.push(await codeOf(home.deposit(patientKey, [{ trustee: 'birch', deposit }])))
    }
    assert.equal(codes.at(-1), 'too_many_deposits')
    assert.ok(!codes.slice(0, 8).includes('too_many_deposits'))
    world.clock.advance(600_000)
    const later = home.deposit(patientKey, [{ trustee: 'birch', deposit }])
    assert.notEqual(await codeOf(later), 'too_many_deposits')
  }))

test('a stranger with a key of their own has neither trustees nor a summary kept', () =>
  withScene(async ({ world }) => {
    const { emergencies } = world.at(HOME)
    const patient = accountOf(PATIENT).patientKey
    const answers = createEmergencyAnswers(emergencies, {
      self: HOME,
      genesisDigest: world.digest,
      now: () => world.clock.wall(),
      patientOf: accountOf,
      isKnownKey: (key) => equalBytes(key, patient),
    })
    const stranger = callerOf(secretOf('nobody'))
    const deposits = new Uint8Array(3)
    assert.equal(await codeOf(answers.deposit(stranger, deposits)), 'unknown_patient_key')
    assert.equal(await codeOf(answers.summary(stranger, false)), 'unknown_patient_key')
    assert.equal(await codeOf(answers.deposit(callerOf(patient), deposits)), 'deposit_malformed')
    assert.deepEqual(await answers.summary(callerOf(patient), false), SUMMARY)
  }))

test('another hospital, another patient and a forged deposit replace nothing', () =>
  withScene(async ({ world }) => {
    const { home, store } = world.at(HOME).emergencies
    const [held] = await store.held.list(null, 1)
    assert.ok(held !== undefined)
    assert.equal(
      await codeOf(home.deposit(accountOf('Patient/2').patientKey, [])),
      'statement_incomplete',
    )
    const unknown = home.depositHosted('nobody', { withSensitive: false, isOptedOut: false })
    assert.equal(await codeOf(unknown), 'unknown_patient')
    const { ownerKey, locatorId } = held.value
    const statement = {
      locatorId,
      ownerKey,
      sequence: Number.MAX_SAFE_INTEGER,
      home: 'cedar',
      isOptedOut: true,
      versions: [],
    }
    const deposit = { signed: { statement, signature: new Uint8Array(64) }, parts: [] }
    const body = { kind: 'deposit' as const, body: deposit }
    const { trustee } = world.at('birch').emergencies
    assert.equal(await codeOf(trustee.deposit('cedar', deposit)), 'statement_forged')
    assert.equal(await codeOf(world.at('birch').emergencies.answer('elm', body)), 'sender_differs')
    assert.deepEqual(await versionsAt(world), [6, 6, 6, 6, 6])
  }))

/** As a wallet does it. */
async function depositOf(
  { clock, hospitals }: EmergencyWorld,
  {
    locator,
    account,
    owner = 'owner of a wallet',
  }: { locator: Uint8Array; account: EmergencyPatient; owner?: string },
) {
  const { home } = hospitals.get(HOME)?.emergencies ?? assert.fail()
  const { k, trustees } = home.trustees(locatorIdOf(locator))
  const sealed = sealEmergencySet(SUMMARY, {
    ...account,
    locator,
    trustees,
    k,
    firstVersion: 0,
    count: 2,
    sequence: 1,
    owner: keyPairFromSeed(secretOf(owner)),
    madeAt: clock.wall(),
    home: HOME,
    notified: [],
    random: randomBytes,
  })
  const deposits = sealed.flatMap((each, at) => {
    const trustee = trustees[at]?.organisation
    return trustee === undefined ? [] : [{ trustee, deposit: each }]
  })
  return await home.deposit(account.patientKey, deposits)
}

/** A wallet that opts out. */
function withdrawnSet(home: string) {
  const owner = keyPairFromSeed(secretOf('owner'))
  const locator = secretOf('locator of a wallet').subarray(0, 16)
  return [withdrawEmergencySet({ locator, owner, sequence: 1, home }, true)]
}

test.run()
