/**
 * One life of a process, from its start to its end. What a dead process still computes reaches nobody:
 * each of its effects asks here first, and gets no answer when it is over.
 */
import type { Clock } from '../../../packages/node/src/clock.ts'
import type { Scheduler } from '../scheduler.ts'

export interface Times {
  readonly scheduler: Scheduler
  /** How far the wall clock is off just now. */
  readonly wallMs: () => number
  readonly monotonicMs: number
}

export class Life implements Clock {
  isOver = false
  timers = 0
  readonly #times: Times

  constructor(times: Times) {
    this.#times = times
  }

  monotonic(): number {
    return this.#times.scheduler.now + this.#times.monotonicMs
  }

  wall(): number {
    return this.#times.scheduler.now + this.#times.wallMs()
  }

  after(ms: number, run: () => void): () => void {
    if (this.isOver) return () => undefined
    let isCancelled = false
    this.timers += 1
    const end = (): void => {
      if (!isCancelled) this.timers -= 1
      isCancelled = true
    }
    this.#times.scheduler.after(ms, () => {
      if (isCancelled || this.isOver) return
      end()
      run()
    })
    return end
  }

  wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(ms, resolve)
    })
  }
}

/** What a dead process waits for. */
export function never<T>(): Promise<T> {
  return new Promise(() => undefined)
}
