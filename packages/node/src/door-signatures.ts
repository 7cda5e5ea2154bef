// The signatures of transactions that come in at the door, verified on another core.
//
// They are most of what a busy node works at, and none of it is urgent: while a thread verifies, the node reads
// votes and executes blocks. A quiet node has no thread, which would cost it memory, and verifies as they come;
// so does a computer with one core. What a thread found is taken as found here: it runs the same code.

import { availableParallelism } from 'node:os'
import { encode } from '@mooring/codec'
import type { DecodedTransaction } from '@mooring/ledger'
import type { Clock } from './clock.ts'
import { JobThread } from './job-thread.ts'
import { BATCH_BYTES_MAX, BATCH_COUNT_MAX, transactionBatch } from './transaction-gossip.ts'

export interface DoorRequest {
  /** Encoded as in gossip. */
  readonly batch: Uint8Array
  readonly genesisDigest: Uint8Array
}

export interface DoorAnswer {
  /** For each of them 1 when its signature holds, else 0. */
  readonly signed: Uint8Array
  readonly msEach: number
}

/** What is handed over costs some hundred microseconds, however little it is. */
const BATCH_MIN = 8
/** What the encoding takes beside a transaction. */
const ITEM_BYTES_MAX = 5
/** So many a second are worth a thread: a hundredth of a core. */
const BUSY_PER_SECOND = 250
const WINDOW_MS = 1_000
const IDLE_MS = 30_000

export class DoorSignatures {
  readonly #genesisDigest: Uint8Array
  readonly #clock: Clock
  readonly #hasCores: boolean
  readonly #thread: JobThread<DoorRequest, DoorAnswer>
  #cancelIdle: (() => void) | null = null
  #windowAt = -Infinity
  #inWindow = 0
  #busyAt = -Infinity

  constructor(genesisDigest: Uint8Array, clock: Clock, cores = availableParallelism()) {
    this.#genesisDigest = genesisDigest
    this.#clock = clock
    this.#hasCores = cores > 1
    this.#thread = new JobThread(new URL('./door-worker.ts', import.meta.url))
  }

  /** Which of them are signed, by their place; null when they are to be verified here. */
  async check(transactions: readonly DecodedTransaction[]): Promise<DoorAnswer | null> {
    const isBusy = this.#isBusyWith(transactions.length)
    const isWorth = isBusy || this.#thread.isRunning
    if (!this.#hasCores || !isWorth || !isBatch(transactions)) return null
    const list = transactions.map(({ bytes }) => bytes)
    const batch = encode(transactionBatch, list)
    const answer = this.#thread.ask({ batch, genesisDigest: this.#genesisDigest })
    if (this.#cancelIdle === null) this.#closeWhenIdle()
    return answer
  }

  close(): void {
    this.#cancelIdle?.()
    this.#cancelIdle = null
    this.#thread.stop()
  }

  #isBusyWith(count: number): boolean {
    const now = this.#clock.monotonic()
    if (now - this.#windowAt > WINDOW_MS) {
      this.#windowAt = now
      this.#inWindow = 0
    }
    this.#inWindow += count
    if (this.#inWindow < BUSY_PER_SECOND) return false
    this.#busyAt = now
    return true
  }

  #closeWhenIdle(): void {
    this.#cancelIdle = this.#clock.after(IDLE_MS, () => {
      const isQuiet = this.#clock.monotonic() - this.#busyAt >= IDLE_MS
      if (isQuiet && this.#thread.isIdle) this.close()
      else this.#closeWhenIdle()
    })
  }
}

/** A client's list may be longer than any message of gossip. */
function isBatch(transactions: readonly DecodedTransaction[]): boolean {
  const { length } = transactions
  const bytes = transactions.reduce((sum, each) => sum + each.bytes.length + ITEM_BYTES_MAX, 0)
  return length >= BATCH_MIN && length <= BATCH_COUNT_MAX && bytes < BATCH_BYTES_MAX
}
