// Where a submission is read and sealed: a small one here in short turns, a large one on a thread.
//
// JSON can only be read in one go, at some 35 ms a MiB, and votes must not wait that long. The thread
// lives as long as the node: it takes a tenth of a second to start. Several submissions may be on it; while
// the keys of one are seen to, another is read.

import { randomBytes } from 'node:crypto'
import { Worker } from 'node:worker_threads'
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

export class RecordReader {
  readonly #jobs = new Map<number, Job>()
  #worker: Worker | null = null
  #lastJob = 0

  read(bytes: Uint8Array, preparation: Preparation): Promise<ReadSubmission> {
    return bytes.length >= THREAD_BYTES_MIN
      ? this.#readOnThread(bytes, preparation)
      : readHere(bytes, preparation)
  }

  async close(): Promise<void> {
    const worker = this.#worker
    this.#worker = null
    await worker?.terminate()
  }

  async #readOnThread(bytes: Uint8Array, preparation: Preparation): Promise<ReadSubmission> {
    this.#lastJob += 1
    const job = this.#lastJob
    const found = await this.#ask<FoundSubmission>(
      { job, kind: 'read', bytes, preparation },
      (message, resolve) => message.kind === 'found' && resolve(message.found),
    )
    return {
      found,
      seal: (sealing) => {
        const records: PreparedRecord[] = []
        return this.#ask<PreparedRecord[]>({ job, kind: 'seal', sealing }, (message, resolve) => {
          if (message.kind === 'sealed') records.push(...message.records)
          if (message.kind === 'done') resolve(records)
        })
      },
      forget: () => this.#worker?.postMessage({ job, kind: 'forget' } satisfies ReaderRequest),
    }
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
      if (this.#worker === worker) this.#worker = null
      for (const { reject } of this.#jobs.values()) reject(error)
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
