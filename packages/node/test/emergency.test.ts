import assert from 'node:assert/strict'
import { equalBytes } from '@mooring/codec'
import { EMERGENCIES_PER_HOUR } from '@mooring/ledger'
import { type EmergencyAnswer, openEmergencySet, setHandleOf } from '@mooring/records'
import { test } from 'uvu'
import { reviewerOf } from '../src/emergency-terms.ts'
import {
  accountOf,
  codeOf,
  end,
  HOME,
  HOSPITALS,
  HOUR,
  OPENER,
  PATIENT,
  type Practitioner,
  secretOf,
  seen,
  settled,
  someEntry,
  SUMMARY,
  versionsAt,
  withScene,
} from './emergency-world.ts'

const LOOK_MS = 31_000

test('one trustee dead, then three: two of five open the set, one does not', () =>
  withScene(async (scene) => {
    const { world, locator, ada } = scene
    for (const dead of [[], ['birch'], ['birch', 'cedar', 'dogwood']]) {
      world.dead.clear()
      for (const id of dead) world.dead.add(id)
      const { opened, shares } = await seen(scene)
      assert.ok(opened.ok)
      assert.deepEqual(opened.content, SUMMARY)
      assert.ok(shares.every(({ organisation }) => !dead.includes(organisation)))
    }
    world.dead.add(HOME)
    const request = world.request(OPENER, ada, locator)
    assert.equal(await codeOf(world.open(OPENER, request)), 'trustees_unreachable')
  }))

test('without a right, a reason, a fresh showing, or the own hospital nothing goes on the chain', () =>
  withScene(async ({ world, locator, ada }) => {
    const nurse = await world.practitioner(OPENER, { btg: false, name: 'bo' })
    const eve = await world.practitioner('birch', { name: 'eve' })
    const gone = await world.practitioner(OPENER, { name: 'gone' })
    await world.at(OPENER).emergencies.issuer.revoke(3)
    const late = world.request(OPENER, ada, locator)
    const request = (who: Practitioner, changes = {}) =>
      world.open(OPENER, world.request(OPENER, who, locator, changes))
    const before = [...world.state.keys()].length
    assert.equal(await codeOf(request(nurse)), 'credential_without_right')
    assert.equal(await codeOf(request(eve)), 'credential_of_another')
    assert.equal(await codeOf(request(gone)), 'credential_revoked')
    assert.equal(await codeOf(request(ada, { reason: '' })), 'emergency_reason_missing')
    assert.equal(await codeOf(request(ada, { reason: 'curious' })), 'emergency_reason_missing')
    const unknown = world.open(OPENER, world.request(OPENER, ada, new Uint8Array(16)))
    assert.equal(await codeOf(unknown), 'emergency_set_unknown')
    world.clock.advance(11 * 60_000)
    assert.equal(await codeOf(world.open(OPENER, late)), 'binding_too_old')
    assert.equal([...world.state.keys()].length, before)
  }))

test('a trustee believes the chain and not the hospital that asks', () =>
  withScene(async ({ world, locator, ada }) => {
    const trustee = world.at('birch').emergencies
    const ask = (sender: string, request = world.request(OPENER, ada, locator)) =>
      trustee.answer(sender, { kind: 'open', body: { request, entry: someEntry() } })
    assert.equal(await codeOf(ask(OPENER)), 'emergency_not_final')
    assert.equal(await codeOf(ask('cedar')), 'sender_differs')
    const request = world.request(OPENER, ada, locator)
    await world.open(OPENER, request)
    const again = world.request(OPENER, ada, locator, { requestId: request.requestId })
    assert.ok(!equalBytes(again.readerKey, new Uint8Array(32)))
    const other = { ...request, readerKey: new Uint8Array(32).fill(9) }
    assert.equal(await codeOf(ask(OPENER, other)), 'binding_differs')
    const reason = { ...request, reason: 'disaster' }
    assert.equal(await codeOf(ask(OPENER, reason)), 'emergency_reason_differs')
    const shown = { ...request, presentation: ada.credential }
    assert.equal(await codeOf(ask(OPENER, shown)), 'credential_differs')
    assert.equal((await ask(OPENER, request)).kind, 'share')
  }))

