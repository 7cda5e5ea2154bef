import assert from 'node:assert/strict'
import type { Change } from '@mooring/ledger'
import { test } from 'uvu'
import { faultyOf, isBearable } from './bearing.ts'
import { nameOf } from './keys.ts'
import { calmWholePlan } from './plan.ts'

const set = (...indexes: number[]): string[] => indexes.map(nameOf)
const FAULTY = faultyOf({
  ...calmWholePlan(7),
  actors: new Map([[1, 'lying syncer']]),
  misled: 6,
})

function role(index: number, to: 'authority' | 'observer'): Change {
  return { kind: 'role', body: { organisation: nameOf(index), role: to } }
}

function removal(index: number): Change {
  return { kind: 'remove', body: { organisation: nameOf(index), evidence: [] } }
}

test('a set bears fewer than a third, and no set is smaller than four', () => {
  assert.ok(isBearable(set(0, 1, 2, 3, 4, 5, 6), FAULTY))
  assert.ok(!isBearable(set(0, 1, 2, 3, 4, 6), FAULTY))
  assert.ok(isBearable(set(0, 1, 2, 3), FAULTY))
  assert.ok(!isBearable(set(0, 2, 3), FAULTY))
})

test('changes that are bearable each may be too much together', () => {
  const present = set(0, 2, 3, 4, 5, 6)
  assert.ok(isBearable(present, FAULTY, [removal(5)]))
  assert.ok(isBearable(present, FAULTY, [role(1, 'authority')]))
  assert.ok(!isBearable(present, FAULTY, [removal(5), role(1, 'authority')]))
  assert.ok(!isBearable(present, FAULTY, [role(1, 'authority'), role(5, 'observer')]))
})

test('nothing is made bearable by a change that may not pass', () => {
  const present = set(0, 2, 3, 4, 6)
  assert.ok(!isBearable(present, FAULTY, [role(1, 'authority'), removal(6)]))
  assert.ok(!isBearable(present, FAULTY, [role(1, 'authority'), role(5, 'authority')]))
  assert.ok(!isBearable(set(0, 2, 3, 6), FAULTY, [removal(6)]))
})

test.run()
