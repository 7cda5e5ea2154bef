/** One seed with a line for every event, in whichever world. */
import type { Sizes } from './plan.ts'
import { FailedSeed, runSeed } from './run-seed.ts'
import { FailedWholeRun, runWholeSeed } from './whole/run-whole.ts'
import type { WorldName } from './worlds.ts'

export interface Traced {
  readonly lines: readonly string[]
  readonly holds: boolean
}

export function traceOf(seed: number, sizes: Sizes, world: WorldName): Promise<Traced> {
  return world === 'whole' ? traceWhole(seed, sizes) : Promise.resolve(traceCore(seed, sizes))
}

function traceCore(seed: number, sizes: Sizes): Traced {
  try {
    const { run, finalizedAfterMs } = runSeed(seed, sizes, { isTracing: true })
    return { lines: [...run.lines, verdict(seed, finalizedAfterMs)], holds: true }
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
