// The beginning of a chain in an empty database, and the check of the one found in another.

import { decode, equalBytes } from '@mooring/codec'
import { leafHash, MerkleFrontier } from '@mooring/crypto'
import {
  type Floor,
  floorSchema,
  historyOperations,
  type StoredHeader,
  type Tip,
  tipOperation,
  tipSchema,
} from './chain-records.ts'
import type { Database } from './database.ts'
import { StorageError, type StorageErrorDetails } from './errors.ts'
import { growHistory, readFrontier } from './history.ts'
import { floorKey, formatDatabaseKey, genesisKey, headerKey, historyKey, tipKey } from './keys.ts'
import type { StateEntry, StateTree } from './state-tree.ts'
import type { StartTurns } from './steps.ts'

export interface ChainGenesis {
  digest: Uint8Array
  time: number
  /** The state at height 0. */
  state: Iterable<StateEntry>
}

export interface ChainOptions {
  genesis: ChainGenesis
  decodeHeader: (encoded: Uint8Array) => StoredHeader
  /** A commit of many transactions is put together in these; without, all at once. */
  turns?: StartTurns
}

/** Checked when a chain is opened: more than the blocks that fit into two of LevelDB's logs. */
const NEWEST_HEADERS = 8192

export async function createChain(
  database: Database,
  state: StateTree,
  genesis: ChainGenesis,
): Promise<Tip> {
  if (database.getSync(genesisKey()) !== undefined) {
    throw new StorageError('missing', 'the tip of the chain is gone', { path: database.path })
  }
  const first = state.view().apply(genesis.state)
  const { nodes } = growHistory({ size: 0, digests: [] }, genesis.digest)
  const { digest, time } = genesis
  const tip = { height: 0, digest, time, stateRoot: first.root }
  await database.batch(
    [
      { type: 'put', key: genesisKey(), value: genesis.digest },
      ...historyOperations(nodes),
      ...state.begin(first),
      tipOperation(tip),
    ],
    { sync: true },
  )
  state.end()
  return tip
}

/** The last block of a database, as it says itself; whoever opens the chain checks it. */
export function tipOf(database: Pick<Database, 'getSync'>): Tip {
  return decode(tipSchema, requireValue(database, tipKey()))
}

/** Where the chain begins: at genesis, unless something says otherwise. */
export function readFloor(database: Pick<Database, 'getSync'>, genesis: ChainGenesis): Floor {
  const stored = database.getSync(floorKey())
  if (stored !== undefined) return decode(floorSchema, stored)
  return { height: 0, digest: genesis.digest, prunedTo: 0 }
}

export function checkChain(
  database: Database,
  { genesis, decodeHeader }: ChainOptions,
  { tip, floor, stateRoot }: { tip: Tip; floor: Floor; stateRoot: Uint8Array },
): void {
  const storedGenesis = requireValue(database, genesisKey())
  if (!equalBytes(storedGenesis, genesis.digest)) {
    throw new StorageError('wrong_network', 'the chain belongs to another genesis', {
      path: database.path,
    })
  }
  if (database.getSync(headerKey(tip.height + 1)) !== undefined) {
    throw damaged('the tip is older than the last block', { height: tip.height })
  }
  if (!equalBytes(tip.stateRoot, stateRoot)) {
    throw damaged('the state is not that of the tip', { height: tip.height })
  }
  if (floor.height > tip.height || floor.prunedTo > tip.height || floor.prunedTo < floor.height) {
    throw damaged('the chain begins above its tip', { height: tip.height })
  }
  checkNewest(database, decodeHeader, { tip, floor })
  checkHistory(database, decodeHeader, tip)
}

/** A value that the chain says exists. */
export function requireValue(database: Pick<Database, 'getSync'>, key: Uint8Array): Uint8Array {
  const value = database.getSync(key)
  if (value === undefined) {
    throw new StorageError('missing', 'a part of the chain is gone', {
      key: formatDatabaseKey(key),
    })
  }
  return value
}

function checkNewest(
  database: Database,
  decodeHeader: ChainOptions['decodeHeader'],
  { tip, floor }: { tip: Tip; floor: Floor },
): void {
  const lowest = Math.max(floor.height + 1, tip.height - NEWEST_HEADERS + 1)
  let expected = tip.digest
  for (let height = tip.height; height >= lowest; height -= 1) {
    const header = decodeHeader(requireValue(database, headerKey(height)))
    if (header.height !== height || !equalBytes(header.digest, expected)) {
      throw damaged('a header is not the parent of the next', { height })
    }
    if (height === tip.height && !equalBytes(header.stateRoot, tip.stateRoot)) {
      throw damaged('the tip is not what its header says', { height })
    }
    expected = header.parent
  }
  if (lowest === floor.height + 1 && !equalBytes(expected, floor.digest)) {
    throw damaged('the first block does not follow what is below it', { height: lowest })
  }
}

/** The header of the tip commits to the blocks before it; its own digest is the newest leaf. */
function checkHistory(
  database: Database,
  decodeHeader: ChainOptions['decodeHeader'],
  tip: Tip,
): void {
  const { height } = tip
  const readNode = (level: number, index: number) =>
    requireValue(database, historyKey(level, index))
  if (!equalBytes(readNode(0, height), leafHash(tip.digest))) {
    throw damaged('the history does not end with the tip', { height })
  }
  if (height === 0) return
  const { size, digests } = readFrontier(height, readNode)
  const { historyRoot } = decodeHeader(requireValue(database, headerKey(height)))
  if (!equalBytes(MerkleFrontier.from(size, digests).root(), historyRoot)) {
    throw damaged('the history is not what the tip commits to', { height })
  }
}

function damaged(message: string, details: StorageErrorDetails): StorageError {
  return new StorageError('corrupt', message, details)
}
