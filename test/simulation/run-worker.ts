/** Runs the seeds that it is sent, one by one. */
import { parentPort } from 'node:worker_threads'
import type { Sizes } from './plan.ts'
import { resultOf } from './seed-result.ts'
import type { WorldName } from './worlds.ts'

interface Asked {
  readonly seed: number
  readonly sizes: Sizes
  readonly world: WorldName
}

parentPort?.on('message', ({ seed, sizes, world }: Asked) => {
  resultOf(seed, sizes, world).then(
    (result) => parentPort?.postMessage(result),
    (error: unknown) => {
      // What a run does not expect ends the campaign: thrown here it reaches the parent.
      setImmediate(() => {
        throw error
      })
    },
  )
})
