// A chain that begins with a snapshot, written into an empty database.
//
// The state comes in pieces, in any order; the window, the newest blocks, with their bodies; the rest
// of the history as its frontier. Nothing makes a chain of it before finish(): the genesis and the tip
// are written last, so that an import that was cut short is a database without a chain, which
// whoever imports throws away. Whether any of it may be believed is for the caller to know; here is
// only seen to it that the parts are parts of one chain.

import { equalBytes } from '@mooring/codec'
import { STATE_EMPTY_ROOT } from '@mooring/crypto'
import {
  type Floor,
  floorOperation,
  historyOperations,
  operationsOf,
  type FinalBlock,
  type StoredHeader,
  type Tip,
  tipOperation,
} from './chain-records.ts'
import { type Database, type DatabaseOperation, put } from './database.ts'
import { type EndedEpoch, epochOperation } from './epochs.ts'
import { StorageError } from './errors.ts'
import { growHistory, type HistoryFrontier, type HistoryNode } from './history.ts'
import { finalizationKey, genesisKey, headerKey, tipKey, valueKey } from './keys.ts'
import { LeafBuild } from './leaf-build.ts'
import type { StateValue } from './pinned-chain.ts'
import { StateTree, type StateView } from './state-tree.ts'

/** An ended epoch with its sealing block's header and finalization, which are kept for ever. */
export interface ImportedEpoch extends EndedEpoch {
  readonly header: Uint8Array
  readonly finalization: Uint8Array
}

export interface ImportStart {
  genesisDigest: Uint8Array
  /** The block below the first of the window. */
  base: { height: number; digest: Uint8Array }
  /** Of the blocks up to the base, genesis first. */
  frontier: HistoryFrontier
}

export class ChainImport {
  readonly #database: Database
  readonly #decodeHeader: (encoded: Uint8Array) => StoredHeader
  readonly #leaves: LeafBuild
  readonly #start: ImportStart
  #history: HistoryFrontier
  #tip: Tip

  private constructor(
    database: Database,
    decodeHeader: (encoded: Uint8Array) => StoredHeader,
    start: ImportStart,
  ) {
    const { base, frontier } = start
    this.#database = database
    this.#decodeHeader = decodeHeader
    this.#leaves = new LeafBuild(database)
    this.#start = start
    this.#history = frontier
    this.#tip = { ...base, time: 0, stateRoot: STATE_EMPTY_ROOT }
  }

  static async open(
    database: Database,
    decodeHeader: (encoded: Uint8Array) => StoredHeader,
    start: ImportStart,
  ): Promise<ChainImport> {
    if (database.getSync(tipKey()) !== undefined || database.getSync(genesisKey()) !== undefined) {
      throw new StorageError('out_of_order', 'there is a chain in the database already')
    }
    const { frontier, base } = start
    if (frontier.size !== base.height + 1) {
      throw new StorageError('out_of_order', 'the frontier is not that of the blocks below', {
        height: base.height,
        size: frontier.size,
      })
    }
    await database.batch(historyOperations(frontierNodes(frontier)), { sync: false })
    return new ChainImport(database, decodeHeader, start)
  }

  /** Of several values of one key the last counts. */
  async addValues(values: readonly StateValue[]): Promise<void> {
    const operations = values.map(({ key, value }) => put(valueKey(key), value))
    const written = this.#database.batch(operations, { sync: false })
    await Promise.all([written, this.#leaves.add(values)])
  }

  /** The state of all values. */
  async state(): Promise<StateView> {
    await this.#leaves.finish()
    return StateTree.open(this.#database).view()
  }

  /** The next blocks of the window. */
  async addBlocks(blocks: readonly Omit<FinalBlock, 'state' | 'nextAuthorities'>[]): Promise<void> {
    const operations: DatabaseOperation[] = []
    for (const block of blocks) {
      const header = this.#decodeHeader(block.header)
      const { height, digest, time, stateRoot } = header
      if (height !== this.#tip.height + 1 || !equalBytes(header.parent, this.#tip.digest)) {
        throw new StorageError('out_of_order', 'a block does not follow the one before', { height })
      }
      const { frontier, nodes } = growHistory(this.#history, digest)
      operations.push(...operationsOf(block, header), ...historyOperations(nodes))
      this.#history = frontier
      this.#tip = { height, digest, time, stateRoot }
    }
    await this.#database.batch(operations, { sync: false })
  }

  /** Makes it a chain, if the state is that of the last block. Durable when it resolves. */
  async finish(epochs: readonly ImportedEpoch[]): Promise<Tip> {
    const hasBlocks = this.#tip.height > this.#start.base.height
    const { root } = await this.state()
    if (!hasBlocks || !equalBytes(root, this.#tip.stateRoot)) {
      throw new StorageError('out_of_order', 'the state is not that of the last block', {
        height: this.#tip.height,
      })
    }
    const { base, genesisDigest } = this.#start
    const floor: Floor = { ...base, prunedTo: base.height }
    const operations: DatabaseOperation[] = [
      { type: 'put', key: genesisKey(), value: genesisDigest },
      floorOperation(floor),
      tipOperation(this.#tip),
    ]
    for (const ended of epochs) {
      const { height, header, finalization } = ended
      operations.push(epochOperation(ended))
      operations.push({ type: 'put', key: headerKey(height), value: header })
      operations.push({ type: 'put', key: finalizationKey(height), value: finalization })
    }
    await this.#database.batch(operations, { sync: true })
    return this.#tip
  }
}

/** Where the subtrees of a frontier stand; the leaf of the last block is one of its own. */
function frontierNodes({ size, digests }: HistoryFrontier): HistoryNode[] {
  const nodes: HistoryNode[] = []
  let start = 0
  for (const digest of digests) {
    let level = 0
    while (2 ** (level + 1) <= size - start) level += 1
    nodes.push({ level, index: start / 2 ** level, digest })
    start += 2 ** level
  }
  return nodes
}

/** The frontier after these blocks, to be compared with what a later header commits to. */
export function frontierAfter(
  frontier: HistoryFrontier,
  digests: readonly Uint8Array[],
): HistoryFrontier {
  return digests.reduce((grown, digest) => growHistory(grown, digest).frontier, frontier)
}
