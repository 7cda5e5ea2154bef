// How often one member may ask about one set.
//
// An answer to an audit is a few bytes' worth of the shard. A hundred different ones about a small shard
// would add up to all of it, without a trace of reading; so a member gets so many in a day and no more,
// far fewer than it takes, and far more than an honest auditor asks.

import { toHex } from '@mooring/codec'
import type { Clock } from './clock.ts'

const A_DAY = 24
const DAY_MS = 86_400_000
const REMEMBERED_MAX = 200_000

interface Counted {
  count: number
  since: number
}

export class AuditAllowance {
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
    if (known !== undefined && now - known.since < DAY_MS) {
      known.count += 1
      return known.count <= A_DAY
    }
    this.#counted.delete(name)
    this.#counted.set(name, { count: 1, since: now })
    const [oldest] = this.#counted.keys()
    if (this.#counted.size > REMEMBERED_MAX && oldest !== undefined) this.#counted.delete(oldest)
    return true
  }
}
