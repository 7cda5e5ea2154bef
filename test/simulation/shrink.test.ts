import assert from 'node:assert/strict'
import { test } from 'uvu'
import { type Plan, planOf } from './plan.ts'
import { reduce, reductionsOf } from './reduce.ts'
import { FailedSeed, runPlan } from './run-seed.ts'
import { shrink } from './shrink.ts'
import { Violation } from './violation.ts'

const SIZES = { low: 4, high: 10 }

test('every reduction takes something, keeps the plan sound, and ends', () => {
  for (const seed of [3, 4, 5, 6, 7, 8, 9, 77]) {
    let plan = planOf(seed, SIZES)
    for (let count = 0; count < 200; count += 1) {
      const smaller = reductionsOf(plan)
        .map((name) => reduce(plan, name))
        .find((one) => one !== null)
      if (smaller === undefined || smaller === null) break
      assert.notDeepEqual(smaller, plan)
      plan = smaller
    }
    for (const name of reductionsOf(plan)) assert.equal(reduce(plan, name), null, name)
    runPlan(plan)
  }
})

test('a reduction that is not known is an error', () => {
  assert.throws(() => reduce(planOf(3, SIZES), 'luck'), RangeError)
  assert.throws(() => reduce(planOf(3, SIZES), 'fault:luck'), RangeError)
})

/** More dead than any network can bear: it never becomes final again. */
test('a failing run is made smaller, and the names of what was taken give the same run', () => {
  const plan: Plan = {
    ...planOf(9, { low: 8, high: 8 }),
    sealChance: 0,
    founders: [0, 1, 2, 3, 4, 5, 6, 7],
    amnesiac: null,
    actors: new Map([0, 1, 2].map((node) => [node, 'silent' as const])),
  }
  const failure = new FailedSeed(plan, new Violation('L1', 'found by hand'), [])
  const shrunk = shrink(plan, failure, 60)
  assert.ok(shrunk.reductions.length > 5, shrunk.reductions.join(','))
  const smaller = shrunk.reductions.reduce<Plan>((last, name) => reduce(last, name) ?? last, plan)
  assert.throws(
    () => runPlan(smaller),
    (error: unknown) =>
      error instanceof FailedSeed &&
      error.invariant === 'L1' &&
      error.message === shrunk.failure.message,
  )
})

test.run()
