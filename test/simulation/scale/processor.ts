/**
 * The one thread of a node: what comes is done in the order in which it came, each thing from its beginning to its
 * end; what is patient, only when nothing else waits (`node/src/gossip-turns.ts`). What is being done says what it
 * costs as it goes on; `time` is how far it has come, and what it sends leaves then.
 */
import type { Scheduler } from '../scheduler.ts'

export class Processor {
  readonly #scheduler: Scheduler
  readonly #waiting = new Queue()
  readonly #patient = new Queue()
  #time = 0
  #isBusy = false
  busyMs = 0

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler
  }

  get time(): number {
    return Math.max(this.#time, this.#scheduler.now)
  }

  do(run: () => void): void {
    this.#waiting.push(run)
    if (!this.#isBusy) this.#next()
  }

  doPatiently(run: () => void): void {
    this.#patient.push(run)
    if (!this.#isBusy) this.#next()
  }

  spend(ms: number): void {
    this.#time = this.time + ms
    this.busyMs += ms
  }

  #next(): void {
    const run = this.#waiting.shift() ?? this.#patient.shift()
    if (run === undefined) return
    this.#isBusy = true
    run()
    this.#scheduler.at(this.#time, () => {
      this.#isBusy = false
      this.#next()
    })
  }
}

/** Long ones are cheap at both ends. */
class Queue {
  #list: (() => void)[] = []
  #first = 0

  push(run: () => void): void {
    this.#list.push(run)
  }

  shift(): (() => void) | undefined {
    const run = this.#list[this.#first]
    if (run === undefined) return undefined
    this.#first += 1
    if (this.#first > 1_024 || this.#first === this.#list.length) {
      this.#list = this.#list.slice(this.#first)
      this.#first = 0
    }
    return run
  }
}
