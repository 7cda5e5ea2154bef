import assert from 'node:assert/strict'
import { test } from 'uvu'
import { fit, lowerEdge, type Sample, slopeOf } from '../slopes.ts'

const MINUTE_MS = 60_000

const saw = (minute: number) => (minute % 5) * 20

function samples(count: number, value: (minute: number) => number): Sample[] {
  return Array.from({ length: count }, (_, index) => ({
    atMs: index * MINUTE_MS,
    value: value(index),
  }))
}

test('a line is found as it is, and a constant has no slope', () => {
  const { perHour, errorPerHour, first, last } = fit(samples(60, (minute) => 100 + 2 * minute))
  assert.ok(Math.abs(perHour - 120) < 1e-6)
  assert.ok(errorPerHour < 1e-6)
  assert.deepEqual([Math.round(first), Math.round(last)], [100, 218])
  assert.equal(fit(samples(60, () => 7)).perHour, 0)
})

test('acceptance 17: a saw over a level floor is level, and one over a rising floor rises', () => {
  const level = slopeOf(samples(240, (minute) => 100 + saw(minute)))
  assert.ok(level !== null && Math.abs(level.perHour) <= level.errorPerHour + 5)
  const rising = slopeOf(samples(240, (minute) => 100 + saw(minute) + minute))
  assert.ok(rising !== null && Math.abs(rising.perHour - 60) < 10)
})

test('what is filled at the beginning is no growth', () => {
  const filling = slopeOf(samples(240, (minute) => Math.min(minute * 10, 400)))
  assert.ok(filling !== null && Math.abs(filling.perHour) < 1e-6)
})

test('noise is told apart from growth by its error', () => {
  const noise = samples(200, (minute) => 100 + ((minute * 7_919) % 31))
  const { perHour, errorPerHour } = fit(noise)
  assert.ok(Math.abs(perHour) <= errorPerHour)
})

test('too few samples say nothing', () => {
  assert.equal(slopeOf([]), null)
  assert.equal(slopeOf(samples(2, () => 1)), null)
  assert.deepEqual(lowerEdge([]), [])
})

test.run()
