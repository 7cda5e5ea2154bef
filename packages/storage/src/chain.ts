// The final chain on disk: blocks, what finalized them, what they did, and the state after the
// last.
//
// Only final blocks come here, in order, and each commit is one atomic batch that is on the disk
// when it resolves: blocks, headers, finalizations, receipts, indexes, history nodes, state pages
// and values, and the tip. So whatever one batch wrote is there together or not at all.
//
// LevelDB can lose batches without a word: the newest when the end of its log is cut, and one in
// the middle when a log record is damaged. The first shows the chain as it was before, which is
// true, only old; the node compares with its journal and fetches the rest. The second leaves a
// hole. So opening (chain-check.ts) makes sure that the tip is the last block there is and that the
// newest blocks, as many as a log can hold, hang together. From then on what is missing at or below
// the tip is an error and never an answer, with one exception: a transaction id that the index lost
// looks like one that was never included. Only verifyChain finds that.
//
// Heights start at 1. Genesis is height 0, has no bytes here, and is the first leaf of the history.
//
// A chain may begin higher (chain-import.ts): then nothing is here at or below its base but the
// history's frontier, and the sealing blocks of ended epochs. And the bodies and receipts of old
// blocks may have been dropped. Both are asked for with the answer "pruned", for what is not kept is
// neither lost nor unknown.

import { decode, equalBytes } from '@mooring/codec'
import { MerkleFrontier } from '@mooring/crypto'
import {
  type ChainOptions,
  checkChain,
  createChain,
  readFloor,
  requireValue,
} from './chain-check.ts'
import {
  type FinalBlock,
  type Floor,
  floorOperation,
  heightSchema,
  historyOperations,
  locationSchema,
  operationsOf,
  type StoredHeader,
  summarySchema,
  type Tip,
  tipOperation,
  tipSchema,
  type TransactionLocation,
} from './chain-records.ts'
import type { Database, DatabaseOperation } from './database.ts'
import { type EndedEpoch, endedBy, epochOperation, readEpochs } from './epochs.ts'
import { StorageError, storageErrorOf } from './errors.ts'
import { growHistory, type HistoryFrontier, readFrontier, readHistoryPath } from './history.ts'
import {
  blockKey,
  digestKey,
  finalizationKey,
  headerKey,
  historyKey,
  receiptsKey,
  summaryKey,
  tipKey,
  transactionKey,
} from './keys.ts'
import { PinnedChain } from './pinned-chain.ts'
import { StateTree, type StateView } from './state-tree.ts'
import { inTurns, type StartTurns, withoutTurns } from './steps.ts'

export interface BlockTransactions {
  height: number
  time: number
  ids: Uint8Array[]
}

export interface StoredBlock {
  height: number
  block: Uint8Array
  /** Undefined when a later block finalized this one. */
  finalization: Uint8Array | undefined
}

const PRUNED_AT_ONCE = 256

export class ChainStore {
  readonly #database: Database
  readonly #decodeHeader: (encoded: Uint8Array) => StoredHeader
  readonly #turns: StartTurns
  readonly #state: StateTree
  #tip: Tip
  #floor: Floor
  #history: HistoryFrontier
  #epochs: readonly EndedEpoch[]
  /** The end of the queue of commits; never rejects: each caller gets its own error. */
  #queue: Promise<void> = Promise.resolve()
  #failure: StorageError | undefined

  private constructor(
    database: Database,
    options: ChainOptions,
    { state, tip, floor }: { state: StateTree; tip: Tip; floor: Floor },
  ) {
    this.#database = database
    this.#floor = floor
    this.#decodeHeader = options.decodeHeader
    this.#turns = options.turns ?? withoutTurns
    this.#state = state
    this.#tip = tip
    this.#history = readFrontier(tip.height + 1, this.#readNode)
    this.#epochs = readEpochs(database, options.decodeHeader, tip)
  }

  /** Starts a new chain from its genesis, or checks the one that is there. */
  static async open(database: Database, options: ChainOptions): Promise<ChainStore> {
    const state = StateTree.open(database)
    const stored = database.getSync(tipKey())
    const tip =
      stored === undefined
        ? await createChain(database, state, options.genesis)
        : decode(tipSchema, stored)
    const floor = readFloor(database, options.genesis)
    checkChain(database, options, { tip, floor, stateRoot: state.root })
    return new ChainStore(database, options, { state, tip, floor })
  }

  get tip(): Tip {
    return this.#tip
  }

  /** Nothing is kept of the blocks at or below this height; 0 when the chain is whole. */
  get base(): number {
    return this.#floor.height
  }

