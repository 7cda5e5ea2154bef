// How work in steps is spread over turns of the event loop.

import type { Steps } from '@mooring/ledger'

/** Begins a piece of work: what it gives is asked between two steps. */
export type StartTurns = () => Pause

/** Something to wait for when the present turn has lasted long enough; else null. */
export type Pause = () => Promise<void> | null

/** All in the same turn. */
export const withoutTurns: StartTurns = () => () => null

export async function inTurns<T>(steps: Steps<T>, turns: StartTurns): Promise<T> {
  const pause = turns()
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
    const paused = pause()
    if (paused !== null) await paused
  }
}
