import assert from 'node:assert/strict'
import { toHex } from '@mooring/codec'
import { test } from 'uvu'
import { ApiProblem } from '../src/client.ts'
import { EMERGENCY } from './memory-emergencies.ts'
import { digestOf } from './memory-vault.ts'
import { serving } from './serving.ts'

const refusedAs = (code: string) => (error: unknown) =>
  error instanceof ApiProblem && error.code === code

const QUESTION = {
  requestId: digestOf('request'),
  locatorId: digestOf('locator'),
  reason: 'unconscious',
  readerKey: digestOf('reader'),
  presentation: 'a.b.c~d.e.f',
}

test('a set is opened with what the client asks, and its shares come back as bytes', () =>
  serving(async ({ client, node }) => {
    const opened = await client.openEmergency(QUESTION)
    const [asked] = node.emergencies.questions
    assert.equal(asked && toHex(asked.locatorId), QUESTION.locatorId)
    assert.equal(asked?.presentation, QUESTION.presentation)
    assert.equal(opened.requestId, QUESTION.requestId)
    assert.deepEqual(opened.shares[0], {
      organisation: 'county',
      header: 'AQI',
      ciphertext: 'AQI',
      share: 'AQI',
    })
    assert.deepEqual(opened.refused, [{ organisation: 'lakeview', code: 'unreachable' }])
  }))

test('an emergency without a reason, or one that cannot be read, is refused', () =>
  serving(async ({ client }) => {
    const empty = client.openEmergency({ ...QUESTION, reason: '' })
    await assert.rejects(empty, refusedAs('emergency_reason_missing'))
    for (const wrong of [
      { requestId: 'abc' },
      { locatorId: `${QUESTION.locatorId}00` },
      { presentation: 'x'.repeat(17_000) },
      { reason: 'x'.repeat(33) },
    ]) {
      const asked = client.openEmergency({ ...QUESTION, ...wrong })
      await assert.rejects(asked, refusedAs('invalid_request'))
    }
  }))

test('emergencies are listed, shown and closed, and reviews judged', () =>
  serving(async ({ client }) => {
    const { items, nextCursor } = await client.emergencies({ limit: 1 })
    assert.equal(items[0]?.requestId, EMERGENCY.requestId)
    assert.equal(items[0]?.offline, false)
    assert.ok(nextCursor !== null)
    assert.equal((await client.emergencies({ cursor: nextCursor })).items.length, 1)
    assert.equal((await client.emergency(EMERGENCY.requestId)).status, 'open')
    const unknown = client.emergency(digestOf('none'))
    await assert.rejects(unknown, refusedAs('unknown_emergency'))
    const end = { outcome: 'treated', text: 'why' }
    assert.equal((await client.closeEmergency(EMERGENCY.requestId, end)).outcome, 'treated')
    const { items: reviews } = await client.emergencyReviews()
    assert.equal(reviews[0]?.overdue, true)
    const judged = await client.judgeEmergency(EMERGENCY.requestId, {
      verdict: 'justified',
      note: 'clear',
    })
    assert.equal(judged.verdict, 'justified')
    const strange = client.judgeEmergency(EMERGENCY.requestId, { verdict: 'fine', note: '' })
    await assert.rejects(strange, refusedAs('invalid_request'))
  }))

test('a hospital makes sets and credentials', () =>
  serving(async ({ client, node }) => {
    const made = await client.depositHostedEmergencySet({ patient: 'Patient/1' })
    assert.match(made.card, /^mooring-emergency:1:/)
    assert.equal((await client.hostedEmergencySet('Patient/1')).set?.spare, 1)
    const terms = { key: digestOf('key'), role: 'nurse', name: 'Bo', licence: '1', btg: false }
    const issued = await client.issueCredential({ ...terms, expiresAt: 5 })
    assert.equal(issued.index, 7)
    assert.equal(node.emergencies.credentials[0]?.btg, false)
    assert.deepEqual(await client.revokeCredential(7), { index: 7 })
    const empty = client.issueCredential({ ...terms, role: '', expiresAt: 5 })
    await assert.rejects(empty, refusedAs('invalid_request'))
    const offline = await client.openOfflineEmergency({
      requestId: digestOf('request'),
      patient: '1',
      reason: 'disaster',
      presentations: ['a~b', 'c~d'],
    })
    assert.deepEqual(offline, { summary: '{}', number: 1 })
  }))

test('what is for the patient is not answered without a signature', () =>
  serving(async ({ client, node }) => {
    const unsigned = refusedAs('patient_unsigned')
    await assert.rejects(client.ownEmergencyStatus(), unsigned)
    await assert.rejects(client.ownEmergencySummary(false), unsigned)
    await assert.rejects(client.emergencyTrustees(digestOf('locator')), unsigned)
    await assert.rejects(client.depositEmergencySet(Uint8Array.of(1)), unsigned)
    assert.deepEqual(node.emergencies.deposits, [])
  }))

test.run()