test('the trace is in the logs of all who gave a share, and refusals are in them too', () =>
  withScene(async (scene) => {
    const { world, locator, ada } = scene
    const { request, shares } = await seen(scene)
    const given = world.traces.filter(({ role, code }) => role === 'holder' && code === null)
    for (const { organisation } of shares) assert.ok(given.some(({ at }) => at === organisation))
    assert.ok(
      given.every(({ entry }) => equalBytes(entry.nonce, given[0]?.entry.nonce ?? entry.nonce)),
    )
    assert.ok(world.traces.some(({ role, at }) => role === 'reader' && at === OPENER))
    const early = world.request(OPENER, ada, locator)
    const asked = { kind: 'open' as const, body: { request: early, entry: someEntry() } }
    const { emergencies } = world.at('birch')
    assert.equal(await codeOf(emergencies.answer(OPENER, asked)), 'emergency_not_final')
    assert.deepEqual(world.traces.at(-1)?.code, 'emergency_not_final')
    const strange = { kind: 'open' as const, body: { request, entry: someEntry('cedar') } }
    assert.equal(await codeOf(emergencies.answer(OPENER, strange)), 'entry_differs')
  }))

test('it ends by itself after four hours: ciphertext and share leave the disk, the next is there', () =>
  withScene(async (scene) => {
    const { world } = scene
    const { request, opened: first, shares: old } = await seen(scene)
    assert.ok(first.ok && first.header.version === 0)
    world.clock.advance(4 * HOUR - LOOK_MS)
    await end(world)
    assert.deepEqual(await versionsAt(world), [6, 6, 6, 6, 6])
    world.clock.advance(LOOK_MS)
    await end(world)
    assert.deepEqual(await versionsAt(world), [5, 5, 5, 5, 5])
    const asked = { kind: 'open' as const, body: { request, entry: someEntry() } }
    const late = world.at('birch').emergencies.answer(OPENER, asked)
    assert.equal(await codeOf(late), 'emergency_set_differs')
    const { opened: next, shares } = await seen(scene)
    assert.ok(next.ok && next.header.version === 1)
    // An old share and a new one: the old one is told apart, and alone the new one opens nothing.
    const mixed = [...old.slice(0, 1), ...shares.slice(0, 1)]
    const both = { locator: scene.locator, requestId: request.requestId }
    const result = openEmergencySet(mixed, { ...both, readerSecret: secretOf('reader') })
    assert.equal(result.ok, false)
  }))

test('a trustee that was away sees from the chain what has ended, and so does one that restarts', () =>
  withScene(async (scene) => {
    const { world } = scene
    world.dead.add('birch')
    await seen(scene)
    world.clock.advance(4 * HOUR)
    world.dead.delete('birch')
    await world.restart('birch')
    await world.at('birch').emergencies.trustee.endWhatIsOver()
    const counts = await versionsAt(world)
    assert.equal(counts[HOSPITALS.indexOf('birch')], 5)
  }))

test('who opens in front of another and closes at once takes the version from nobody', () =>
  withScene(async (scene) => {
    const { world, locator } = scene
    const setHandle = setHandleOf(locator, 0)
    const requestId = secretOf('in front')
    const organisation = 'birch'
    const relay = world.relayOf(organisation)
    const opening = { organisation, requestId, setHandle, credentialCommit: secretOf('nothing') }
    await relay.submit({ kind: 'emergency.open', body: { ...opening, reason: 'disaster' } })
    const outcome = { organisation, requestId, outcome: 'not-needed' as const }
    await relay.submit({ kind: 'emergency.close', body: { ...outcome, reasonCommit: requestId } })
    await end(world)
    assert.deepEqual(await versionsAt(world), [6, 6, 6, 6, 6])
    const { opened } = await seen(scene)
    assert.ok(opened.ok && opened.header.version === 0)
  }))

