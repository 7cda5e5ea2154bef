import assert from 'node:assert/strict'
import { parseJson } from '@mooring/codec'
import { test } from 'uvu'
import { eventStart, eventTimeOf, isEnteredInError } from '../src/event-time.ts'

const coded = (code: string) => ({ verificationStatus: { coding: [{ code }] } })
const nodeOf = (value: unknown) => parseJson(new TextEncoder().encode(JSON.stringify(value)))

test('a time of any precision stands for the moment at which it begins', () => {
  const cases: [text: string, start: string | undefined][] = [
    ['2019', '2019-01-01T00:00:00.000Z'],
    ['2019-07', '2019-07-01T00:00:00.000Z'],
    ['2020-02-29', '2020-02-29T00:00:00.000Z'],
    ['2020-02-29T23:30:00+02:00', '2020-02-29T21:30:00.000Z'],
    ['2020-02-29T23:30Z', '2020-02-29T23:30:00.000Z'],
    ['2016-12-31T23:59:60Z', '2016-12-31T23:59:59.000Z'],
    ['2020-02-29T23:30:00', '2020-02-29T23:30:00.000Z'],
    ['2019-02-29', undefined],
    ['2019-02-31T10:00:00Z', undefined],
    ['2019-13', undefined],
    ['2019-1-1', undefined],
    ['yesterday', undefined],
    ['', undefined],
    [`2019-01-01T00:00:00.${'1'.repeat(30)}Z`, undefined],
  ]
  for (const [text, start] of cases) {
    const found = eventStart(text)
    assert.equal(found === undefined ? undefined : new Date(found).toISOString(), start, text)
  }
})

test('the element that says most about the event counts, and one that is no time does not', () => {
  const cases: [resource: object, time: string][] = [
    [{ effectiveDateTime: '2019-05-01', issued: '2019-05-03T08:00:00Z' }, '2019-05-01'],
    [{ effectiveDateTime: 'in May', issued: '2019-05-03T08:00:00Z' }, '2019-05-03T08:00:00Z'],
    [{ period: { start: '2019-05-01T08:00:00Z', end: '2019-05-02' } }, '2019-05-01T08:00:00Z'],
    [{ authoredOn: 7, period: [] }, ''],
    [{}, ''],
  ]
  for (const [resource, time] of cases) assert.equal(eventTimeOf(nodeOf(resource)), time)
})

test('a mistake is what says so in its status, or in the status of its verification', () => {
  assert.equal(isEnteredInError(nodeOf({ status: 'entered-in-error' })), true)
  assert.equal(isEnteredInError(nodeOf(coded('entered-in-error'))), true)
  assert.equal(isEnteredInError(nodeOf(coded('confirmed'))), false)
  assert.equal(isEnteredInError(nodeOf({ status: 'final', verificationStatus: 3 })), false)
})

test.run()
