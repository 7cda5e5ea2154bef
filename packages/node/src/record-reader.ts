// Where a submission is read and sealed: a small one here in short turns, a large one on a thread.
//
// JSON can only be read in one go, at some 35 ms a MiB, and votes must not wait that long. The thread
// takes a tenth of a second to start, and tens of MiB while it lives: it ends when nothing was on it for half a
// minute. Several submissions may be on it; while the keys of one are seen to, another is read.

import { randomBytes } from 'node:crypto'
import { Worker } from 'node:worker_threads'
import type { Clock } from './clock.ts'
import {
  findRecords,
  type FoundSubmission,
  type Preparation,
  type PreparedRecord,
  sealRecords,
  type Sealing,
} from './prepare-records.ts'
import { runInSlices } from './time-slices.ts'

export type ReaderRequest =
  | {
      readonly job: number
      readonly kind: 'read'
      readonly bytes: Uint8Array
      readonly preparation: Preparation
    }
  | { readonly job: number; readonly kind: 'seal'; readonly sealing: Sealing }
  | { readonly job: number; readonly kind: 'forget' }

export type ReaderMessage =
  | { readonly job: number; readonly kind: 'found'; readonly found: FoundSubmission }
  | { readonly job: number; readonly kind: 'sealed'; readonly records: readonly PreparedRecord[] }
  | { readonly job: number; readonly kind: 'done' }
  | { readonly job: number; readonly kind: 'failed'; readonly error: unknown }

/** A submission whose bytes are in memory, here or on the thread, until it is forgotten. */
export interface ReadSubmission {
  readonly found: FoundSubmission
  /** In the order asked for. */
  seal(sealing: Sealing): Promise<PreparedRecord[]>
  forget(): void
}

interface Job {
  readonly reject: (error: unknown) => void
  readonly onMessage: (message: ReaderMessage) => void
}

export const THREAD_BYTES_MIN = 64 * 1024
const IDLE_MS = 30_000

export class RecordReader {
  readonly #clock: Clock
  readonly #jobs = new Map<number, Job>()
  /** Submissions that are on the thread, by their job. */
  readonly #held = new Set<number>()
  #cancelIdle: (() => void) | null = null
  #worker: Worker | null = null
  #lastJob = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get hasThread(): boolean {
    return this.#worker !== null
  }

  read(bytes: Uint8Array, preparation: Preparation): Promise<ReadSubmission> {
    return bytes.length >= THREAD_BYTES_MIN
      ? this.#readOnThread(bytes, preparation)
      : readHere(bytes, preparation)
  }

  async close(): Promise<void> {
    this.#cancelIdle?.()
    this.#cancelIdle = null
    const worker = this.#worker
    this.#ended(new Error('the reading thread was closed'))
    await worker?.terminate()
  }

  async #readOnThread(bytes: Uint8Array, preparation: Preparation): Promise<ReadSubmission> {
    this.#lastJob += 1
    const job = this.#lastJob
    this.#hold(job)
    const found = await this.#ask<FoundSubmission>(
      { job, kind: 'read', bytes, preparation },
      (message, resolve) => message.kind === 'found' && resolve(message.found),
    ).catch((error: unknown) => {
      this.#letGo(job)
      throw error
    })
    return {
      found,
      seal: (sealing) => {
        const records: PreparedRecord[] = []
        return this.#ask<PreparedRecord[]>({ job, kind: 'seal', sealing }, (message, resolve) => {
          if (message.kind === 'sealed') records.push(...message.records)
          if (message.kind === 'done') resolve(records)
        })
      },
      forget: () => {
        this.#worker?.postMessage({ job, kind: 'forget' } satisfies ReaderRequest)
        this.#letGo(job)
      },
    }
  }

  #ended(error: unknown): void {
    this.#worker = null
    for (const { reject } of this.#jobs.values()) reject(error)
  }

  #hold(job: number): void {
    this.#cancelIdle?.()
    this.#cancelIdle = null
    this.#held.add(job)
  }

  #letGo(job: number): void {
    if (!this.#held.delete(job) || this.#held.size > 0 || this.#worker === null) return
    this.#cancelIdle = this.#clock.after(IDLE_MS, () => void this.close())
  }

  #ask<T>(
    request: ReaderRequest,
    take: (message: ReaderMessage, resolve: (value: T) => void) => void,
  ): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const { job } = request
    this.#jobs.set(job, { reject, onMessage: (message) => take(message, resolve) })
    const worker = this.#thread()
    // A node that has nothing else to do may end, but not while somebody waits.
    worker.ref()
    worker.postMessage(request)
    return promise.finally(() => {
      this.#jobs.delete(job)
      if (this.#jobs.size === 0) worker.unref()
    })
  }

  #thread(): Worker {
    if (this.#worker !== null) return this.#worker
    const worker = new Worker(new URL('./read-worker.ts', import.meta.url))
    worker.on('message', (message: ReaderMessage) => {
      const job = this.#jobs.get(message.job)
      if (message.kind === 'failed') job?.reject(message.error)
      else job?.onMessage(message)
    })
    const onEnd = (error: unknown) => {
      if (this.#worker === worker) this.#ended(error)
    }
    worker.once('error', onEnd)
    worker.once('exit', (code) => onEnd(new Error(`the reading thread ended with ${code}`)))
    this.#worker = worker
    return worker
  }
}

async function readHere(bytes: Uint8Array, preparation: Preparation): Promise<ReadSubmission> {
  const reading = await runInSlices(findRecords(bytes, preparation), () => undefined)
  return {
    found: reading.found,
    seal: async (sealing) => {
      const records: PreparedRecord[] = []
      const work = sealRecords(reading, sealing, (length) => new Uint8Array(randomBytes(length)))
      await runInSlices(work, (record) => records.push(record))
      return records
    },
    forget: () => undefined,
  }
}
