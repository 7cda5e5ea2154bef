/** From a failing run to the smallest that fails of the same invariant, within a budget of tries. */
import type { Plan } from './plan.ts'
import { reduce, reductionsOf } from './reduce.ts'
import { FailedSeed, runPlan } from './run-seed.ts'

const TRIES_MAX = 250

export interface Shrunk {
  readonly reductions: readonly string[]
  readonly failure: FailedSeed
}

export function shrink(plan: Plan, failure: FailedSeed, tries = TRIES_MAX): Shrunk {
  let smallest = { plan, failure, reductions: [] as readonly string[] }
  let left = tries
  for (let isSmaller = true; isSmaller; ) {
    isSmaller = false
    for (const name of reductionsOf(smallest.plan)) {
      const smaller = reduce(smallest.plan, name)
      if (smaller === null || left === 0) continue
      left -= 1
      const failed = failureOf(smaller)
      if (failed?.invariant !== failure.invariant) continue
      smallest = { plan: smaller, failure: failed, reductions: [...smallest.reductions, name] }
      isSmaller = true
    }
  }
  return smallest
}

export function failureOf(plan: Plan): FailedSeed | null {
  try {
    runPlan(plan)
    return null
  } catch (error) {
    if (error instanceof FailedSeed) return error
    throw error
  }
}
