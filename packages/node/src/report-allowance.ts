// How often one member may make this node look at what it has: a report costs the reading of a whole
// shard. Of one set a member may say so a few times in an hour; what comes more often is heard no more.

import { toHex } from '@mooring/codec'
import type { Clock } from './clock.ts'

const AN_HOUR = 4
const HOUR_MS = 3_600_000
const REMEMBERED_MAX = 50_000

interface Counted {
  count: number
  readonly since: number
}

export class ReportAllowance {
  readonly #clock: Clock
  /** Oldest first. */
  readonly #counted = new Map<string, Counted>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  take(sender: string, setId: Uint8Array): boolean {
    const now = this.#clock.monotonic()
    const name = `${sender} ${toHex(setId)}`
    const known = this.#counted.get(name)
    if (known !== undefined && now - known.since < HOUR_MS) {
      known.count += 1
      return known.count <= AN_HOUR
    }
    this.#counted.delete(name)
    this.#counted.set(name, { count: 1, since: now })
    const [oldest] = this.#counted.keys()
    if (this.#counted.size > REMEMBERED_MAX && oldest !== undefined) this.#counted.delete(oldest)
    return true
  }
}
