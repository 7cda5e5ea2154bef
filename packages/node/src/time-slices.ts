// Long work in short turns, so that votes, timers and sockets are served in between.

import { setImmediate as nextTurn } from 'node:timers/promises'

// Several pieces of work may share one turn of the event loop.
const SLICE_MS = 5

/** Runs an iterator to its end and hands over what it yields; never longer than a slice at a time. */
export async function runInSlices<T, R>(work: Iterator<T, R>, take: (item: T) => void): Promise<R> {
  let sliceEnd = performance.now() + SLICE_MS
  while (true) {
    const next = work.next()
    if (next.done === true) return next.value
    take(next.value)
    if (performance.now() < sliceEnd) continue
    await nextTurn()
    sliceEnd = performance.now() + SLICE_MS
  }
}
