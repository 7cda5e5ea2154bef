// How fast the node catches up, for people: a line every five seconds, and the figures of the status.

import type { Clock } from './clock.ts'
import type { Logger } from './logger.ts'
import type { BadPeer, SyncPeers } from './sync-peers.ts'

export interface SyncProgress {
  readonly height: number
  readonly target: number
  readonly blocksPerSecond: number
  readonly transactionsPerSecond: number
  /** Names of those that blocks were asked of a moment ago. */
  readonly peers: readonly string[]
  /** Who sent what must not be sent, since the node was started. */
  readonly bad: readonly BadPeer[]
}

const LINE_MS = 5_000
/** Nearer than that is no catching up to be told of. */
const NEAR = 16

interface Applied {
  readonly at: number
  readonly blocks: number
  readonly transactions: number
}

export class SyncPace {
  readonly #clock: Clock
  readonly #logger: Logger
  #applied: Applied[] = []
  #toldAt: number | null = null

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock
    this.#logger = logger
  }

  applied(blocks: number, transactions: number): void {
    this.#applied.push({ at: this.#clock.monotonic(), blocks, transactions })
  }

  progress(at: { height: number; target: number }, peers: SyncPeers): SyncProgress {
    const now = this.#clock.monotonic()
    this.#applied = this.#applied.filter((each) => now - each.at <= LINE_MS)
    const seconds = Math.max(1, (now - (this.#applied[0]?.at ?? now)) / 1_000)
    const rate = (count: (each: Applied) => number): number =>
      Math.round(this.#applied.reduce((sum, each) => sum + count(each), 0) / seconds)
    return {
      ...at,
      blocksPerSecond: rate(({ blocks }) => blocks),
      transactionsPerSecond: rate(({ transactions }) => transactions),
      peers: peers.used(),
      bad: peers.bad(),
    }
  }

  /** A line now and then, while the way is long. */
  tell(at: { height: number; target: number }, peers: SyncPeers): void {
    if (at.target - at.height < NEAR) {
      this.#toldAt = null
      return
    }
    const now = this.#clock.monotonic()
    if (this.#toldAt !== null && now - this.#toldAt < LINE_MS) return
    const isFirst = this.#toldAt === null
    this.#toldAt = now
    const { blocksPerSecond, peers: used } = this.progress(at, peers)
    const names = used.join(', ')
    if (isFirst) this.#logger.info('catching up', { ...at, peers: names })
    else this.#logger.info('catching up', { ...at, blocksPerSecond, peers: names })
  }
}
