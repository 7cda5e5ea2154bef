// What waits comes onto the chain: batches on a clock, one transaction for each. Accepted records come there
// by `record.anchor`, the entries of the access log by `access.log`, each from a store of its own.
//
//   waiting --tick or full--> batch, durable --submit--> anchor at the door --block--> anchored
//
// One round after another looks at what there is and does what is next, so a crash at any step needs
// no repair: the store knows what waits and which batches are open, the chain which roots it has.
// A batch is durable before anyone sees its root. It is anchored when a durable block says so, never
// because it was submitted.

import { randomBytes } from 'node:crypto'
import { equalBytes, toHex } from '@mooring/codec'
import type { KeyPair } from '@mooring/crypto'
import {
  accessKey,
  anchorKey,
  countersOf,
  createTransaction,
  decodeTransaction,
  type State,
} from '@mooring/ledger'
import { type AnchorBatch, BATCH_RECORDS_MAX, buildBatch } from '@mooring/records'
import type { BatchBytes, BatchedId, ChainStore, PrivateBatch } from '@mooring/storage'
import { type Attempt, isAlive, planAnchors } from './anchor-plan.ts'
import { batchIn, type BatchKind, searchAnchors } from './anchor-search.ts'
import type { Clock } from './clock.ts'
import type { CommittedBlock, Committer } from './committer.ts'
import {
  type BatchAnchor,
  type BatchAnchors,
  decodeBatch,
  encodeBatch,
  encodeBatchAnchor,
} from './custody.ts'
import type { Execution } from './execution.ts'
import type { Logger } from './logger.ts'
import type { Mempool } from './mempool.ts'
import type { Submitted } from './submitted.ts'
import type { Metrics } from './metrics.ts'
import { runInSlices } from './time-slices.ts'
import type { Tracing } from './tracing.ts'

export interface AnchoringOptions {
  organisation: string
  genesisDigest: Uint8Array
  anchorKey: KeyPair
  /** `record.anchor` unless given. */
  kind?: BatchKind
  /** Records wait so long for others to share a batch with. */
  tickMs: number
}

/** What waits, and the batches that were made of it: see the stores. */
export interface BatchStore {
  readonly waiting: number
  readonly lastBatch: number
  pending(limit: number): Promise<{ arrival: number; id: Uint8Array }[]>
  putBatch(batch: BatchBytes, ids: readonly BatchedId[]): Promise<number>
  unanchored(): Promise<PrivateBatch[]>
  markAnchored(sequence: number, anchor: Uint8Array): Promise<void>
}

export interface AnchoringModules {
  clock: Clock
  store: BatchStore
  anchors: BatchAnchors
  chain: Pick<ChainStore, 'tip' | 'prunedTo' | 'getBlock'>
  execution: Pick<Execution, 'finalState' | 'parameters'>
  mempool: Pick<Mempool, 'submit'>
  committer: Pick<Committer, 'subscribe'>
  logger: Logger
  metrics: Pick<Metrics, 'anchorBatchRecords' | 'records' | 'accessBatchEntries'>
  /** Does work on behalf of whoever these records came from. */
  within?: Tracing['within']
  onBatched: (records: readonly string[]) => void
  onAnchored: (records: readonly string[], height: number, batch: number) => void | Promise<void>
  /** The store failed: nothing is anchored any more. */
  onFatal: (error: unknown) => void
}

interface OpenBatch {
  readonly number: number
  readonly root: Uint8Array
  readonly bucket: number
  /** Ids of its records. */
  readonly records: readonly string[]
  attempt: Attempt | null
  offeredAt: number
}

const RULES = {
  'record.anchor': { counter: 'anchorSequence', rootKey: anchorKey },
  'access.log': { counter: 'accessSequence', rootKey: accessKey },
} as const

