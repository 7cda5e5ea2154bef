// The whole chain database read and compared with what it says of itself: every header with its
// child, every block, summary and index entry with its height, every history node, every page and
// value of the state. It reports all it finds instead of stopping at the first, and finds what no
// single read can: a transaction that its index lost, a value that no leaf of the state knows.
//
// It compares bytes with digests; whether the blocks are valid and final is for ledger and
// consensus to say. For the files below, open the database with checkedBytesMax: Infinity.

import { setImmediate } from 'node:timers/promises'
import { decode, equalBytes } from '@mooring/codec'
import { type ChainOptions, readFloor, requireValue } from './chain-check.ts'
import {
  type Floor,
  heightSchema,
  locationSchema,
  type StoredHeader,
  summarySchema,
  type Tip,
  tipSchema,
} from './chain-records.ts'
import type { Database } from './database.ts'
import { readEnd } from './epochs.ts'
import { StorageError } from './errors.ts'
import { growHistory, type HistoryFrontier, readFrontier } from './history.ts'
import {
  blockKey,
  digestKey,
  epochKey,
  finalizationKey,
  formatDatabaseKey,
  headerKey,
  historyKey,
  receiptsKey,
  summaryKey,
  tipKey,
  transactionKey,
  valueKey,
} from './keys.ts'
import { StateTree } from './state-tree.ts'

export interface ChainVerification {
  blocks: number
  transactions: number
  stateValues: number
  problems: StorageError[]
}

/** Open, or pinned at one moment. */
type Readable = Pick<Database, 'getSync' | 'iterate'>

/** Longer than any state key, so that it sorts behind them all. */
const BEHIND_STATE_KEYS = new Uint8Array(256).fill(0xff)
const BLOCKS_A_TURN = 50

export async function verifyChain(
  database: Readable,
  { genesis, decodeHeader }: ChainOptions,
): Promise<ChainVerification> {
  const found: ChainVerification = { blocks: 0, transactions: 0, stateValues: 0, problems: [] }
  const note = noteInto(found.problems)
  const tip = note(() => decode(tipSchema, requireValue(database, tipKey())))
  if (tip === undefined) return found
  const floor = note(() => readFloor(database, genesis))
  if (floor === undefined) return found
  let parent = floor.digest
  let history = verifyBelow(database, note, floor)
  let epochs = epochsBelow(database, note, { floor, decodeHeader })
  for (let height = floor.height + 1; height <= tip.height; height += 1) {
    const header = verifyHeader(database, note, { height, parent, decodeHeader })
    const digest = header?.digest ?? parent
    history = verifyHistory(database, note, { history, digest })
    parent = digest
    const hasBody = height > floor.prunedTo
    found.transactions += verifyBlock(database, note, { height, digest, hasBody })
    found.blocks += 1
    if (header !== undefined && header.nextAuthoritySetDigest !== null) {
      verifyEnd(database, note, { epoch: epochs, height, decodeHeader })
      epochs += 1
    }
    if (height % BLOCKS_A_TURN === 0) await setImmediate()
  }
  note(() => {
    if (!equalBytes(parent, tip.digest)) throw wrong(tipKey())
  })
  found.stateValues = await verifyState(database, note, tip)
  return found
}

/** Runs a check and keeps its StorageError; any other error is a bug. */
type Note = <T>(check: () => T) => T | undefined

function noteInto(problems: StorageError[]): Note {
  return (check) => {
    try {
      return check()
    } catch (error) {
      if (!(error instanceof StorageError)) throw error
      problems.push(error)
      return undefined
    }
  }
}

/** The history that the first block of the chain stands on: genesis, or the frontier of what is below. */
function verifyBelow(database: Readable, note: Note, { height, digest }: Floor): HistoryFrontier {
  const nothing = { size: 0, digests: [] }
  if (height === 0) return verifyHistory(database, note, { history: nothing, digest })
  const read = (level: number, index: number) => requireValue(database, historyKey(level, index))
  return note(() => readFrontier(height + 1, read)) ?? nothing
}

/** How many epochs ended below the chain; each must still be known. */
function epochsBelow(
  database: Readable,
  note: Note,
  { floor, decodeHeader }: { floor: Floor; decodeHeader: ChainOptions['decodeHeader'] },
): number {
  for (let epoch = 0; ; epoch += 1) {
    const ended = note(() => readEnd(database, decodeHeader, epoch))
    if (ended === undefined || ended.height > floor.height) return epoch
  }
}

