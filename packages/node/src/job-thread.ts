// A thread that answers requests in their order. It starts with the first one. Whoever waits when it ends, by
// whatever, hears null and does the work itself; the next request finds a new thread.

import { parentPort, Worker } from 'node:worker_threads'

interface Asked<Q> {
  readonly job: number
  readonly request: Q
}

interface Answered<A> {
  readonly job: number
  readonly answer: A
}

export class JobThread<Q, A> {
  readonly #file: URL
  readonly #waiting = new Map<number, (answer: A | null) => void>()
  #worker: Worker | null = null
  #lastJob = 0

  /** The file calls `answerJobs`. */
  constructor(file: URL) {
    this.#file = file
  }

  get isRunning(): boolean {
    return this.#worker !== null
  }

  get isIdle(): boolean {
    return this.#waiting.size === 0
  }

  ask(request: Q): Promise<A | null> {
    const { promise, resolve } = Promise.withResolvers<A | null>()
    this.#lastJob += 1
    const job = this.#lastJob
    this.#waiting.set(job, resolve)
    this.#worker ??= this.#start()
    this.#worker.postMessage({ job, request } satisfies Asked<Q>)
    return promise
  }

  stop(): void {
    void this.#worker?.terminate()
    this.#worker = null
    for (const resolve of this.#waiting.values()) resolve(null)
    this.#waiting.clear()
  }

  #start(): Worker {
    const worker = new Worker(this.#file)
    worker.unref()
    worker.on('message', ({ job, answer }: Answered<A>) => {
      this.#waiting.get(job)?.(answer)
      this.#waiting.delete(job)
    })
    const onGone = () => {
      if (this.#worker === worker) this.stop()
    }
    worker.once('error', onGone)
    worker.once('exit', onGone)
    return worker
  }
}

/** The other end, on the thread. It takes what `ask` was given, and what it returns `ask` resolves to. */
export function answerJobs(answerTo: (request: never) => unknown): void {
  parentPort?.on('message', ({ job, request }: Asked<never>) => {
    parentPort?.postMessage({ job, answer: answerTo(request) } satisfies Answered<unknown>)
  })
}
