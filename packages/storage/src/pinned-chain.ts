// The chain as it was after one commit, for whoever reads it longer than the chain stands still: what
// is exported as a snapshot. It shows one state and its blocks, however many blocks follow or are
// pruned meanwhile.

import { decode } from '@mooring/codec'
import { requireValue } from './chain-check.ts'
import { type Floor, type StoredHeader, summarySchema, type Tip } from './chain-records.ts'
import type { PinnedDatabase } from './database.ts'
import type { EndedEpoch } from './epochs.ts'
import { StorageError } from './errors.ts'
import { type HistoryFrontier, readFrontier } from './history.ts'
import { blockKey, finalizationKey, headerKey, historyKey, summaryKey, valueKey } from './keys.ts'

/** Longer than any state key, so that it sorts behind them all. */
const BEHIND_STATE_KEYS = new Uint8Array(256).fill(0xff)

export interface StateValue {
  key: Uint8Array
  value: Uint8Array
}

export class PinnedChain {
  readonly tip: Tip
  readonly epochs: readonly EndedEpoch[]
  readonly #floor: Floor
  readonly #database: PinnedDatabase
  readonly #decodeHeader: (encoded: Uint8Array) => StoredHeader

  constructor(
    database: PinnedDatabase,
    decodeHeader: (encoded: Uint8Array) => StoredHeader,
    at: { tip: Tip; floor: Floor; epochs: readonly EndedEpoch[] },
  ) {
    this.tip = at.tip
    this.epochs = at.epochs
    this.#floor = at.floor
    this.#database = database
    this.#decodeHeader = decodeHeader
  }

  header(height: number): Uint8Array {
    return requireValue(this.#database, headerKey(height))
  }

  block(height: number): Uint8Array {
    const { prunedTo } = this.#floor
    if (height <= prunedTo) {
      throw new StorageError('pruned', 'the block is not kept here', { height, prunedTo })
    }
    return requireValue(this.#database, blockKey(height))
  }

  /** Of a sealing block, or of the tip when it has one of its own. */
  finalization(height: number): Uint8Array | undefined {
    return this.#database.getSync(finalizationKey(height))
  }

  /** The frontier of the history of the blocks below the height, genesis first. */
  frontierBelow(height: number): HistoryFrontier {
    if (height <= this.#floor.height) {
      const { prunedTo } = this.#floor
      throw new StorageError('pruned', 'the history is not kept here', { height, prunedTo })
    }
    return readFrontier(height, (level, index) =>
      requireValue(this.#database, historyKey(level, index)),
    )
  }

  /** The newest block that is not later than the time; the first there is when all of them are. */
  heightAt(time: number): number {
    const first = this.#floor.height + 1
    for (let height = this.tip.height; height > first; height -= 1) {
      const summary = decode(summarySchema, requireValue(this.#database, summaryKey(height)))
      if (summary.time <= time) return height
    }
    return first
  }

  /** The digest of the block below. */
  parentOf(height: number): Uint8Array {
    return this.#decodeHeader(this.header(height)).parent
  }

  /** Single values, not compared with the state root: for what is no more than a setting. */
  state(): { get(key: Uint8Array): Uint8Array | undefined } {
    return { get: (key) => this.#database.getSync(valueKey(key)) }
  }

  /** Every value of the state, in the order of the keys. */
  async *values(): AsyncGenerator<StateValue> {
    const range = { from: valueKey(new Uint8Array(0)), to: valueKey(BEHIND_STATE_KEYS) }
    for await (const { key, value } of this.#database.iterate(range)) {
      yield { key: key.subarray(1), value }
    }
  }

  async close(): Promise<void> {
    await this.#database.close()
  }
}