/** Undefined when there is no header to go on with. */
function verifyHeader(
  database: Readable,
  note: Note,
  expected: { height: number; parent: Uint8Array; decodeHeader: ChainOptions['decodeHeader'] },
): StoredHeader | undefined {
  const key = headerKey(expected.height)
  const header: StoredHeader | undefined = note(() =>
    expected.decodeHeader(requireValue(database, key)),
  )
  note(() => {
    if (header === undefined) return
    const isNext = header.height === expected.height && equalBytes(header.parent, expected.parent)
    if (!isNext) throw wrong(key)
  })
  return header
}

/** A sealing block is in the index of epochs, as the end of its own. */
function verifyEnd(
  database: Readable,
  note: Note,
  expected: { epoch: number; height: number; decodeHeader: ChainOptions['decodeHeader'] },
): void {
  const { epoch, height, decodeHeader } = expected
  note(() => {
    const ended = readEnd(database, decodeHeader, epoch)
    if (ended === undefined) requireValue(database, epochKey(epoch))
    else if (ended.height !== height) throw wrong(epochKey(epoch))
  })
}

function verifyHistory(
  database: Readable,
  note: Note,
  { history, digest }: { history: HistoryFrontier; digest: Uint8Array },
): HistoryFrontier {
  const { frontier, nodes } = growHistory(history, digest)
  for (const node of nodes) {
    note(() => {
      const key = historyKey(node.level, node.index)
      if (!equalBytes(requireValue(database, key), node.digest)) throw wrong(key)
    })
  }
  return frontier
}

/** The number of transactions in the block. */
function verifyBlock(
  database: Readable,
  note: Note,
  { height, digest, hasBody }: { height: number; digest: Uint8Array; hasBody: boolean },
): number {
  for (const key of [blockKey(height), receiptsKey(height)]) {
    if (hasBody) note(() => requireValue(database, key))
    else if (database.getSync(key) !== undefined)
      note(() => {
        throw wrong(key)
      })
  }
  note(() => {
    const key = digestKey(digest)
    if (decode(heightSchema, requireValue(database, key)) !== height) throw wrong(key)
  })
  const summary = note(() => decode(summarySchema, requireValue(database, summaryKey(height))))
  if (summary === undefined) return 0
  if (summary.isFinalized) note(() => requireValue(database, finalizationKey(height)))
  for (const [index, id] of summary.transactionIds.entries()) {
    note(() => {
      const key = transactionKey(id)
      const location = decode(locationSchema, requireValue(database, key))
      if (location.height !== height || location.index !== index) throw wrong(key)
    })
  }
  return summary.transactionIds.length
}

/** The number of values in the state. */
async function verifyState(database: Readable, note: Note, tip: Tip): Promise<number> {
  const tree = note(() => StateTree.open(database))
  if (tree === undefined) return 0
  note(() => {
    if (!equalBytes(tree.root, tip.stateRoot)) throw wrong(tipKey())
  })
  const leaves = countLeaves(tree, note)
  const view = tree.view()
  let values = 0
  const range = { from: valueKey(new Uint8Array(0)), to: valueKey(BEHIND_STATE_KEYS) }
  for await (const { key } of database.iterate(range)) {
    values += 1
    note(() => {
      if (view.get(key.subarray(1)) === undefined) throw wrong(key)
    })
    if (values % 1000 === 0) await setImmediate()
  }
  note(() => {
    if (leaves === values) return
    throw new StorageError('missing', 'the state has leaves without a value', { leaves, values })
  })
  return values
}

function countLeaves(tree: StateTree, note: Note): number {
  let leaves = 0
  const visit = (path: string, digest: Uint8Array): void => {
    const page = note(() => tree.page(path, digest))
    if (page === undefined) return
    for (let slot = 0; slot < 16; slot += 1) {
      const subtree = page.slot(slot)
      if (subtree.kind === 'leaf') leaves += 1
      if (subtree.kind === 'node') visit(path + slot.toString(16), subtree.digest)
    }
  }
  visit('', tree.root)
  return leaves
}

function wrong(key: Uint8Array): StorageError {
  return new StorageError('corrupt', 'a part of the chain contradicts another', {
    key: formatDatabaseKey(key),
  })
}