const LIFETIME_MS = 300_000
/** With so many open batches a longer wait makes fuller ones instead of more. */
const OPEN_MAX = 64
/** An anchor that is at the door for so long is handed in again, should the door have lost it. */
const OFFER_AGAIN_MS = 10_000
const RETRY_MS = 1_000
/** The same refusal is told again after so long. */
const REFUSALS_SILENT_MS = 30_000

export class Anchoring {
  readonly #options: AnchoringOptions
  readonly #modules: AnchoringModules
  readonly #kind: BatchKind
  #open: OpenBatch[] = []
  #seen: { root: Uint8Array; anchor: BatchAnchor }[] = []
  #hasSearched = false
  #isDue = false
  #isWoken = false
  #isStarted = false
  #isStopped = false
  #retryAt = 0
  #refusal = { code: '', silentUntil: 0 }
  #running: Promise<void> | null = null
  #unsubscribe: () => void = () => undefined
  #cancelTick: () => void = () => undefined
  #cancelRetry: () => void = () => undefined

  constructor(options: AnchoringOptions, modules: AnchoringModules) {
    this.#options = options
    this.#modules = modules
    this.#kind = options.kind ?? 'record.anchor'
  }

  /** Takes up what an earlier run left: records that wait, batches that are not anchored. */
  async start(): Promise<void> {
    const { store, committer, anchors } = this.#modules
    this.#unsubscribe = committer.subscribe((block) => this.#onBlock(block))
    for (const { sequence, batch } of await store.unanchored()) {
      anchors.opened(sequence)
      this.#open.push(openBatch(sequence, decodeBatch(batch)))
    }
    this.#isStarted = true
    this.#arm()
    this.#wake()
  }

  async close(): Promise<void> {
    this.#isStopped = true
    this.#unsubscribe()
    this.#cancelTick()
    this.#cancelRetry()
    await this.#running
  }

  /** Records were stored: a full batch does not wait for the clock. */
  added(): void {
    if (this.#waiting >= BATCH_RECORDS_MAX) this.#wake()
  }

  /** How many of its records are in batches that no final block anchors so far. */
  get inOpenBatches(): number {
    return this.#open.reduce((sum, { records }) => sum + records.length, 0)
  }

  /** Whether anchors are still to be looked for in blocks that came before. */
  needsBlocks(): boolean {
    if (!this.#hasSearched || this.#seen.length > 0) return true
    const state = this.#modules.execution.finalState()
    return this.#open.some((batch) => this.#isIn(state, batch))
  }

  get #waiting(): number {
    return this.#modules.store.waiting
  }

  #arm(): void {
    this.#cancelTick = this.#modules.clock.after(this.#options.tickMs, () => {
      if (this.#waiting > 0) this.#isDue = true
      if (this.#isDue || this.#open.length > 0) this.#wake()
      this.#arm()
    })
  }

  #wake(): void {
    this.#isWoken = true
    if (this.#isStarted && !this.#isStopped) this.#running ??= this.#run()
  }

