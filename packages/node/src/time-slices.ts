// Long work in short turns, so that votes, timers and sockets are served in between.

import { setImmediate as nextTurn } from 'node:timers/promises'
import type { StartTurns } from '@mooring/storage'

// Several pieces of work may share one turn of the event loop.
const SLICE_MS = 5

/** A piece of work pauses when it has gone on for a slice, by this clock, in milliseconds. */
export function inSlices(now: () => number, turn: () => Promise<void>): StartTurns {
  return () => {
    let sliceEnd = now() + SLICE_MS
    const begin = (): void => {
      sliceEnd = now() + SLICE_MS
    }
    return () => (now() < sliceEnd ? null : turn().then(begin))
  }
}

export const inRealSlices: StartTurns = inSlices(
  () => performance.now(),
  () => nextTurn(),
)

/** Runs an iterator to its end and hands over what it yields; never longer than a slice at a time. */
export async function runInSlices<T, R>(work: Iterator<T, R>, take: (item: T) => void): Promise<R> {
  const pause = inRealSlices()
  while (true) {
    const next = work.next()
    if (next.done === true) return next.value
    take(next.value)
    const paused = pause()
    if (paused !== null) await paused
  }
}
