/** One seed with a line for every event, in whichever world. */
import { type Plan, planOf, type Sizes } from './plan.ts'
import { reduce } from './reduce.ts'
import { FailedSeed, runPlan } from './run-seed.ts'
import { FailedWholeRun, runWholeSeed } from './whole/run-whole.ts'
import type { WorldName } from './worlds.ts'

export interface Traced {
  readonly lines: readonly string[]
  readonly holds: boolean
}

/** @param without reductions of the plan, of a seed that was made small. */
export function traceOf(
  seed: number,
  sizes: Sizes,
  { world, without }: { world: WorldName; without: readonly string[] },
): Promise<Traced> {
  if (world === 'whole') return traceWhole(seed, sizes)
  const whole = planOf(seed, sizes)
  const plan = without.reduce<Plan>((smaller, name) => reduce(smaller, name) ?? smaller, whole)
  return Promise.resolve(traceCore(plan))
}

function traceCore(plan: Plan): Traced {
  try {
    const { run, finalizedAfterMs } = runPlan(plan, { isTracing: true })
    return { lines: [...run.lines, verdict(plan.seed, finalizedAfterMs)], holds: true }
  } catch (error) {
    if (!(error instanceof FailedSeed)) throw error
    return { lines: [...error.lines, error.message], holds: false }
  }
}

async function traceWhole(seed: number, sizes: Sizes): Promise<Traced> {
  try {
    const { world, finalizedAfterMs } = await runWholeSeed(seed, sizes, true)
    return { lines: [...world.tape.lines, verdict(seed, finalizedAfterMs)], holds: true }
  } catch (error) {
    if (!(error instanceof FailedWholeRun)) throw error
    return { lines: [...error.world.tape.lines, error.message], holds: false }
  }
}

function verdict(seed: number, finalizedAfterMs: number): string {
  return `seed ${seed} holds; final ${finalizedAfterMs} ms after the calm`
}