  async #run(): Promise<void> {
    try {
      while (this.#isWoken && !this.#isStopped) {
        this.#isWoken = false
        await this.#round()
      }
    } catch (error) {
      this.#isStopped = true
      this.#modules.onFatal(error)
    } finally {
      this.#running = null
    }
  }

  async #round(): Promise<void> {
    await this.#settle()
    await this.#closeBatches()
    await this.#submitAnchors()
  }

  #onBlock({ height, receipts, transactions }: CommittedBlock): void {
    const { organisation, genesisDigest } = this.#options
    for (const receipt of receipts) {
      if (receipt.organisation !== organisation || receipt.kind !== this.#kind) continue
      const encoded = transactions[receipt.index]
      if (encoded === undefined) throw new Error('a receipt without its transaction')
      const { id: transaction, payload } = decodeTransaction(encoded, genesisDigest)
      const body = batchIn(payload, this.#kind)
      if (body === undefined) continue
      const { batchRoot: root, sequence } = body
      if (this.#isStarted && !this.#isOpen(root)) continue
      this.#seen.push({ root, anchor: { sequence, transaction, height } })
    }
    if (this.#open.length > 0) this.#wake()
  }

  /** Once all open ones are known: what somebody else signed with our key is no batch of this store. */
  #isOpen(root: Uint8Array): boolean {
    return this.#open.some((each) => equalBytes(each.root, root))
  }

  /** Marks what durable blocks anchored. */
  async #settle(): Promise<void> {
    if (!this.#hasSearched) await this.#search()
    for (const { root, anchor } of this.#seen.splice(0)) await this.#anchored(root, anchor)
  }

  /** Once, for blocks that came before this run was told of any; all later ones it is told of. */
  async #search(): Promise<void> {
    this.#hasSearched = true
    const state = this.#modules.execution.finalState()
    const roots = this.#open.filter((batch) => this.#isIn(state, batch)).map(({ root }) => root)
    const { organisation, genesisDigest } = this.#options
    const place = { kind: this.#kind, organisation, genesisDigest, roots }
    const search = searchAnchors(this.#modules.chain, place)
    await runInSlices(search, (found) => {
      if (found === undefined) return
      const { root, ...anchor } = found
      this.#seen.push({ root, anchor })
    })
  }

  #isIn(state: State, { root }: OpenBatch): boolean {
    return state.get(RULES[this.#kind].rootKey(this.#options.organisation, root)) !== undefined
  }

  async #anchored(root: Uint8Array, anchor: BatchAnchor): Promise<void> {
    const { store, anchors, logger, metrics, onAnchored } = this.#modules
    const batch = this.#open.find((each) => equalBytes(each.root, root))
    if (batch === undefined) return
    await store.markAnchored(batch.number, encodeBatchAnchor(anchor))
    this.#open = this.#open.filter((each) => each !== batch)
    anchors.anchored(batch.number, anchor)
    await onAnchored(batch.records, anchor.height, batch.number)
    const { sequence, height } = anchor
    const records = batch.records.length
    const kind = this.#kind
    logger.info('batch anchored', { kind, batch: batch.number, records, sequence, height })
    if (kind === 'access.log') return metrics.accessBatchEntries.observe(records)
    metrics.anchorBatchRecords.observe(records)
    metrics.records.inc({ kind: 'fhir', result: 'anchored' }, records)
  }

  async #closeBatches(): Promise<void> {
    while (this.#open.length < OPEN_MAX && !this.#isStopped) {
      const isFull = this.#waiting >= BATCH_RECORDS_MAX
      if (!isFull && !(this.#isDue && this.#waiting > 0)) return
      if (!isFull) this.#isDue = false
      await this.#closeBatch()
    }
  }

  async #closeBatch(): Promise<void> {
    const { clock, store, anchors, onBatched } = this.#modules
    const waiting = await store.pending(BATCH_RECORDS_MAX)
    const built = buildBatch(
      waiting.map(({ id }) => id),
      (length) => new Uint8Array(randomBytes(length)),
    )
    if ('code' in built) throw new Error(`records that wait make no batch: ${built.code}`)
    const batch: Omit<AnchorBatch, 'sequence'> = {
      root: built.root,
      bucket: built.bucket,
      leaves: [...built.leaves],
      positions: [...built.positions],
      createdAt: clock.wall(),
    }
    const places = waiting.map((record, index) => ({
      ...record,
      position: built.positions[index] ?? 0,
    }))
    const bytesOf = (sequence: number) => encodeBatch({ ...batch, sequence })
    const number = await store.putBatch(bytesOf, places)
    anchors.opened(number)
    const open = openBatch(number, batch)
    this.#open.push(open)
    onBatched(open.records)
  }

  async #submitAnchors(): Promise<void> {
    const { clock, chain, execution } = this.#modules
    const now = clock.monotonic()
    if (now < this.#retryAt) return
    const state = execution.finalState()
    const counters = countersOf(state, this.#options.organisation)
    const lastSequence = counters[RULES[this.#kind].counter]
    const position = { lastSequence, time: Math.max(clock.wall(), chain.tip.time) }
    const open = this.#open.filter((batch) => !this.#isIn(state, batch))
    const again = open.flatMap((batch) => {
      const { attempt, offeredAt } = batch
      if (attempt === null || !isAlive(attempt, position)) return []
      return now - offeredAt < OFFER_AGAIN_MS ? [] : [{ batch, sequence: attempt.sequence }]
    })
    const turns = [...planAnchors(open, position), ...again]
    for (const { batch, sequence } of turns.toSorted((a, b) => a.sequence - b.sequence)) {
      if (this.#isStopped || !(await this.#submit(batch, sequence, position.time))) return
    }
  }

  /** False when the next ones would fare no better. */
  async #submit(batch: OpenBatch, sequence: number, time: number): Promise<boolean> {
    const { clock, mempool, within } = this.#modules
    const signed = this.#signed(batch, sequence, time)
    const submit = () => mempool.submit(signed.transaction)
    const outcome = await (within?.(batch.records, submit) ?? submit())
    batch.offeredAt = clock.monotonic()
    if (outcome.status === 'rejected') return this.#onRefused(batch, signed, outcome)
    batch.attempt = signed
    return true
  }

  #signed({ root, bucket, attempt }: OpenBatch, sequence: number, time: number) {
    const { organisation, genesisDigest, anchorKey: keyPair } = this.#options
    const isOffered = attempt?.sequence === sequence && attempt.expiresAt > time
    if (isOffered && attempt.transaction !== null) {
      return { ...attempt, transaction: attempt.transaction }
    }
    const { expiryWindowMs } = this.#modules.execution.parameters
    const expiresAt = time + Math.min(LIFETIME_MS, Math.floor(expiryWindowMs / 2))
    const body = { organisation, sequence, batchRoot: root, sizeBucket: bucket }
    const kind = this.#kind
    const transaction = createTransaction({ genesisDigest, keyPair, kind, expiresAt, body })
    return { sequence, expiresAt, transaction }
  }

  #onRefused(
    batch: OpenBatch,
    { sequence, expiresAt }: Attempt,
    { code, expected }: Submitted & { status: 'rejected' },
  ): boolean {
    if (code === 'root_seen' || code === 'already_included') return true
    if (code === 'wrong_sequence' && expected !== undefined && expected > sequence) {
      batch.attempt = { sequence, expiresAt, transaction: null }
      return true
    }
    if (code === 'wrong_sequence' && expected !== undefined) this.#forgetFrom(expected)
    const { clock, logger } = this.#modules
    if (code !== this.#refusal.code || clock.monotonic() >= this.#refusal.silentUntil) {
      logger.warn('anchor refused', { kind: this.#kind, batch: batch.number, sequence, code })
      this.#refusal = { code, silentUntil: clock.monotonic() + REFUSALS_SILENT_MS }
    }
    this.#retryAt = clock.monotonic() + RETRY_MS
    this.#cancelRetry()
    this.#cancelRetry = clock.after(RETRY_MS, () => this.#wake())
    return false
  }

  /** The door waits for a sequence that it should have: what was handed in from there on is gone. */
  #forgetFrom(expected: number): void {
    for (const batch of this.#open) {
      if (batch.attempt !== null && batch.attempt.sequence >= expected) batch.attempt = null
    }
  }
}

function openBatch(
  number: number,
  { root, bucket, leaves, positions }: Omit<AnchorBatch, 'sequence'>,
): OpenBatch {
  const records = positions.map((position) => {
    const leaf = leaves[position]
    if (leaf === undefined) throw new Error(`batch ${number} has no leaf ${position}`)
    return toHex(leaf)
  })
  return { number, root, bucket, records, attempt: null, offeredAt: 0 }
}
