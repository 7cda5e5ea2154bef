/** What is left of a run: plain data, so that it can cross from a worker. */
import { planOf, type Sizes } from './plan.ts'
import { FailedSeed, runPlan } from './run-seed.ts'
import { shrink } from './shrink.ts'
import { FailedWholeRun, runWholeSeed } from './whole/run-whole.ts'
import type { WorldName } from './worlds.ts'

export interface Asked {
  readonly seed: number
  readonly sizes: Sizes
  readonly world: WorldName
  /** Whether a failing run is made as small as it goes. */
  readonly isShrinking: boolean
}

export interface SeedResult {
  readonly seed: number
  readonly world: WorldName
  readonly steps: number
  readonly finalizedAfterMs: number
  readonly counters: readonly (readonly [string, number])[]
  readonly failure: Failure | null
}

export interface Failure {
  readonly invariant: string
  readonly detail: string
  /** What can be taken away so that it still fails, and how it does then. */
  readonly reductions: readonly string[]
  readonly shrunkDetail: string
}

export function resultOf(asked: Asked): Promise<SeedResult> {
  return asked.world === 'whole' ? wholeResultOf(asked) : Promise.resolve(coreResultOf(asked))
}

function coreResultOf({ seed, sizes, isShrinking }: Asked): SeedResult {
  const plan = planOf(seed, sizes)
  try {
    const { run, finalizedAfterMs } = runPlan(plan)
    const { steps } = run
    const counters = [...run.counters]
    return { seed, world: 'core', steps, finalizedAfterMs, counters, failure: null }
  } catch (error) {
    if (!(error instanceof FailedSeed)) throw error
    const shrunk = isShrinking ? shrink(plan, error) : { reductions: [], failure: error }
    const { reductions, failure } = shrunk
    return failed(seed, 'core', { error, reductions, last: failure })
  }
}

async function wholeResultOf({ seed, sizes }: Asked): Promise<SeedResult> {
  try {
    const { world, finalizedAfterMs } = await runWholeSeed(seed, sizes)
    const steps = world.tape.events
    const counters = [...world.counters].map(([what, count]) => [`whole: ${what}`, count] as const)
    return { seed, world: 'whole', steps, finalizedAfterMs, counters, failure: null }
  } catch (error) {
    if (!(error instanceof FailedWholeRun)) throw error
    return failed(seed, 'whole', { error, reductions: [], last: error })
  }
}

type Failed = FailedSeed | FailedWholeRun

function failed(
  seed: number,
  world: WorldName,
  { error, reductions, last }: { error: Failed; reductions: readonly string[]; last: Failed },
): SeedResult {
  const { invariant } = error
  const failure = { invariant, detail: detailOf(error), reductions, shrunkDetail: detailOf(last) }
  return { seed, world, steps: 0, finalizedAfterMs: 0, counters: [], failure }
}

function detailOf({ invariant, message, cause }: Failed): string {
  return message + (invariant === 'error' && cause instanceof Error ? `\n${cause.stack}` : '')
}
