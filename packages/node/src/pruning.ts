// Which bodies and receipts of old blocks may be dropped, and their dropping.
//
// Headers, finalizations, the history and where each transaction stands stay for ever. A body goes when it
// is older than the retention, and only while nothing still needs it:
//
//   window     a transaction in it could be sent again: replay protection, and the next snapshot
//   snapshot   who starts from our oldest snapshot asks for the blocks after it; without one, nobody who
//              comes new could start at all
//   records    an anchor of this custodian is on the chain, and where has not been looked up yet
//   hold       somebody said that nothing may be dropped
//
// The plan says for each of them up to which height it would let go; the lowest counts.

import { type Genesis, decodeHeader } from '@mooring/ledger'
import { type ChainStore, listSnapshots } from '@mooring/storage'
import type { Clock } from './clock.ts'
import { type Hold, readHolds } from './holds.ts'
import type { Logger } from './logger.ts'
import type { Retention } from './option-values.ts'
import { windowMsOf } from './snapshot-check.ts'

const FIRST_RUN_MS = 60_000
const LOOK_MS = 5_000
const INTERVAL_MS = 600_000

export type PruneLimit = 'retention' | 'window' | 'snapshot' | 'records' | 'hold'

export interface PrunePlan {
  readonly height: number
  /** Nothing is kept at or below; 0 when the chain began at genesis. */
  readonly base: number
  readonly prunedTo: number
  /** Bodies up to here may go now. */
  readonly prunableTo: number
  readonly limits: readonly { readonly limit: PruneLimit; readonly to: number }[]
  readonly holds: readonly Hold[]
}

export interface PruningOptions {
  home: string
  snapshotsFolder: string
  retention: Retention
  genesis: Genesis
}

export interface PruningModules {
  chain: Pick<ChainStore, 'tip' | 'base' | 'prunedTo' | 'state' | 'getHeader' | 'prune'>
  /** Wall-clock time. */
  now: () => number
  /** Whether anchors are still to be looked for in old blocks. */
  needsBlocks: () => boolean
}

export async function planPruning(
  options: PruningOptions,
  modules: PruningModules,
): Promise<PrunePlan> {
  const { chain, needsBlocks } = modules
  const { tip, base, prunedTo } = chain
  const holds = await readHolds(options.home)
  const snapshots = await listSnapshots(options.snapshotsFolder)
  const limits: { limit: PruneLimit; to: number }[] = [
    { limit: 'retention', to: retentionLimit(options.retention, modules) },
    { limit: 'window', to: windowLimit(options.genesis, chain) },
    { limit: 'snapshot', to: snapshots.at(-1) ?? 0 },
  ]
  if (needsBlocks()) limits.push({ limit: 'records', to: 0 })
  if (holds.length > 0) limits.push({ limit: 'hold', to: 0 })
  const lowest = Math.min(...limits.map(({ to }) => to))
  const prunableTo = Math.max(prunedTo, lowest)
  return { height: tip.height, base, prunedTo, prunableTo, limits, holds }
}

/** Drops what the plan of this moment lets go. */
export async function runPruning(
  options: PruningOptions,
  modules: PruningModules,
): Promise<{ plan: PrunePlan; blocks: number }> {
  const plan = await planPruning(options, modules)
  const blocks = await modules.chain.prune(plan.prunableTo)
  return { plan, blocks }
}

/** Prunes now and then, as long as a retention is set. */
export class Pruning {
  readonly #options: PruningOptions
  readonly #modules: PruningModules & { clock: Clock; logger: Logger }
  #running: Promise<unknown> = Promise.resolve()
  #cancel: () => void = () => undefined
  #cancelLook: () => void = () => undefined
  #holds: readonly Hold[] = []
  #isClosed = false

  constructor(options: PruningOptions, modules: PruningModules & { clock: Clock; logger: Logger }) {
    this.#options = options
    this.#modules = modules
    if (options.retention.kind !== 'forever') this.#arm(FIRST_RUN_MS)
    this.#look()
  }

  get retention(): Retention {
    return this.#options.retention
  }

  /** As they were a few seconds ago. */
  holds(): readonly Hold[] {
    return this.#holds
  }

  plan(): Promise<PrunePlan> {
    return planPruning(this.#options, this.#modules)
  }

  /** One at a time. */
  run(): Promise<{ plan: PrunePlan; blocks: number }> {
    const run = this.#running.then(() => runPruning(this.#options, this.#modules))
    this.#running = run.catch(() => undefined)
    return run
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#cancel()
    this.#cancelLook()
    await this.#running
  }

  #look(): void {
    const { clock, logger } = this.#modules
    readHolds(this.#options.home)
      .then((holds) => {
        this.#holds = holds
      })
      .catch((error: unknown) => logger.error('the legal holds cannot be read', { error }))
      .finally(() => {
        if (!this.#isClosed) this.#cancelLook = clock.after(LOOK_MS, () => this.#look())
      })
  }

  #arm(ms: number): void {
    const { clock, logger } = this.#modules
    this.#cancel = clock.after(ms, () => {
      this.run()
        .then(({ plan, blocks }) => {
          if (blocks > 0) logger.info('old blocks were dropped', { blocks, to: plan.prunableTo })
        })
        .catch((error: unknown) => logger.error('old blocks could not be dropped', { error }))
        .finally(() => {
          if (!this.#isClosed) this.#arm(INTERVAL_MS)
        })
    })
  }
}

function retentionLimit(retention: Retention, { chain, now }: PruningModules): number {
  switch (retention.kind) {
    case 'forever':
      return 0
    case 'blocks':
      return Math.max(0, chain.tip.height - retention.count)
    case 'time':
      return heightNotAfter(chain, now() - retention.ms)
  }
}

/** The block below the window is the first that may go. */
function windowLimit(genesis: Genesis, chain: PruningModules['chain']): number {
  const windowMs = windowMsOf(chain.state(), genesis)
  return Math.max(0, heightNotAfter(chain, chain.tip.time - windowMs) - 1)
}

/** The newest block that is not later than the time; the base when all are. */
function heightNotAfter(chain: PruningModules['chain'], time: number): number {
  let low = chain.base
  let high = chain.tip.height
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    const encoded = chain.getHeader(middle)
    if (encoded !== undefined && decodeHeader(encoded).time <= time) low = middle
    else high = middle - 1
  }
  return low
}
