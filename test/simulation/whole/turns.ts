/**
 * Virtual time for code that awaits: between two events every promise that can go on does, so what
 * the code of a node does depends on the order of events and on nothing else. Nothing here may wait for
 * a real timer or a real disk: whoever does is seen as never coming back.
 */
import type { Scheduler } from '../scheduler.ts'

export async function runTurns(
  scheduler: Scheduler,
  until: number,
  isDone: () => boolean,
): Promise<void> {
  while (scheduler.step(until)) {
    await settle()
    if (isDone()) return
  }
  scheduler.now = Math.max(scheduler.now, until)
}

/** All microtasks run before the event loop comes round. */
export function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
