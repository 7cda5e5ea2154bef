// The signatures of a long stretch of blocks, checked on threads while the blocks before it are applied.
//
// One core applies blocks, the others verify: on one core there are no threads, and every signature is verified
// where its block is executed. So is whatever a thread did not find signed, or did not get to: what is said here
// spares work and decides nothing. The threads are there while there is something to catch up with.

import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'

export interface SignatureRequest {
  readonly job: number
  readonly blocks: readonly Uint8Array[]
  readonly genesisDigest: Uint8Array
}

export interface SignatureAnswer {
  readonly job: number
  /** Of each block whether all its signatures hold. */
  readonly signed: readonly boolean[]
}

const THREADS_MAX = 4
/** Fewer are verified before a thread has started. */
const TRANSACTIONS_MIN = 1_024

interface SignedBlocks {
  readonly encoded: Uint8Array
  readonly transactions: readonly Uint8Array[]
}

export class SignatureThreads {
  readonly #genesisDigest: Uint8Array
  readonly #count: number
  readonly #waiting = new Map<number, (signed: readonly boolean[]) => void>()
  #workers: Worker[] = []
  #lastJob = 0

  constructor(genesisDigest: Uint8Array, cores = availableParallelism()) {
    this.#genesisDigest = genesisDigest
    this.#count = Math.min(cores - 1, THREADS_MAX)
  }

  /** Those of the blocks that are signed all through, as far as that is known here. */
  async check<B extends SignedBlocks>(blocks: readonly B[]): Promise<ReadonlySet<B>> {
    const work = blocks.reduce((sum, { transactions }) => sum + transactions.length, 0)
    const isWorth = this.#workers.length > 0 ? work > 0 : work >= TRANSACTIONS_MIN
    if (this.#count < 1 || !isWorth) return new Set()
    const { promise, resolve } = Promise.withResolvers<readonly boolean[]>()
    this.#lastJob += 1
    const job = this.#lastJob
    this.#waiting.set(job, resolve)
    const worker = this.#threadOf(job)
    const encoded = blocks.map((block) => block.encoded)
    const request = { job, blocks: encoded, genesisDigest: this.#genesisDigest }
    worker.postMessage(request satisfies SignatureRequest)
    const signed = await promise
    return new Set(blocks.filter((_, at) => signed[at] === true))
  }

  /** Until there is something to check again. */
  stop(): void {
    const workers = this.#workers
    this.#workers = []
    for (const worker of workers) void worker.terminate()
    this.#giveUp()
  }

  #threadOf(job: number): Worker {
    while (this.#workers.length < this.#count) this.#workers.push(this.#start())
    const worker = this.#workers[job % this.#count]
    if (worker === undefined) throw new Error('no thread was started')
    return worker
  }

  #start(): Worker {
    const worker = new Worker(new URL('./signature-worker.ts', import.meta.url))
    worker.unref()
    worker.on('message', ({ job, signed }: SignatureAnswer) => {
      this.#waiting.get(job)?.(signed)
      this.#waiting.delete(job)
    })
    // Whoever waits verifies by itself; the next stretch finds new threads.
    worker.once('error', () => this.stop())
    return worker
  }

  #giveUp(): void {
    for (const resolve of this.#waiting.values()) resolve([])
    this.#waiting.clear()
  }
}