  /** Blocks at or below this height have no body here, and no receipts. */
  get prunedTo(): number {
    return this.#floor.prunedTo
  }

  /** One for each epoch that is over, oldest first; as many as the number of the present one. */
  epochs(): readonly EndedEpoch[] {
    return this.#epochs
  }

  /** The state after the tip. */
  state(): StateView {
    this.#refuseAfterFailure()
    return this.#state.view()
  }

  commit(block: FinalBlock): Promise<void> {
    return this.commitAll([block])
  }

  /** Makes the blocks durable, all or none; they must follow the tip and one another. */
  commitAll(blocks: readonly FinalBlock[]): Promise<void> {
    return this.#enqueue(() => this.#write(blocks))
  }

  /** The chain as it is when all commits so far are durable; the caller closes it. */
  pin(): Promise<PinnedChain> {
    return this.#enqueue(() => {
      const at = { tip: this.#tip, floor: this.#floor, epochs: this.#epochs }
      return Promise.resolve(new PinnedChain(this.#database.pin(), this.#decodeHeader, at))
    })
  }

  /**
   * Drops the bodies and receipts of the blocks up to the height, step by step, commits in between.
   * Whoever calls knows what must stay. Returns how many blocks that were.
   */
  async prune(to: number): Promise<number> {
    const first = this.#floor.prunedTo
    const last = Math.min(to, this.#tip.height - 1)
    for (let from = first; from < last; from += PRUNED_AT_ONCE) {
      await this.#enqueue(() => this.#drop(from, Math.min(from + PRUNED_AT_ONCE, last)))
    }
    if (last <= first) return 0
    for (const keyOf of [blockKey, receiptsKey]) {
      await this.#database.compact(keyOf(first), keyOf(last + 1))
    }
    return last - first
  }

  getBlock(at: number | Uint8Array): Uint8Array | undefined {
    return this.#read(at, blockKey, this.#floor.prunedTo)
  }

  getHeader(at: number | Uint8Array): Uint8Array | undefined {
    return this.#read(at, headerKey, this.#floor.height)
  }

  getReceipts(at: number | Uint8Array): Uint8Array | undefined {
    return this.#read(at, receiptsKey, this.#floor.prunedTo)
  }

  /** Undefined as well when a later block finalized this one: see finalizationAtOrAfter. */
  getFinalization(height: number): Uint8Array | undefined {
    if (!this.#has(height)) return undefined
    if (height <= this.#floor.height) return this.#below(height, finalizationKey)
    if (!this.#summary(height).isFinalized) return undefined
    return requireValue(this.#database, finalizationKey(height))
  }

  /** The finalization that covers the height: its own or that of the next block that has one. */
  finalizationAtOrAfter(height: number): { height: number; finalization: Uint8Array } | undefined {
    for (let at = Math.max(height, 1); at <= this.#tip.height; at += 1) {
      const finalization = this.getFinalization(at)
      if (finalization !== undefined) return { height: at, finalization }
    }
    return undefined
  }

  heightOf(digest: Uint8Array): number | undefined {
    const stored = this.#database.getSync(digestKey(digest))
    if (stored === undefined) return undefined
    const height = decode(heightSchema, stored)
    return this.#has(height) ? height : undefined
  }

  getTransaction(id: Uint8Array): TransactionLocation | undefined {
    const stored = this.#database.getSync(transactionKey(id))
    if (stored === undefined) return undefined
    const location = decode(locationSchema, stored)
    return this.#has(location.height) ? location : undefined
  }

  /** The blocks of a range, ends included, as far as the chain reaches. */
  *blocks(from: number, to: number): Generator<StoredBlock> {
    const first = Math.max(from, 1)
    if (first <= this.#floor.prunedTo) throw this.#pruned(first)
    for (let height = first; height <= to && this.#has(height); height += 1) {
      const block = requireValue(this.#database, blockKey(height))
      yield { height, block, finalization: this.getFinalization(height) }
    }
  }

  /** The transactions of all blocks not older than the time, oldest block first. */
  recentTransactionIds(since: number): BlockTransactions[] {
    const recent: BlockTransactions[] = []
    for (let height = this.#tip.height; height > this.#floor.height; height -= 1) {
      const { time, transactionIds } = this.#summary(height)
      if (time < since) break
      recent.push({ height, time, ids: transactionIds })
    }
    return recent.toReversed()
  }

  /** The history that the next block's header commits to: genesis to tip. */
  historyFrontier(): MerkleFrontier {
    return MerkleFrontier.from(this.#history.size, this.#history.digests)
  }

  /** The path of the block of that height in the history a header of height `size` commits to. */
  historyPath(height: number, size: number): Uint8Array[] {
    if (size > this.#history.size) throw new RangeError(`no history of ${size} blocks yet`)
    if (this.#floor.height > 0 && height <= this.#floor.height) throw this.#pruned(height)
    return readHistoryPath(height, size, this.#readNode)
  }

  readonly #readNode = (level: number, index: number): Uint8Array =>
    requireValue(this.#database, historyKey(level, index))

  #has(height: number): boolean {
    return Number.isSafeInteger(height) && height > 0 && height <= this.#tip.height
  }

  #read(
    at: number | Uint8Array,
    keyOf: (height: number) => Uint8Array,
    prunedTo: number,
  ): Uint8Array | undefined {
    const height = typeof at === 'number' ? at : this.heightOf(at)
    if (height === undefined || !this.#has(height)) return undefined
    if (height <= prunedTo) return this.#below(height, keyOf)
    return requireValue(this.#database, keyOf(height))
  }

  /** Of what is below, only the sealing blocks of ended epochs are kept: header and finalization. */
  #below(height: number, keyOf: (height: number) => Uint8Array): Uint8Array {
    const kept = this.#database.getSync(keyOf(height))
    if (kept === undefined) throw this.#pruned(height)
    return kept
  }

  #pruned(height: number): StorageError {
    const { prunedTo } = this.#floor
    return new StorageError('pruned', 'the block is not kept here', { height, prunedTo })
  }

  #enqueue<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(work)
    this.#queue = done.then(
      () => undefined,
      () => undefined,
    )
    return done
  }

  async #drop(from: number, to: number): Promise<void> {
    const floor = { ...this.#floor, prunedTo: to }
    const operations: DatabaseOperation[] = [floorOperation(floor)]
    for (let height = from + 1; height <= to; height += 1) {
      operations.push({ type: 'del', key: blockKey(height) })
      operations.push({ type: 'del', key: receiptsKey(height) })
    }
    await this.#database.batch(operations, { sync: true })
    this.#floor = floor
  }

  #summary(height: number) {
    return decode(summarySchema, requireValue(this.#database, summaryKey(height)))
  }

  /** After a failed write the base of the state is ahead of the disk. */
  #refuseAfterFailure(): void {
    if (this.#failure === undefined) return
    const message = 'the chain has stopped after a failed write'
    throw new StorageError(this.#failure.code, message, {}, { cause: this.#failure })
  }

  async #write(blocks: readonly FinalBlock[]): Promise<void> {
    this.#refuseAfterFailure()
    const last = blocks.at(-1)
    if (last === undefined) return
    const parts: Iterable<DatabaseOperation>[] = []
    let tip = this.#tip
    let history = this.#history
    let epochs = this.#epochs
    for (const block of blocks) {
      const header = this.#decodeHeader(block.header)
      refuseUnlessNext(block, header, { tip, history })
      const ended = endedBy(block, header, epochs.length)
      if (ended !== null) {
        epochs = [...epochs, ended]
        parts.push([epochOperation(ended)])
      }
      const { frontier, nodes } = growHistory(history, header.digest)
      parts.push(operationsOf(block, header), historyOperations(nodes))
      const { height, digest, time, stateRoot } = header
      tip = { height, digest, time, stateRoot }
      history = frontier
    }
    parts.push(this.#state.begin(last.state), [tipOperation(tip)])
    try {
      await this.#database.batch(oneAfterTheOther(parts), { sync: true, turns: this.#turns })
    } catch (error) {
      this.#failure = storageErrorOf(error, 'the chain cannot be written', this.#database.path)
      throw this.#failure
    }
    await inTurns(this.#state.endInSteps(), this.#turns)
    this.#tip = tip
    this.#history = history
    this.#epochs = epochs
  }
}

function* oneAfterTheOther<T>(parts: readonly Iterable<T>[]): Generator<T> {
  for (const part of parts) yield* part
}

function refuseUnlessNext(
  { digest, state }: FinalBlock,
  header: StoredHeader,
  { tip, history }: { tip: Tip; history: HistoryFrontier },
): void {
  const historyRoot = MerkleFrontier.from(history.size, history.digests).root()
  const faults = {
    height: header.height !== tip.height + 1,
    parent: !equalBytes(header.parent, tip.digest),
    digest: !equalBytes(header.digest, digest),
    stateRoot: !equalBytes(header.stateRoot, state.root),
    historyRoot: !equalBytes(header.historyRoot, historyRoot),
  }
  const fault = Object.entries(faults).find(([, isFault]) => isFault)
  if (fault === undefined) return
  throw new StorageError('out_of_order', 'the block does not follow the tip', {
    height: header.height,
    tip: tip.height,
    fault: fault[0],
  })
}
