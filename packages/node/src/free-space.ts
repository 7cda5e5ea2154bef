// How much room the disk has left, known well enough to say no in time: measured at most once a second, and
// what was promised since then is taken off.

import { statfs } from 'node:fs/promises'
import type { Clock } from './clock.ts'

const FRESH_MS = 1_000

export type MeasureFree = (directory: string) => Promise<number>

export async function freeBytesOf(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory)
  return bavail * bsize
}

export class FreeSpace {
  readonly #directory: string
  readonly #clock: Clock
  readonly #measure: MeasureFree
  #free: number | null = null
  #measuredAt = Number.NEGATIVE_INFINITY
  #promised = 0

  constructor(directory: string, clock: Clock, measure: MeasureFree = freeBytesOf) {
    this.#directory = directory
    this.#clock = clock
    this.#measure = measure
  }

  /** Null where the system does not say. */
  async bytes(): Promise<number | null> {
    const now = this.#clock.monotonic()
    if (now - this.#measuredAt >= FRESH_MS) {
      this.#measuredAt = now
      this.#promised = 0
      try {
        this.#free = await this.#measure(this.#directory)
      } catch {
        this.#free = null
      }
    }
    return this.left
  }

  /** The same as it was last measured. */
  get left(): number | null {
    return this.#free === null ? null : this.#free - this.#promised
  }

  /** False when less than the reserve would be left; else the room counts as taken. */
  async take(bytes: number, reserve: number): Promise<boolean> {
    const free = await this.bytes()
    if (free !== null && free - bytes < reserve) return false
    this.promise(bytes)
    return true
  }

  /** So many bytes are about to be written. */
  promise(bytes: number): void {
    this.#promised += bytes
  }
}