test('a version lasts until all who were given shares have said why', () =>
  withScene(async (scene) => {
    const { world } = scene
    const { request: first } = await seen(scene)
    const { request: second } = await seen(scene)
    const { desk } = world.at(OPENER).emergencies
    await desk.close(first.requestId, { outcome: 'transferred', text: 'to the next' })
    await end(world)
    assert.deepEqual(await versionsAt(world), [6, 6, 6, 6, 6])
    await desk.close(second.requestId, { outcome: 'treated', text: 'here' })
    await end(world)
    assert.deepEqual(await versionsAt(world), [5, 5, 5, 5, 5])
  }))

test('a clock that is set back opens nothing that the chain says is over', () =>
  withScene(async (scene) => {
    const { world, locator, ada } = scene
    const { request } = await seen(scene)
    const reason = { outcome: 'treated', text: 'found unconscious' }
    await world.at(OPENER).emergencies.desk.close(request.requestId, reason)
    // Whatever its clock says: the reason is on the chain, and with it the end.
    const asked = { kind: 'open' as const, body: { request, entry: someEntry() } }
    const after = world.at('cedar').emergencies.answer(OPENER, asked)
    assert.equal(await codeOf(after), 'emergency_set_differs')
    assert.equal(await codeOf(world.open(OPENER, request)), 'emergency_ended')
    assert.equal(await codeOf(world.open(OPENER, world.request(OPENER, ada, locator))), NOTHING)
  }))

test('over the rate limit neither the chain nor a trustee goes along', () =>
  withScene(async ({ world, locator, ada }) => {
    for (let count = 0; count < EMERGENCIES_PER_HOUR; count += 1) {
      await world.open(OPENER, world.request(OPENER, ada, locator))
    }
    const request = world.request(OPENER, ada, locator)
    assert.equal(await codeOf(world.open(OPENER, request)), 'emergency_rate')
    const trustee = world.at('birch').emergencies
    const given = trustee.store.held
    const [only] = await given.list(null, 1)
    assert.equal(only?.value.given.length, EMERGENCIES_PER_HOUR)
    const own = world.at('cedar')
    const other = await world.practitioner('cedar')
    assert.equal(await codeOf(world.open(own.id, world.request(own.id, other, locator))), NOTHING)
  }))

test('a trustee that lies is named and stops nothing', () =>
  withScene(async (scene) => {
    const { world } = scene
    world.onAnswer = (from, answer) => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what its peer has answered
      const given = answer as EmergencyAnswer
      if (from !== 'birch' || given.kind !== 'share') return answer
      return { ...given, body: { ...given.body, share: given.body.share.map((byte) => byte ^ 1) } }
    }
    world.dead.add('cedar')
    world.dead.add('dogwood')
    const { opened } = await seen(scene)
    assert.ok(opened.ok)
    assert.deepEqual([opened.content, opened.liars], [SUMMARY, ['birch']])
  }))

test('patient and guardian are told from the chain, with the reason and the verdict', () =>
  withScene(async (scene) => {
    const { world } = scene
    const { request } = await seen(scene)
    await settled()
    const { notices } = world.at(HOME).emergencies
    const { patientKey } = accountOf(PATIENT)
    const [told] = notices.of(patientKey)
    assert.deepEqual(
      [told?.organisation, told?.reason, told?.as],
      [OPENER, 'unconscious', 'patient'],
    )
    const { desk } = world.at(OPENER).emergencies
    const { requestId } = request
    const empty = desk.close(requestId, { outcome: 'treated', text: ' ' })
    assert.equal(await codeOf(empty), 'written_reason_missing')
    const strange = desk.close(requestId, { outcome: 'bored', text: 'x' })
    assert.equal(await codeOf(strange), 'emergency_outcome_unknown')
    await desk.close(requestId, { outcome: 'treated', text: 'in the street' })
    const again = desk.close(requestId, { outcome: 'treated', text: 'in the street' })
    assert.equal(await codeOf(again), 'emergency_closed')
    assert.equal(notices.of(patientKey)[0]?.written, 'in the street')
    const reviewer = desk.reviewerOf(requestId) ?? assert.fail()
    assert.notEqual(reviewer, OPENER)
    const { reviews } = world.at(reviewer).emergencies
    assert.equal((await reviews.list(null, 10))[0]?.written, 'in the street')
    await reviews.judge(requestId, { verdict: 'justified', note: 'clear' })
    assert.equal(notices.of(patientKey)[0]?.verdict?.verdict, 'justified')
    const [other] = HOSPITALS.filter((id) => id !== reviewer)
    const body = { requestId, verdict: 'unjustified' as const, note: '' }
    const forged = world.at(HOME).emergencies.answer(other ?? '', { kind: 'review', body })
    assert.equal(await codeOf(forged), 'not_the_reviewer')
  }))

