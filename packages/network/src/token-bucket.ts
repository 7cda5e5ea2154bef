// A budget that refills with time. It may be overdrawn, by as much as it holds when it is full; the debt
// says how long to wait before the next expense.

import type { MonotonicMs } from './types.ts'

export class TokenBucket {
  readonly #capacity: number
  readonly #perSecond: number
  #level: number
  #filledAt: MonotonicMs

  constructor(capacity: number, perSecond: number, now: MonotonicMs) {
    this.#capacity = capacity
    this.#perSecond = perSecond
    this.#level = capacity
    this.#filledAt = now
  }

  /** Pays when the budget covers it all, or refuses and pays nothing. */
  take(amount: number, now: MonotonicMs): boolean {
    this.#fill(now)
    if (this.#level < amount) return false
    this.#level -= amount
    return true
  }

  /** Pays whatever it costs; the answer is how many milliseconds the debt takes to refill. */
  spend(amount: number, now: MonotonicMs): number {
    this.#fill(now)
    this.#level = Math.max(this.#level - amount, -this.#capacity)
    return this.#level >= 0 ? 0 : Math.ceil((-this.#level / this.#perSecond) * 1_000)
  }

  /** How many whole units it covers now; they are paid. */
  takeUpTo(amount: number, now: MonotonicMs): number {
    this.#fill(now)
    const taken = Math.min(amount, Math.floor(this.#level))
    this.#level -= taken
    return taken
  }

  isFull(now: MonotonicMs): boolean {
    this.#fill(now)
    return this.#level >= this.#capacity
  }

  #fill(now: MonotonicMs): void {
    const gained = ((now - this.#filledAt) / 1_000) * this.#perSecond
    this.#level = Math.min(this.#capacity, this.#level + gained)
    this.#filledAt = now
  }
}
