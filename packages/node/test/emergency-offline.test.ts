import assert from 'node:assert/strict'
import {
  emergencyAudience,
  emergencyNonce,
  offlineQuestion,
  presentCredential,
} from '@mooring/records'
import { emergencyOf } from '@mooring/ledger'
import { toHex } from '@mooring/codec'
import { test } from 'uvu'
import {
  accountOf,
  codeOf,
  EmergencyWorld,
  HOME,
  HOSPITALS,
  PATIENT,
  type Practitioner,
  randomBytes,
  SUMMARY,
} from './emergency-world.ts'

const NOTHING = 'nothing was refused'

interface Scene {
  world: EmergencyWorld
  ada: Practitioner
  bo: Practitioner
  nurse: Practitioner
}

async function withScene(work: (scene: Scene) => Promise<void>): Promise<void> {
  const world = await EmergencyWorld.start()
  try {
    const { home } = world.at(HOME).emergencies
    await home.depositHosted(PATIENT, { withSensitive: false, isOptedOut: false })
    const ada = await world.practitioner(HOME)
    const bo = await world.practitioner(HOME, { name: 'bo' })
    const nurse = await world.practitioner(HOME, { name: 'cy', btg: false })
    await work({ world, ada, bo, nurse })
  } finally {
    await world.close()
  }
}

function cutOff({ dead }: EmergencyWorld): void {
  for (const id of HOSPITALS) if (id !== HOME) dead.add(id)
}

function ask(
  world: EmergencyWorld,
  who: readonly Practitioner[],
  { patient = PATIENT, reason = 'disaster', id = randomBytes(32) } = {},
) {
  const asked = { requestId: id, organisation: HOME, reason, patient }
  const presentations = who.map(({ credential, keyPair }) =>
    presentCredential(credential, {
      keyPair,
      audience: emergencyAudience(world.digest),
      nonce: emergencyNonce(offlineQuestion(asked)),
      now: world.clock.wall(),
    }),
  )
  const { offline } = world.at(HOME).emergencies
  return offline.open({ requestId: id, patient, reason, presentations })
}

test('what was made of a record that is erased is shown no more, under whichever key', () =>
  withScene(async ({ world, ada, bo }) => {
    cutOff(world)
    await ask(world, [ada, bo])
    const { offline } = world.at(HOME).emergencies
    await offline.forget([accountOf('Patient/8').patientKey])
    await ask(world, [ada, bo])
    await offline.forget([accountOf('Patient/8').patientKey, accountOf(PATIENT).patientKey])
    assert.equal(await codeOf(ask(world, [ada, bo])), 'emergency_set_unknown')
  }))

test('cut off, two practitioners see what their hospital made for its own patient', () =>
  withScene(async ({ world, ada, bo }) => {
    cutOff(world)
    const { summary, number } = await ask(world, [ada, bo])
    assert.deepEqual(summary, SUMMARY)
    assert.equal(number, 1)
    assert.equal((await ask(world, [bo, ada])).number, 2)
    const { offline } = world.at(HOME).emergencies
    assert.deepEqual(await offline.check(), { lines: 2, waiting: 2, isWhole: true })
  }))

test('not with the network there, not alone, not without the right, not for strangers', () =>
  withScene(async ({ world, ada, bo, nurse }) => {
    assert.equal(await codeOf(ask(world, [ada, bo])), 'network_is_there')
    cutOff(world)
    assert.equal(await codeOf(ask(world, [ada])), 'second_practitioner_missing')
    assert.equal(await codeOf(ask(world, [ada, ada])), 'second_practitioner_missing')
    assert.equal(await codeOf(ask(world, [])), 'second_practitioner_missing')
    assert.equal(await codeOf(ask(world, [ada, nurse])), 'credential_without_right')
    assert.equal(await codeOf(ask(world, [ada, bo], { reason: '' })), 'emergency_reason_missing')
    assert.equal(await codeOf(ask(world, [ada, bo], { patient: 'nobody' })), 'unknown_patient')
    const other = ask(world, [ada, bo], { patient: 'Patient/2' })
    assert.equal(await codeOf(other), 'emergency_set_unknown')
    await world.at(HOME).emergencies.issuer.revoke(2)
    assert.equal(await codeOf(ask(world, [ada, bo])), 'credential_revoked')
    const { offline } = world.at(HOME).emergencies
    assert.deepEqual(await offline.check(), { lines: 0, waiting: 0, isWhole: true })
  }))

test('what was opened goes on the chain when the network is back, and the patient is told: late', () =>
  withScene(async ({ world, ada, bo }) => {
    cutOff(world)
    const id = randomBytes(32)
    await ask(world, [ada, bo], { id })
    const { offline, notices, store } = world.at(HOME).emergencies
    assert.equal(await offline.anchor(), 0)
    await world.restart(HOME)
    world.clock.advance(3_600_000)
    world.dead.clear()
    const again = world.at(HOME).emergencies
    assert.equal(await again.offline.anchor(), 1)
    assert.equal(await again.offline.anchor(), 0)
    const state = { get: (key: Uint8Array) => world.state.get(toHex(key)) }
    assert.equal(emergencyOf(state, id)?.openedAt.time, world.clock.wall())
    const [notice] = again.notices.of(accountOf(PATIENT).patientKey)
    assert.equal(notice?.isLate, true)
    assert.equal(notice?.time, world.clock.wall() - 3_600_000)
    assert.ok(store.opened.get(id) !== undefined && notices !== undefined)
    const why = { outcome: 'treated', text: 'the line was cut' }
    assert.equal(await codeOf(again.desk.close(id, why)), NOTHING)
  }))

test('who has opted out is not shown offline either', () =>
  withScene(async ({ world, ada, bo }) => {
    const { home } = world.at(HOME).emergencies
    await home.depositHosted(PATIENT, { withSensitive: false, isOptedOut: true })
    cutOff(world)
    assert.equal(await codeOf(ask(world, [ada, bo])), 'emergency_opted_out')
  }))

test('a line that was taken out of the log is missed', () =>
  withScene(async ({ world, ada, bo }) => {
    cutOff(world)
    for (let count = 0; count < 3; count += 1) await ask(world, [ada, bo])
    const { values, emergencies } = world.at(HOME)
    const second = new Uint8Array([0, 0, 0, 0, 0, 0, 0, 2])
    await values.delete('emergency-offline', second)
    assert.equal((await emergencies.offline.check()).isWhole, false)
  }))

test.run()
