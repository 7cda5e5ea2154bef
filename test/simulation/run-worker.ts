/** Runs the seeds that it is sent, one by one. */
import { parentPort } from 'node:worker_threads'
import type { Sizes } from './plan.ts'
import { resultOf } from './seed-result.ts'

parentPort?.on('message', ({ seed, sizes }: { seed: number; sizes: Sizes }) => {
  parentPort?.postMessage(resultOf(seed, sizes))
})
