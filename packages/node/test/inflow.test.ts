import assert from 'node:assert/strict'
import { test } from 'uvu'
import { Inflow } from '../src/inflow.ts'

test('as many may wait as became final in two seconds, and never fewer than some blocks hold', () => {
  const inflow = new Inflow()
  assert.equal(inflow.waitingMax(0), 8_000)
  for (let at = 0; at < 4_000; at += 500) inflow.note(4_000, at)
  assert.equal(inflow.waitingMax(3_900), 16_000)
  assert.equal(inflow.waitingMax(5_900), 8_000)
  assert.equal(inflow.waitingMax(60_000), 8_000)
})

test.run()
