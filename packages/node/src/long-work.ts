// Work that may be too long for one turn of the event loop, one piece after the other.
//
// A piece begins at once when nothing else is under way, and what ends within a slice has ended when `run` returns:
// most blocks are small, and agreement does not wait for a turn then. Otherwise it goes on in later turns, and what
// comes meanwhile waits for it, in order.

import type { Pause, StartTurns } from '@mooring/storage'
import type { Clock } from './clock.ts'

/** Steps, some of which are done elsewhere: those are waited for, whatever becomes of them. */
export type Work<T> = Generator<Promise<void> | undefined, T, undefined>

/** All steps one behind the other, without a wait. */
export function completeWork<T>(work: Work<T>): T {
  let step = work.next()
  while (step.done !== true) step = work.next()
  return step.value
}

export interface Done<T> {
  readonly value: T
  /** Of the steps alone, without what had its turn in between. */
  readonly ms: number
  /** From the first step to the last, by the clock. */
  readonly tookMs: number
}

export interface Settled<T> {
  /** Null: it was closed before the end. */
  done: (done: Done<T> | null) => void
  failed: (error: unknown) => void
}

interface Piece {
  /** Goes on until it has ended, which is null, or is to pause. */
  go: (pause: Pause) => Promise<void> | null
  drop: () => void
}

export class LongWork {
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #turns: StartTurns
  /** The first of them is under way. */
  #pieces: Piece[] = []
  #isRunning = false
  #isClosed = false

  constructor({ clock, turns }: { clock: Pick<Clock, 'monotonic'>; turns: StartTurns }) {
    this.#clock = clock
    this.#turns = turns
  }

  run<T>(steps: Work<T>, settled: Settled<T>): void {
    if (this.#isClosed) return settled.done(null)
    this.#pieces.push(this.#pieceOf(steps, settled))
    if (!this.#isRunning) this.#go()
  }

  /** The same for who waits; null when it was closed before the end. */
  wait<T>(steps: Work<T>): Promise<Done<T> | null> {
    return new Promise((done, failed) => this.run(steps, { done, failed }))
  }

  /** No step is taken after this. */
  close(): void {
    this.#isClosed = true
    for (const piece of this.#pieces.splice(0)) piece.drop()
  }

  #go(): void {
    this.#isRunning = true
    const pause = this.#turns()
    let paused: Promise<void> | null = null
    try {
      for (let piece = this.#pieces[0]; piece !== undefined; piece = this.#pieces[0]) {
        paused = piece.go(pause)
        if (paused === null) continue
        const resume = (): void => this.#go()
        paused.then(resume, resume)
        return
      }
    } finally {
      // Also when who was told has thrown: what comes next begins anew.
      if (paused === null) this.#isRunning = false
    }
  }

  #pieceOf<T>(steps: Work<T>, { done, failed }: Settled<T>): Piece {
    let ms = 0
    let first: number | null = null
    const go = (pause: Pause): Promise<void> | null => {
      const began = this.#clock.monotonic()
      first ??= began
      const since = first
      let tell: () => void
      try {
        const way = goOn(steps, pause)
        const now = this.#clock.monotonic()
        ms += now - began
        if (way.paused !== null) return way.paused
        tell = () => done({ value: way.value, ms, tookMs: now - since })
      } catch (error) {
        tell = () => failed(error)
      }
      this.#pieces.shift()
      // Whoever is told may bring the next piece.
      tell()
      return null
    }
    return { go, drop: () => done(null) }
  }
}

type Way<T> = { paused: Promise<void>; value?: undefined } | { paused: null; value: T }

function goOn<T>(steps: Work<T>, pause: Pause): Way<T> {
  let step = steps.next()
  while (step.done !== true) {
    const paused = step.value ?? pause()
    if (paused !== null) return { paused }
    step = steps.next()
  }
  return { paused: null, value: step.value }
}
