/*
 * Runs many seeds on all cores, or follows one.
 *
 *   npm run sim -- [--seeds <n>] [--from <seed>] [--seed <one>] [--nodes <a>..<b>]
 *                  [--world core|whole|both] [--jobs <n>] [--trace] [--first]
 *
 * Two worlds take turns: `core` is the state machine of agreement alone, fast and with every liberty;
 * `whole` is the code of a node around it, on simulated networks, disks and clocks.
 *
 * A seed means the same run on every machine, for the same range of nodes. `--trace` runs one seed and
 * prints every step; `--first` ends at the first failure. After a thousand seeds or more, whatever the
 * runs are meant to reach and never reached is a failure too: a simulation that avoids the hard cases
 * proves nothing. The last line says how many seeds passed and failed.
 */
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import type { Sizes } from './plan.ts'
import type { SeedResult } from './seed-result.ts'
import { traceOf } from './trace-seed.ts'
import { WHOLE_MUST_REACH } from './whole/must-reach.ts'
import { isWorldChoice, type WorldChoice, worldOf } from './worlds.ts'

const MUST_REACH = [
  'crash',
  'crash after the sync',
  'crash before the journal',
  'crash before the sync',
  'cut: everything',
  'cut: marks',
  'cut: nothing',
  'cut: records',
  'cut: torn',
  'evidence: conflicting_finalize',
  'evidence: conflicting_notarize',
  'evidence: nullify_finalize',
  'fetch',
  'finalization of an old view',
  'halt: duplicate_key',
  'links: deaf',
  'links: halves',
  'links: isolated',
  'links: one way',
  'links: ring',
  'notarized and nullified view',
  'power cut',
  'restart with an unfinished commit',
  'split certificates',
  'sync',
  'synced range',
]
const ENOUGH_SEEDS = 1_000
const ENOUGH_WHOLE_SEEDS = 300

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '200' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    world: { type: 'string', default: 'both' },
    nodes: { type: 'string', default: '4..10' },
    jobs: { type: 'string', default: String(availableParallelism()) },
    trace: { type: 'boolean', default: false },
    first: { type: 'boolean', default: false },
  },
})

function wholeNumber(text: string): number {
  if (/^\d+$/.test(text)) return Number(text)
  throw new RangeError(`a whole number is needed, not "${text}"`)
}

function sizesOf(text: string): Sizes {
  const [low = text, high = low] = text.split('..')
  return { low: wholeNumber(low), high: wholeNumber(high) }
}

function worldChoiceOf(text: string): WorldChoice {
  if (isWorldChoice(text)) return text
  throw new RangeError(`a world is core, whole or both, not "${text}"`)
}

class Campaign {
  readonly counters = new Map<string, number>()
  readonly failures: SeedResult[] = []
  passed = 0
  passedWhole = 0
  steps = 0
  slowestMs = 0
  readonly #sizes: Sizes
  readonly #end: number
  #next: number

  constructor(from: number, seeds: number, sizes: Sizes) {
    this.#next = from
    this.#end = from + seeds
    this.#sizes = sizes
  }

  async run(jobs: number, stopsAtFirst: boolean): Promise<void> {
    const isOver = (): boolean =>
      this.#next >= this.#end || (stopsAtFirst && this.failures.length > 0)
    const work = async (): Promise<void> => {
      const worker = new Worker(new URL('./run-worker.ts', import.meta.url))
      while (!isOver()) {
        const seed = this.#next
        this.#next += 1
        this.#take(await this.#ask(worker, seed))
      }
      await worker.terminate()
    }
    await Promise.all(Array.from({ length: Math.max(1, jobs) }, work))
  }

  #ask(worker: Worker, seed: number): Promise<SeedResult> {
    return new Promise((resolve, reject) => {
      worker.removeAllListeners()
      worker.once('message', (result: SeedResult) => resolve(result))
      worker.once('error', reject)
      worker.postMessage({ seed, sizes: this.#sizes, world: worldOf(seed, choice) })
    })
  }

  #take(result: SeedResult): void {
    this.steps += result.steps
    this.slowestMs = Math.max(this.slowestMs, result.finalizedAfterMs)
    for (const [what, count] of result.counters)
      this.counters.set(what, (this.counters.get(what) ?? 0) + count)
    if (result.failure === null) {
      this.passed += 1
      if (result.world === 'whole') this.passedWhole += 1
      return
    }
    this.failures.push(result)
    console.log(`FAIL  ${result.failure.detail}`)
    const which = `--world ${result.world} --seed ${result.seed} --nodes ${values.nodes}`
    console.log(`      npm run sim -- ${which} --trace`)
  }
}

const sizes = sizesOf(values.nodes)
const choice = worldChoiceOf(values.world)
const from = wholeNumber(values.seed ?? values.from)
const seeds = values.seed === undefined ? wholeNumber(values.seeds) : 1
if (values.trace) {
  const { lines, holds } = await traceOf(from, sizes, worldOf(from, choice))
  console.log(lines.join('\n'))
  process.exitCode = holds ? 0 : 1
} else {
  const campaign = new Campaign(from, seeds, sizes)
  const begun = performance.now()
  await campaign.run(wholeNumber(values.jobs), values.first)
  const seconds = (performance.now() - begun) / 1_000
  const { passed, passedWhole, failures, counters, steps } = campaign
  const sorted = [...counters].toSorted(([a], [b]) => a.localeCompare(b))
  for (const [what, count] of sorted) console.log(`${String(count).padStart(9)}  ${what}`)
  const wanted = [
    ...(passed - passedWhole >= ENOUGH_SEEDS ? MUST_REACH : []),
    ...(passedWhole >= ENOUGH_WHOLE_SEEDS ? WHOLE_MUST_REACH.map((what) => `whole: ${what}`) : []),
  ]
  const missed = wanted.filter((what) => !counters.has(what))
  const isWanting = missed.length > 0
  if (isWanting) console.log(`FAIL  never reached: ${missed.join(', ')}`)
  const rate = ((passed + failures.length) / seconds).toFixed(1)
  console.log(
    `${rate} seeds/s, ${Math.round(steps / seconds)} steps/s, finality at most ${campaign.slowestMs} ms after the calm`,
  )
  console.log(`${passed} passed, ${failures.length} failed`)
  process.exitCode = failures.length === 0 && !isWanting ? 0 : 1
}
