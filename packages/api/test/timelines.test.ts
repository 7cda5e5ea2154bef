/** Timelines, traces and questions over the wire, and what never reaches a handler. */

import assert from 'node:assert/strict'
import { test } from 'uvu'
import { ApiProblem, type Client, createClient } from '../src/client.ts'
import { QUESTION_CHARACTERS_MAX } from '../src/timeline-routes.ts'
import { RECORDS, TRACE } from './memory-timelines.ts'
import { digestOf } from './memory-vault.ts'
import { serving } from './serving.ts'

const KEY = digestOf('patient')
const refusedAs = (code: string) => (error: unknown) =>
  error instanceof ApiProblem && error.code === code

const signed = (endpoint: string): Client =>
  createClient(endpoint, { authorize: () => `Mooring-Patient ${KEY}` })

test('a patient pages through a timeline, and its head comes first', () =>
  serving(async ({ api: { url: endpoint } }) => {
    const client = signed(endpoint)
    const first = await client.ownTimeline({ limit: 2 })
    assert.deepEqual(first.items, RECORDS.slice(0, 2))
    assert.equal(first.head, KEY)
    const cursor = first.nextCursor ?? assert.fail('there is more')
    const rest = await client.ownTimeline({ limit: 2, cursor })
    assert.deepEqual([rest.items, rest.head, rest.nextCursor], [RECORDS.slice(2), null, null])
    const changed = `${cursor.slice(0, -2)}AA`
    await assert.rejects(client.ownTimeline({ cursor: changed }), refusedAs('invalid_cursor'))
  }))

test('nothing of a patient is told without a signature', () =>
  serving(async ({ client, node }) => {
    const { id } = RECORDS[0] ?? assert.fail()
    const calls: (() => Promise<unknown>)[] = [
      () => client.ownTimeline(),
      () => client.ownTraces(),
      () => client.ownQuestions(),
      () => client.askQuestion({ access: digestOf('a'), question: 'why' }),
      () => client.openOwnRecord(id),
    ]
    for (const call of calls) await assert.rejects(call, refusedAs('patient_unsigned'))
    assert.deepEqual(node.memoryTimelines.asked, [])
  }))

test('a patient reads a record of their own, and none of others', () =>
  serving(async ({ api: { url: endpoint } }) => {
    const client = signed(endpoint)
    const { id } = RECORDS[0] ?? assert.fail()
    const record = await client.openOwnRecord(id)
    assert.deepEqual([record.size, record.anchored.height], [7, 3])
    let text = ''
    for await (const piece of record.body) text += new TextDecoder().decode(piece)
    assert.equal(text, '{"a":1}')
    await assert.rejects(client.openOwnRecord(digestOf('other')), refusedAs('unknown_record'))
  }))

test('traces say who did not answer', () =>
  serving(async ({ api: { url: endpoint } }) => {
    const client = signed(endpoint)
    const page = await client.ownTraces()
    assert.deepEqual([page.items, page.silent], [[TRACE], ['hillside']])
    const cursor = page.nextCursor ?? assert.fail('there is more')
    assert.deepEqual((await client.ownTraces({ cursor })).items, [])
  }))

test('a question is asked, listed, answered, and has its bounds', () =>
  serving(async ({ api: { url: endpoint }, client, node }) => {
    const patient = signed(endpoint)
    const access = digestOf('leaf')
    const asked = await patient.askQuestion({ access, question: 'Why at night?' })
    assert.equal((await client.questions({ open: true })).items.length, 1)
    const { answer } = await client.answerQuestion(asked.id, 'An emergency.')
    assert.equal(answer, 'An emergency.')
    assert.deepEqual((await client.questions({ open: true })).items, [])
    assert.equal((await patient.ownQuestions()).items[0]?.answer, 'An emergency.')
    for (const question of ['', 'x'.repeat(QUESTION_CHARACTERS_MAX + 1)])
      await assert.rejects(patient.askQuestion({ access, question }), refusedAs('invalid_request'))
    const odd = patient.askQuestion({ access: 'zz', question: 'why' })
    await assert.rejects(odd, refusedAs('invalid_request'))
    await assert.rejects(client.answerQuestion('ff'.repeat(16), 'x'), refusedAs('unknown_question'))
    assert.equal(node.memoryTimelines.asked.length, 1)
  }))

test('a recipient pages through what a grant opens, and a hospital accounts for what it gave', () =>
  serving(async ({ client, node }) => {
    const grant = JSON.stringify({ version: 2, jws: 'a.b.c', delegations: [] })
    const under = { grant, purpose: 'TREAT' }
    const first = await client.grantedTimeline(under, { limit: 1 })
    assert.equal(first.items.length, 1)
    const cursor = first.nextCursor ?? assert.fail('there is more')
    assert.equal((await client.grantedTimeline(under, { cursor })).items.length, 2)
    assert.deepEqual(node.memoryTimelines.grants, [grant, grant])
    const other = client.grantedTimeline({ ...under, purpose: 'HPAYMT' }, { cursor })
    await assert.rejects(other, refusedAs('invalid_cursor'))
    const { patient, items } = await client.accounting('Patient/7')
    assert.deepEqual([patient, items[0]?.recipient], ['Patient/7', 'riverside'])
  }))

test.run()