test('words that did not reach the chain stay the same, are late until they do, and get there', () =>
  withScene(async (scene) => {
    const { world } = scene
    const { request } = await seen(scene)
    const { requestId } = request
    const { emergencies } = world.at(OPENER)
    const { desk, store } = emergencies
    const reason = { outcome: 'treated', text: 'in the street' }
    // As when the process dies between the words and the block.
    world.dead.add('chain')
    void desk.close(requestId, reason)
    await settled()
    world.dead.delete('chain')
    const kept = store.opened.get(requestId) ?? assert.fail()
    assert.equal(desk.isClosed(kept), false)
    const other = desk.close(requestId, { ...reason, text: 'something else' })
    assert.equal(await codeOf(other), 'emergency_reason_kept')
    await emergencies.care()
    const told = store.opened.get(requestId) ?? assert.fail()
    assert.deepEqual([told.closed?.salt, desk.isClosed(told)], [kept.closed?.salt, true])
    const { patientKey } = accountOf(PATIENT)
    assert.equal(world.at(HOME).emergencies.notices.of(patientKey)[0]?.written, 'in the street')
  }))

test('the reviewer does not follow from the id that the opener has chosen', () => {
  const members = HOSPITALS.map((id) => ({ id, legalGroup: `group-${id}` }))
  const requestId = secretOf('a request')
  const reviewers = Array.from({ length: 64 }, (_, time) => {
    const opening = { organisation: OPENER, openedAt: { height: 7, time } }
    return reviewerOf(requestId, opening, members)
  })
  assert.deepEqual(new Set(reviewers), new Set(['alder', 'birch', 'cedar', 'dogwood']))
})

test('a reason that the chain has not is not taken, and one that is late shows', () =>
  withScene(async (scene) => {
    const { world } = scene
    const { request } = await seen(scene)
    const { requestId } = request
    const { desk, store } = world.at(OPENER).emergencies
    const opened = store.opened.get(requestId) ?? assert.fail()
    const reason = { requestId, salt: new Uint8Array(16), text: 'something else' }
    const body = { reason, setHandle: opened.setHandle, home: HOME }
    const told = world.at(HOME).emergencies.answer(OPENER, { kind: 'reason', body })
    assert.equal(await codeOf(told), 'reason_differs')
    const thief = world.at(HOME).emergencies.answer('cedar', { kind: 'reason', body })
    assert.equal(await codeOf(thief), 'not_the_opener')
    assert.equal(desk.isOverdue(opened), false)
    world.clock.advance(72 * HOUR + 1_000)
    assert.equal(desk.isOverdue(opened), true)
    const { emergencies } = world.at(OPENER)
    assert.equal(emergencies.finding(), null)
    await emergencies.care()
    assert.equal(emergencies.finding()?.code, 'emergency_reason_overdue')
    const late = desk.close(requestId, { outcome: 'treated', text: 'late' })
    assert.equal(await codeOf(late), 'emergency_overdue')
  }))

const NOTHING = 'nothing was refused'

test.run()
