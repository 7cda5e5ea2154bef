// The figures of a benchmark: what their median is, and whether a target is met. Nothing is timed.

import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'uvu'
import { CATALOGUE } from '../bench/catalogue.ts'
import { type Figure, formatNumber, quantile, summaryOf, verdictOf } from '../bench/figures.ts'
import { tableOf } from '../bench/table.ts'
import { sampleResult } from './sample-result.ts'

const figure = (given: Partial<Figure>): Figure => ({
  name: 'final, p50',
  unit: 'ms',
  at: {},
  values: [],
  target: null,
  ...given,
})

test('the median of an even number of runs lies between the middle ones', () => {
  assert.deepEqual(summaryOf(figure({ values: [4, 1, 2, 9] })), { median: 3, min: 1, max: 9 })
  assert.deepEqual(summaryOf(figure({ values: [5, 3, 4] })), { median: 4, min: 3, max: 5 })
})

test('a target is met by the median, not by the best run', () => {
  const values = [3_900, 3_950, 5_000]
  assert.equal(verdictOf(figure({ values, target: { atLeast: 4_000 } })), 'missed')
  assert.equal(verdictOf(figure({ values, target: { atLeast: 3_950 } })), 'met')
  assert.equal(verdictOf(figure({ values: [25], target: { under: 25 } })), 'missed')
  assert.equal(verdictOf(figure({ values })), null)
})

test('a figure that could not be measured meets nothing', () => {
  assert.equal(verdictOf(figure({ values: [Number.NaN], target: { under: 25 } })), 'missed')
  assert.equal(formatNumber(Number.NaN), '-')
})

test('numbers have three digits that count, and whole ones all of theirs', () => {
  assert.deepEqual([0.012345, 12.345, 4_096.7, 1_234_567].map(formatNumber), [
    '0.0123',
    '12.3',
    '4,097',
    '1,234,567',
  ])
})

test('a quantile is one of the samples', () => {
  const ascending = Array.from({ length: 100 }, (_, index) => index + 1)
  assert.deepEqual(
    [0, 0.5, 0.95, 0.99, 1].map((share) => quantile(ascending, share)),
    [1, 50, 95, 99, 100],
  )
})

test('a table says what was measured, on what, and whether that is enough', () => {
  const result = sampleResult([
    figure({ at: { rate: 100 }, values: [22, 20, 21], target: { under: 25 } }),
  ])
  assert.equal(
    tableOf(result),
    [
      'consensus: real processes',
      '                       median  unit    spread  target',
      'final, p50 (rate 100)      21  ms    20 .. 22  under 25: met',
      'The clients are on the same cores.',
      '3 runs on 2 x a CPU, node v24, abcdef',
    ].join('\n'),
  )
})

test('every benchmark of the list is there', () => {
  for (const { file } of Object.values(CATALOGUE)) {
    assert.ok(existsSync(new URL(`../../${file}`, import.meta.url)), file)
  }
})

test.run()
