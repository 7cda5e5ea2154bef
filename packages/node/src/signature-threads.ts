// The signatures of a long stretch of blocks, checked on threads while the blocks before it are applied.
//
// One core applies blocks, the others verify: on one core there are no threads, and every signature is verified
// where its block is executed. So is whatever a thread did not find signed, or did not get to: what is said here
// spares work and decides nothing. The threads are there while there is something to catch up with.

import { availableParallelism } from 'node:os'
import { JobThread } from './job-thread.ts'

export interface SignatureRequest {
  readonly blocks: readonly Uint8Array[]
  readonly genesisDigest: Uint8Array
}

/** Of each block whether all its signatures hold. */
export type SignatureAnswer = readonly boolean[]

const FILE = new URL('./signature-worker.ts', import.meta.url)
const THREADS_MAX = 4
/** Fewer are verified before a thread has started. */
const TRANSACTIONS_MIN = 1_024

interface SignedBlocks {
  readonly encoded: Uint8Array
  readonly transactions: readonly Uint8Array[]
}

export class SignatureThreads {
  readonly #genesisDigest: Uint8Array
  readonly #threads: readonly JobThread<SignatureRequest, SignatureAnswer>[]
  #asked = 0

  constructor(genesisDigest: Uint8Array, cores = availableParallelism()) {
    this.#genesisDigest = genesisDigest
    const length = Math.min(cores - 1, THREADS_MAX)
    this.#threads = Array.from({ length }, () => new JobThread(FILE))
  }

  /** Those of the blocks that are signed all through, as far as that is known here. */
  async check<B extends SignedBlocks>(blocks: readonly B[]): Promise<ReadonlySet<B>> {
    const work = blocks.reduce((sum, { transactions }) => sum + transactions.length, 0)
    const isRunning = this.#threads.some((thread) => thread.isRunning)
    const thread = this.#threads[this.#asked % this.#threads.length]
    if (thread === undefined || work < (isRunning ? 1 : TRANSACTIONS_MIN)) return new Set()
    this.#asked += 1
    const encoded = blocks.map((block) => block.encoded)
    const signed = await thread.ask({ blocks: encoded, genesisDigest: this.#genesisDigest })
    return new Set(blocks.filter((_, at) => signed?.[at] === true))
  }

  /** Until there is something to check again. */
  stop(): void {
    for (const thread of this.#threads) thread.stop()
  }
}
