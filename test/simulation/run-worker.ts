/** Runs the seeds that it is sent, one by one. */
import { parentPort } from 'node:worker_threads'
import { type Asked, resultOf } from './seed-result.ts'

parentPort?.on('message', (asked: Asked) => {
  resultOf(asked).then(
    (result) => parentPort?.postMessage(result),
    (error: unknown) => {
      // What a run does not expect ends the campaign: thrown here it reaches the parent.
      setImmediate(() => {
        throw error
      })
    },
  )
})
