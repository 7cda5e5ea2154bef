/** Erasing, holding and amending over the wire: what the operator asks, and what the patient signs. */

import assert from 'node:assert/strict'
import { test } from 'uvu'
import { createClient } from '../src/client.ts'
import { AMENDMENT, ERASED } from './memory-erasing.ts'
import { digestOf } from './memory-vault.ts'
import { problemOf, refusal, serving } from './serving.ts'

const RECORD = digestOf('record')
const KEY = digestOf('patient')

test('an operator erases, holds and releases, and sees who has signed', () =>
  serving(async ({ client }) => {
    const erased = await client.eraseRecord(RECORD, 'court_order')
    assert.deepEqual([erased.record, erased.reason], [RECORD, 'court_order'])
    assert.deepEqual(await client.erasure(RECORD), erased)
    assert.equal((await client.withdrawErasure(RECORD)).status, 'lifting')
    assert.equal((await problemOf(client.erasure(digestOf('other')))).code, 'unknown_erasure')
    const first = await client.erasures({ limit: 1 })
    assert.deepEqual(first.items, [ERASED])
    const cursor = first.nextCursor ?? assert.fail('no second page')
    assert.deepEqual(await client.erasures({ limit: 1, cursor }), { items: [], nextCursor: null })
    assert.equal((await client.holdRecord(RECORD, 'inquiry 7')).reason, 'inquiry 7')
    assert.deepEqual(await client.releaseRecord(RECORD), { record: RECORD, erasure: null })
  }))

test('a patient asks with a signature, and is refused with a code', () =>
  serving(async ({ api, client }) => {
    const patient = createClient(api.url, { authorize: () => `Mooring-Patient ${KEY}` })
    const refused = await problemOf(patient.requestErasure(RECORD))
    assert.equal(refused.code, 'retention_applies')
    assert.deepEqual((await patient.ownErasures()).items, [ERASED])
    assert.equal((await patient.liftRestriction(RECORD)).status, 'lifting')
    for (const ask of [
      () => client.requestErasure(RECORD),
      () => client.ownErasures(),
      () => client.liftRestriction(RECORD),
      () => client.requestAmendment(RECORD, 'wrong'),
      () => client.ownAmendments(),
    ])
      assert.equal((await problemOf(ask())).code, 'patient_unsigned')
  }))

test('an amendment is asked for, listed and answered', () =>
  serving(async ({ api, client }) => {
    const patient = createClient(api.url, { authorize: () => `Mooring-Patient ${KEY}` })
    const asked = await patient.requestAmendment(RECORD, 'The dose is 5 mg.')
    assert.deepEqual([asked.record, asked.request], [RECORD, 'The dose is 5 mg.'])
    assert.deepEqual((await client.amendments()).items, [asked])
    const answer = { outcome: 'accepted' as const, reason: 'Corrected.', correction: RECORD }
    const answered = await client.answerAmendment(asked.id, answer)
    assert.equal(answered.answer?.correction, RECORD)
    assert.deepEqual((await client.amendments()).items, [])
    assert.deepEqual((await client.amendments({ all: true })).items, [answered])
    assert.deepEqual((await patient.ownAmendments()).items, [answered])
  }))

test('what is empty, too long or of another form never reaches a handler', () =>
  serving(async ({ api, client, node }) => {
    const signed = createClient(api.url, { authorize: () => `Mooring-Patient ${KEY}` })
    const bad: (() => Promise<unknown>)[] = [
      () => client.holdRecord(RECORD, ' '),
      () => client.holdRecord(RECORD, 'x'.repeat(5_000)),
      () => signed.requestAmendment(RECORD, ''),
      () => signed.requestAmendment('xyz', 'wrong'),
      () => signed.requestErasure('abc'),
      () => client.answerAmendment('ab', { outcome: 'refused', reason: 'no' }),
    ]
    for (const ask of bad) assert.equal((await problemOf(ask())).code, 'invalid_request')
    const reason = JSON.stringify({ reason: 'because' })
    const headers = { 'content-type': 'application/json' }
    const call = { method: 'POST', headers, body: reason }
    const answer = await fetch(`${api.url}/v1/records/${RECORD}/erasure`, call)
    assert.equal((await refusal(answer, 400)).code, 'invalid_request')
    assert.deepEqual(node.erasing.amendment, AMENDMENT)
  }))

test.run()
