import assert from 'node:assert/strict'
import { sha256 } from '@mooring/crypto'
import * as fc from 'fast-check'
import { test } from 'uvu'
import { type CustodianTimeline, mergeTimelines, type TimelineEntry } from '../src/timeline.ts'

const utf8 = new TextEncoder()
const DAY = 86_400_000
const T0 = Date.parse('2020-01-01T00:00:00Z')
const commit = (custodian: string, sequence: number) =>
  sha256(utf8.encode(`${custodian} ${sequence}`))

function entryOf(
  custodian: string,
  sequence: number,
  changes: Partial<TimelineEntry> = {},
): TimelineEntry {
  return {
    custodian,
    record: commit(custodian, sequence),
    sequence,
    state: 'kept',
    resourceType: 'Observation',
    class: 'general',
    eventAt: '',
    receivedAt: T0,
    supersedes: null,
    isMistake: false,
    block: { height: sequence, time: T0 + sequence },
    ...changes,
  }
}

function partOf(
  custodian: string,
  entries: readonly TimelineEntry[],
  changes: Partial<CustodianTimeline> = {},
): CustodianTimeline {
  return { custodian, count: entries.length, entries, receipts: [], ...changes }
}

const partsOf = (from: readonly TimelineEntry[]) =>
  ['a', 'b', 'c'].map((name) =>
    partOf(
      name,
      from.filter(({ custodian }) => custodian === name),
    ),
  )

const named = (parts: readonly CustodianTimeline[]) =>
  mergeTimelines(parts).lines.map(({ entry }) => `${entry.custodian}/${entry.sequence}`)

test('several hospitals are one list, by event, then by block, then by number', () => {
  const parts = [
    partOf('a', [
      entryOf('a', 1, { eventAt: '2019-05-02T10:00:00+02:00' }),
      entryOf('a', 2, { eventAt: '2019-05' }),
      entryOf('a', 3, { eventAt: '2019-05-02T08:00:00Z', block: { height: 9, time: T0 } }),
      entryOf('a', 4, { eventAt: 'unknown', block: null, receivedAt: T0 + 5 * DAY }),
    ]),
    partOf('b', [
      entryOf('b', 1, { eventAt: '2019-05-02T08:00:00.000Z', block: { height: 2, time: T0 } }),
      entryOf('b', 2, { block: { height: 3, time: T0 + 6 * DAY } }),
      entryOf('b', 3, { block: { height: 3, time: T0 + 6 * DAY } }),
    ]),
  ]
  const order = ['a/2', 'a/1', 'b/1', 'a/3', 'a/4', 'b/2', 'b/3']
  assert.deepEqual(named(parts), order)
  assert.deepEqual(named(parts.toReversed()), order)
  const { lines, gaps, problems } = mergeTimelines(parts)
  assert.deepEqual([gaps, problems], [[], []])
  assert.deepEqual(
    lines.map(({ isEventTime }) => isEventTime),
    [true, true, true, true, false, false, false],
  )
})

test('the order does not depend on the order in which parts and entries come', () => {
  const times = ['', '2019', '2020-01-01', '2020-01-01T00:00:00Z', '2020-01-01T00:00:00.5Z']
  const any = fc.array(
    fc.record({
      custodian: fc.constantFrom('a', 'b', 'c'),
      eventAt: fc.constantFrom(...times),
      height: fc.nat(3),
    }),
    { maxLength: 12 },
  )
  fc.assert(
    fc.property(any, fc.nat(1_000), (made, shift) => {
      const entries = made.map(({ custodian, eventAt, height }, at) =>
        entryOf(custodian, at + 1, { eventAt, block: { height, time: T0 + height } }),
      )
      const turned = [...entries.slice(shift % 13), ...entries.slice(0, shift % 13)]
      assert.deepEqual(named(partsOf(turned)), named(partsOf(entries)))
    }),
  )
})

test('a correction stands beside what it corrects, and the newest version is the current one', () => {
  const part = partOf('a', [
    entryOf('a', 1),
    entryOf('a', 2, { supersedes: commit('a', 1) }),
    entryOf('a', 3, { supersedes: commit('a', 2), isMistake: true }),
    entryOf('a', 4, { supersedes: commit('elsewhere', 1) }),
  ])
  const { lines, problems } = mergeTimelines([part, partOf('b', [entryOf('b', 1)])])
  const at = (sequence: number) =>
    lines.find(({ entry }) => entry.custodian === 'a' && entry.sequence === sequence)
  assert.equal(at(1)?.correctedBy?.sequence, 2)
  assert.equal(at(2)?.correctedBy?.sequence, 3)
  assert.equal(at(2)?.corrects?.sequence, 1)
  assert.equal(at(3)?.correctedBy, null)
  assert.equal(at(4)?.corrects, null)
  assert.deepEqual(problems, [])
})

test('numbers without an entry are gaps, also behind the last and of what a grant hides', () => {
  const whole = partOf('a', [entryOf('a', 2), entryOf('a', 5)], { count: 9 })
  assert.deepEqual(mergeTimelines([whole]).gaps, [
    { custodian: 'a', from: 1, to: 1 },
    { custodian: 'a', from: 3, to: 4 },
    { custodian: 'a', from: 6, to: 9 },
  ])
  const shown = { ...whole, count: null }
  assert.deepEqual(mergeTimelines([shown]).gaps.at(-1), { custodian: 'a', from: 3, to: 4 })
  assert.deepEqual(mergeTimelines([partOf('a', [], { count: 2 })]).gaps, [
    { custodian: 'a', from: 1, to: 2 },
  ])
})

test('what cannot be is said, and nothing of it is left out', () => {
  const fork = { supersedes: commit('a', 1) }
  const parts = [
    partOf(
      'a',
      [
        entryOf('a', 1),
        entryOf('a', 2, fork),
        entryOf('a', 3, fork),
        { ...entryOf('a', 4), sequence: 3 },
        entryOf('a', 7),
        entryOf('a', 5, { eventAt: '2031-01-01' }),
      ],
      { count: 6, receipts: [commit('a', 1), commit('a', 99)] },
    ),
  ]
  const { lines, problems } = mergeTimelines(parts)
  assert.equal(lines.length, 6)
  assert.deepEqual(
    problems.map(({ code, record }) => [code, record]),
    [
      ['number_twice', commit('a', 4)],
      ['beyond_count', commit('a', 7)],
      ['event_in_future', commit('a', 5)],
      ['receipt_missing', commit('a', 99)],
      ['corrected_twice', commit('a', 3)],
    ],
  )
})

test.run()
