/** Many seeds on all cores: what they reached together, and which failed. */
import { Worker } from 'node:worker_threads'
import type { Sizes } from './plan.ts'
import type { Asked, SeedResult } from './seed-result.ts'
import { type WorldChoice, worldOf } from './worlds.ts'

export interface CampaignOptions {
  readonly from: number
  readonly seeds: number
  readonly sizes: Sizes
  readonly choice: WorldChoice
  readonly jobs: number
  readonly stopsAtFirst: boolean
  readonly isShrinking: boolean
  readonly onFailure: (result: SeedResult) => void
}

export class Campaign {
  readonly counters = new Map<string, number>()
  passed = 0
  passedWhole = 0
  failed = 0
  steps = 0
  slowestMs = 0
  readonly #options: CampaignOptions
  #next: number

  constructor(options: CampaignOptions) {
    this.#options = options
    this.#next = options.from
  }

  async run(): Promise<void> {
    const { jobs } = this.#options
    await Promise.all(Array.from({ length: Math.max(1, jobs) }, () => this.#work()))
  }

  async #work(): Promise<void> {
    const worker = new Worker(new URL('./run-worker.ts', import.meta.url))
    while (!this.#isOver()) {
      const seed = this.#next
      this.#next += 1
      this.#take(await this.#ask(worker, seed))
    }
    await worker.terminate()
  }

  #isOver(): boolean {
    const { from, seeds, stopsAtFirst } = this.#options
    return this.#next >= from + seeds || (stopsAtFirst && this.failed > 0)
  }

  #ask(worker: Worker, seed: number): Promise<SeedResult> {
    const { sizes, isShrinking, choice } = this.#options
    return new Promise((resolve, reject) => {
      worker.removeAllListeners()
      worker.once('message', (result: SeedResult) => resolve(result))
      worker.once('error', reject)
      const world = worldOf(seed, choice)
      worker.postMessage({ seed, sizes, world, isShrinking } satisfies Asked)
    })
  }

  #take(result: SeedResult): void {
    this.steps += result.steps
    this.slowestMs = Math.max(this.slowestMs, result.finalizedAfterMs)
    for (const [what, count] of result.counters)
      this.counters.set(what, (this.counters.get(what) ?? 0) + count)
    if (result.failure !== null) {
      this.failed += 1
      return this.#options.onFailure(result)
    }
    this.passed += 1
    if (result.world === 'whole') this.passedWhole += 1
  }
}
