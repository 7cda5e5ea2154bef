/** What is left of a run: plain data, so that it can cross from a worker. */
import type { Sizes } from './plan.ts'
import { FailedSeed, runSeed } from './run-seed.ts'
import { FailedWholeRun, runWholeSeed } from './whole/run-whole.ts'
import type { WorldName } from './worlds.ts'

export interface SeedResult {
  readonly seed: number
  readonly world: WorldName
  readonly steps: number
  readonly finalizedAfterMs: number
  readonly counters: readonly (readonly [string, number])[]
  readonly failure: { readonly invariant: string; readonly detail: string } | null
}

export function resultOf(seed: number, sizes: Sizes, world: WorldName): Promise<SeedResult> {
  return world === 'whole' ? wholeResultOf(seed, sizes) : Promise.resolve(coreResultOf(seed, sizes))
}

function coreResultOf(seed: number, sizes: Sizes): SeedResult {
  try {
    const { run, finalizedAfterMs } = runSeed(seed, sizes)
    const { steps } = run
    const counters = [...run.counters]
    return { seed, world: 'core', steps, finalizedAfterMs, counters, failure: null }
  } catch (error) {
    if (!(error instanceof FailedSeed)) throw error
    return failed(seed, 'core', error)
  }
}

async function wholeResultOf(seed: number, sizes: Sizes): Promise<SeedResult> {
  try {
    const { world, finalizedAfterMs } = await runWholeSeed(seed, sizes)
    const steps = world.tape.events
    const counters = [...world.counters].map(([what, count]) => [`whole: ${what}`, count] as const)
    return { seed, world: 'whole', steps, finalizedAfterMs, counters, failure: null }
  } catch (error) {
    if (!(error instanceof FailedWholeRun)) throw error
    return failed(seed, 'whole', error)
  }
}

function failed(seed: number, world: WorldName, error: FailedSeed | FailedWholeRun): SeedResult {
  const { invariant, message, cause } = error
  const stack = invariant === 'error' && cause instanceof Error ? `\n${cause.stack}` : ''
  const failure = { invariant, detail: message + stack }
  return { seed, world, steps: 0, finalizedAfterMs: 0, counters: [], failure }
}
