// How many transactions a proposer puts into a block, by what they cost lately.
//
// The timers of a view know of Δ alone. A block that takes longer to execute than they wait is given up while
// everybody is still at work on it, and the work is lost: a busy computer would commit less the more it is
// offered. So a block holds what is executed in a fraction of Δ, as this node has measured it, at the speed that
// the rest of its load leaves.

/** However quick it is: a block must also travel. */
const TRANSACTIONS_MAX = 2_000
/** However slow: consensus costs the same for each block. */
const TRANSACTIONS_MIN = 200
/** Of Δ. Everybody executes a block while its leader waits, perhaps on the same processor. */
const SHARE = 1 / 3
/** Before anything was measured: the first blocks of a process are slow. */
const TRANSACTIONS_FIRST = 500
/** Smaller blocks tell what a block costs, not what a transaction does. */
const TOLD_MIN = 50
const WEIGHT = 0.3

export class BlockPace {
  #msEach: number | null = null

  /** A block of so many transactions was built or executed. */
  note(transactions: number, ms: number): void {
    if (transactions < TOLD_MIN) return
    const each = ms / transactions
    this.#msEach = this.#msEach === null ? each : this.#msEach + WEIGHT * (each - this.#msEach)
  }

  transactionsMax(deltaMs: number): number {
    if (this.#msEach === null) return TRANSACTIONS_FIRST
    const fitting = Math.floor((SHARE * deltaMs) / this.#msEach)
    return Math.min(TRANSACTIONS_MAX, Math.max(TRANSACTIONS_MIN, fitting))
  }
}
