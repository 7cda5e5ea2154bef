// Work that may be left between two steps and gone on with later, and how it is spread over turns of the event loop.

/** Each `yield` is a place at which the work may be left; it tells nothing before its end. */
export type Steps<T> = Generator<undefined, T, undefined>

/** Begins a piece of work: what it gives is asked between two steps. */
export type StartTurns = () => Pause

/** Something to wait for when the present turn has lasted long enough; else null. */
export type Pause = () => Promise<void> | null

/** All in the same turn. */
export const withoutTurns: StartTurns = () => () => null

/** All steps one behind the other. */
export function complete<T>(steps: Steps<T>): T {
  let step = steps.next()
  while (step.done !== true) step = steps.next()
  return step.value
}

export async function inTurns<T>(steps: Steps<T>, turns: StartTurns): Promise<T> {
  const pause = turns()
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
    const paused = pause()
    if (paused !== null) await paused
  }
}
