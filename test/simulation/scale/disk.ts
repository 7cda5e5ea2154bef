/** A disk that makes durable what was handed to it group by group: what comes during a sync shares the next one. */
import type { Scheduler } from '../scheduler.ts'
import type { Processor } from './processor.ts'

export class Disk {
  readonly #scheduler: Scheduler
  readonly #processor: Processor
  readonly #syncMs: number
  #waiting: (() => void)[] = []
  #isSyncing = false

  constructor(scheduler: Scheduler, processor: Processor, syncMs: number) {
    this.#scheduler = scheduler
    this.#processor = processor
    this.#syncMs = syncMs
  }

  whenDurable(run: () => void): void {
    this.#waiting.push(run)
    if (!this.#isSyncing) this.#sync(this.#processor.time)
  }

  #sync(at: number): void {
    this.#isSyncing = true
    const group = this.#waiting
    this.#waiting = []
    this.#scheduler.at(at + this.#syncMs, () => {
      this.#isSyncing = false
      for (const run of group) this.#processor.do(run)
      if (this.#waiting.length > 0) this.#sync(this.#scheduler.now)
    })
  }
}
