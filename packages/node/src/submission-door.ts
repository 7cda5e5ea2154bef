// How many submissions are worked on at once: each holds its bytes and what is read out of them, so
// a few are read while some more stand in line, and the rest are told to come back.

import { Refusal } from '@mooring/api'

export interface DoorLimits {
  readonly insideMax: number
  readonly waitingMax: number
}

const LIMITS: DoorLimits = { insideMax: 4, waitingMax: 60 }

export class SubmissionDoor {
  readonly #limits: DoorLimits
  readonly #waiting: (() => void)[] = []
  #inside = 0
  #isClosed = false
  #empty: PromiseWithResolvers<void> | undefined

  constructor(limits: DoorLimits = LIMITS) {
    this.#limits = limits
  }

  async enter<T>(work: () => Promise<T>): Promise<T> {
    await this.#takePlace()
    try {
      return await work()
    } finally {
      this.#leave()
    }
  }

  /** Lets nobody in any more; resolves when all have left. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#empty ??= Promise.withResolvers()
    if (this.#inside === 0) this.#empty.resolve()
    await this.#empty.promise
  }

  async #takePlace(): Promise<void> {
    const { insideMax, waitingMax } = this.#limits
    if (this.#isClosed) throw new Refusal('closing', 'The node is shutting down.')
    if (this.#inside < insideMax) {
      this.#inside += 1
      return
    }
    if (this.#waiting.length >= waitingMax) {
      const detail = 'Too many submissions are being read. Try again in a moment.'
      throw new Refusal('busy', detail)
    }
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.push(resolve)
    await promise
  }

  /** Whoever waits longest gets the place. */
  #leave(): void {
    const next = this.#waiting.shift()
    if (next !== undefined) return next()
    this.#inside -= 1
    if (this.#inside === 0) this.#empty?.resolve()
  }
}
