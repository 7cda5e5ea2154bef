// The signatures of transactions that come in at the door, verified on another core.
//
// They are most of what a busy node works at, and none of it is urgent: while a thread verifies, the node reads
// votes and executes blocks. A quiet node has no thread, which would cost it memory, and verifies as they come;
// so does a computer with one core. What a thread found is taken as found here: it runs the same code.

import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { encode } from '@mooring/codec'
import type { DecodedTransaction } from '@mooring/ledger'
import type { Clock } from './clock.ts'
import { transactionBatch } from './transaction-gossip.ts'

export interface DoorRequest {
  readonly job: number
  /** Encoded as in gossip. */
  readonly batch: Uint8Array
  readonly genesisDigest: Uint8Array
}

export interface DoorAnswer {
  readonly job: number
  /** For each of them 1 when its signature holds, else 0. */
  readonly signed: Uint8Array
  readonly msEach: number
}

/** What is handed over costs some hundred microseconds, however little it is. */
const BATCH_MIN = 8
/** So many a second are worth a thread: a hundredth of a core. */
const BUSY_PER_SECOND = 250
const WINDOW_MS = 1_000
const IDLE_MS = 30_000

export class DoorSignatures {
  readonly #genesisDigest: Uint8Array
  readonly #clock: Clock
  readonly #hasCores: boolean
  readonly #waiting = new Map<number, (signed: DoorAnswer | null) => void>()
  #worker: Worker | null = null
  #cancelIdle: (() => void) | null = null
  #lastJob = 0
  #windowAt = -Infinity
  #inWindow = 0
  #usedAt = -Infinity

  constructor(genesisDigest: Uint8Array, clock: Clock, cores = availableParallelism()) {
    this.#genesisDigest = genesisDigest
    this.#clock = clock
    this.#hasCores = cores > 1
  }

  /** Which of them are signed, by their place; null when they are to be verified here. */
  async check(transactions: readonly DecodedTransaction[]): Promise<DoorAnswer | null> {
    if (!this.#isWorth(transactions.length)) return null
    const { promise, resolve } = Promise.withResolvers<DoorAnswer | null>()
    this.#lastJob += 1
    const job = this.#lastJob
    this.#waiting.set(job, resolve)
    const batch = encode(
      transactionBatch,
      transactions.map(({ bytes }) => bytes),
    )
    const request: DoorRequest = { job, batch, genesisDigest: this.#genesisDigest }
    this.#worker ??= this.#start()
    this.#worker.postMessage(request)
    return promise
  }

  close(): void {
    this.#cancelIdle?.()
    void this.#worker?.terminate()
    this.#worker = null
    for (const resolve of this.#waiting.values()) resolve(null)
    this.#waiting.clear()
  }

  #isWorth(count: number): boolean {
    const now = this.#clock.monotonic()
    if (now - this.#windowAt > WINDOW_MS) {
      this.#windowAt = now
      this.#inWindow = 0
    }
    this.#inWindow += count
    if (!this.#hasCores || count < BATCH_MIN) return false
    const isBusy = this.#inWindow >= BUSY_PER_SECOND
    if (isBusy) this.#usedAt = now
    return isBusy || this.#worker !== null
  }

  #start(): Worker {
    const worker = new Worker(new URL('./door-worker.ts', import.meta.url))
    worker.unref()
    worker.on('message', (answer: DoorAnswer) => {
      this.#waiting.get(answer.job)?.(answer)
      this.#waiting.delete(answer.job)
    })
    // Whoever waits verifies by itself; the next ones find a new thread.
    const onGone = () => {
      if (this.#worker === worker) this.close()
    }
    worker.once('error', onGone)
    worker.once('exit', onGone)
    this.#closeWhenIdle()
    return worker
  }

  #closeWhenIdle(): void {
    this.#cancelIdle = this.#clock.after(IDLE_MS, () => {
      if (this.#clock.monotonic() - this.#usedAt >= IDLE_MS && this.#waiting.size === 0)
        this.close()
      else this.#closeWhenIdle()
    })
  }
}
