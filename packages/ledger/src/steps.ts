// Work that may be left between two steps and gone on with later.

/** Each `yield` is such a place; the work tells nothing before its end. */
export type Steps<T> = Generator<undefined, T, undefined>

/** All steps one behind the other. */
export function complete<T>(steps: Steps<T>): T {
  let step = steps.next()
  while (step.done !== true) step = steps.next()
  return step.value
}
