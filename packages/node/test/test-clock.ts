// Time that a test moves.

import type { Clock } from '../src/clock.ts'

export const START = Date.UTC(2026, 10, 20, 9)
/** Monotonic time does not start at zero, and nobody may rely on what it is. */
const MONOTONIC_AT_START = 100_000

export class TestClock implements Clock {
  #now = MONOTONIC_AT_START
  readonly #timers = new Set<{ at: number; run: () => void }>()

  monotonic(): number {
    return this.#now
  }

  wall(): number {
    return START + this.#now - MONOTONIC_AT_START
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.#now + ms, run }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  get timers(): number {
    return this.#timers.size
  }

  /** Time passes, and whatever is due runs at its moment. */
  advance(ms: number): void {
    const end = this.#now + ms
    for (;;) {
      const due = [...this.#timers].filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)
      const [next] = due
      if (next === undefined) break
      this.#timers.delete(next)
      this.#now = Math.max(this.#now, next.at)
      next.run()
    }
    this.#now = end
  }
}
