// Requests to correct records: whose record, how many at once, and one answer.

import assert from 'node:assert/strict'
import { Refusal } from '@mooring/api'
import { toHex } from '@mooring/codec'
import { AMENDMENT_CHARACTERS_MAX, amendmentSchema, OPEN_AMENDMENTS_MAX } from '@mooring/records'
import { MemoryLevel, openDatabaseOn, PrivateValues } from '@mooring/storage'
import { test } from 'uvu'
import { Amendments } from '../src/amendments.ts'
import { AtRest } from '../src/at-rest.ts'
import { SealedValues } from '../src/sealed-values.ts'
import { TestClock } from './test-clock.ts'

const bytesOf = (byte: number) => new Uint8Array(32).fill(byte)
const RECORD = bytesOf(1)
const NEWER = bytesOf(2)
const FOREIGN = bytesOf(3)
const NOWHERE = bytesOf(4)
const KEY = bytesOf(11)
const OLD_KEY = bytesOf(12)
const OTHER_KEY = bytesOf(13)
const ACCOUNTS = new Map([
  [toHex(RECORD), OLD_KEY],
  [toHex(NEWER), KEY],
  [toHex(FOREIGN), OTHER_KEY],
])
const REFERENCES = new Map([
  [toHex(KEY), 'p-1'],
  [toHex(OLD_KEY), 'p-1'],
  [toHex(OTHER_KEY), 'p-2'],
])

async function open() {
  const clock = new TestClock()
  const values = new PrivateValues(await openDatabaseOn(new MemoryLevel('records'), 'records'))
  let count = 0
  const amendments = new Amendments({
    values: new SealedValues(values, new AtRest(bytesOf(9)), 'amendments', amendmentSchema),
    clock,
    random: (length) => {
      count += 1
      return new Uint8Array(length).fill(count)
    },
    accountOf: (record) => ACCOUNTS.get(toHex(record)),
    referenceOf: (key) => REFERENCES.get(toHex(key)),
  })
  return { amendments, clock }
}

const refusedWith = (code: string) => (error: unknown) =>
  error instanceof Refusal && error.code === code

const accepted = { outcome: 'accepted', reason: 'Corrected.', correction: NEWER } as const

test('a request is of a record of its patient, also one from under an earlier key', async () => {
  const { amendments } = await open()
  const asked = await amendments.request(KEY, RECORD, 'The dose is 5 mg.')
  assert.deepEqual(await amendments.of(OLD_KEY), [asked])
  assert.deepEqual(await amendments.of(OTHER_KEY), [])
  for (const record of [FOREIGN, NOWHERE])
    await assert.rejects(amendments.request(KEY, record, 'mine'), refusedWith('unknown_record'))
  const stranger = bytesOf(99)
  await assert.rejects(amendments.request(stranger, RECORD, 'x'), refusedWith('unknown_record'))
  assert.deepEqual(await amendments.of(stranger), [])
})

test('a request is answered once, with a record of the same patient', async () => {
  const { amendments, clock } = await open()
  const { id } = await amendments.request(KEY, RECORD, 'wrong')
  const unfit = [RECORD, FOREIGN].map((correction) => ({ ...accepted, correction }))
  for (const reply of [...unfit, { ...accepted, outcome: 'refused' as const }])
    await assert.rejects(amendments.answer(id, reply), refusedWith('correction_unfit'))
  const missing = { ...accepted, correction: NOWHERE }
  await assert.rejects(amendments.answer(id, missing), refusedWith('unknown_record'))
  const unknown = new Uint8Array(16)
  await assert.rejects(amendments.answer(unknown, accepted), refusedWith('unknown_amendment'))
  clock.advance(1_000)
  const answered = await amendments.answer(id, accepted)
  assert.deepEqual(answered.answer, { ...accepted, answeredAt: clock.wall() })
  await assert.rejects(amendments.answer(id, accepted), refusedWith('amendment_answered'))
  assert.deepEqual(await amendments.list({ all: false }), [])
  assert.deepEqual(await amendments.list({ all: true }), [answered])
})

test('characters count, not bytes: the longest text is kept in every script', async () => {
  const { amendments } = await open()
  const words = '薬'.repeat(AMENDMENT_CHARACTERS_MAX)
  const { id } = await amendments.request(KEY, RECORD, words)
  await amendments.answer(id, { ...accepted, reason: words })
  const [kept] = await amendments.of(KEY)
  assert.deepEqual([kept?.request, kept?.answer?.reason], [words, words])
})

test('so many wait for an answer and no more, and an answer makes room', async () => {
  const { amendments, clock } = await open()
  for (let count = 0; count < OPEN_AMENDMENTS_MAX; count += 1) {
    await amendments.request(KEY, RECORD, `request ${count}`)
    clock.advance(1)
  }
  const more = () => amendments.request(OLD_KEY, NEWER, 'one more')
  await assert.rejects(more(), refusedWith('too_many_amendments'))
  const open1 = await amendments.list({ all: false })
  assert.deepEqual(open1.map(({ request }) => request).slice(0, 2), ['request 0', 'request 1'])
  const id = open1[0]?.id ?? assert.fail()
  await amendments.answer(id, { outcome: 'refused', reason: 'It is right.', correction: null })
  assert.equal((await more()).request, 'one more')
})

test.run()
