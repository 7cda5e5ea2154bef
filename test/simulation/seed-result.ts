/** What is left of a run: plain data, so that it can cross from a worker. */
import { FailedSeed, runSeed } from './run-seed.ts'
import type { Sizes } from './plan.ts'

export interface SeedResult {
  readonly seed: number
  readonly steps: number
  readonly finalizedAfterMs: number
  readonly counters: readonly (readonly [string, number])[]
  readonly failure: { readonly invariant: string; readonly detail: string } | null
}

export function resultOf(seed: number, sizes: Sizes): SeedResult {
  try {
    const { run, finalizedAfterMs } = runSeed(seed, sizes)
    const { steps } = run
    return { seed, steps, finalizedAfterMs, counters: [...run.counters], failure: null }
  } catch (error) {
    if (!(error instanceof FailedSeed)) throw error
    const { invariant, message, cause } = error
    const stack = invariant === 'error' && cause instanceof Error ? `\n${cause.stack}` : ''
    const failure = { invariant, detail: message + stack }
    return { seed, steps: 0, finalizedAfterMs: 0, counters: [], failure }
  }
}
