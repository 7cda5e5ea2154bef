// What the chain database stores for a block, and in which form.

import { bool, bytes, encode, type Infer, list, struct, uint, versioned } from '@mooring/codec'
import { type DatabaseOperation, put } from './database.ts'
import type { HistoryNode } from './history.ts'
import {
  blockKey,
  digestKey,
  finalizationKey,
  floorKey,
  headerKey,
  historyKey,
  receiptsKey,
  summaryKey,
  tipKey,
  transactionKey,
} from './keys.ts'
import type { StateView } from './state-tree.ts'

const TRANSACTIONS_MAX = 200_000

export const tipSchema = versioned(1, {
  height: uint(),
  digest: bytes(32),
  time: uint(),
  stateRoot: bytes(32),
})

/** The last committed block; at height 0 genesis. */
export type Tip = Infer<typeof tipSchema>

export const floorSchema = versioned(1, {
  height: uint(),
  digest: bytes(32),
  prunedTo: uint(),
})

/**
 * What is below the chain: the last block of which nothing is kept but its place in the history
 * (genesis, unless the chain began with a snapshot), and the height up to which the bodies and
 * receipts were dropped, which is never less.
 */
export type Floor = Infer<typeof floorSchema>

export const summarySchema = versioned(1, {
  time: uint(),
  /** Whether it has a finalization of its own, rather than by a later block. */
  isFinalized: bool(),
  transactionIds: list(bytes(32), TRANSACTIONS_MAX),
})

export const heightSchema = uint()

export const locationSchema = struct({ height: uint(), index: uint() })

/** Where a transaction stands in the chain. */
export type TransactionLocation = Infer<typeof locationSchema>

/** What storage must know of a header; whoever opens the chain knows how to decode one. */
export interface StoredHeader {
  epoch: number
  height: number
  digest: Uint8Array
  parent: Uint8Array
  time: number
  stateRoot: Uint8Array
  historyRoot: Uint8Array
  /** Not null in the sealing block of an epoch. */
  nextAuthoritySetDigest: Uint8Array | null
}

/** A final block with everything that is kept about it. */
export interface FinalBlock {
  /** Encoded, header included. */
  block: Uint8Array
  header: Uint8Array
  digest: Uint8Array
  /** Null when a later block finalized this one. */
  finalization: Uint8Array | null
  /** The encoded authority set of the next epoch, when this block ends its own. */
  nextAuthorities: Uint8Array | null
  receipts: Uint8Array
  /** In the order of the block. */
  transactionIds: readonly Uint8Array[]
  /** After the block. */
  state: StateView
}

export function* operationsOf(
  final: Omit<FinalBlock, 'state' | 'nextAuthorities'>,
  { height, time }: StoredHeader,
): Generator<DatabaseOperation> {
  const { block, header, digest, finalization, receipts, transactionIds } = final
  const summary = { time, isFinalized: finalization !== null, transactionIds: [...transactionIds] }
  yield put(blockKey(height), block)
  yield put(headerKey(height), header)
  yield put(receiptsKey(height), receipts)
  yield put(summaryKey(height), encode(summarySchema, summary))
  yield put(digestKey(digest), encode(heightSchema, height))
  if (finalization !== null) yield put(finalizationKey(height), finalization)
  for (const [index, id] of transactionIds.entries()) {
    yield put(transactionKey(id), encode(locationSchema, { height, index }))
  }
}

export function historyOperations(nodes: readonly HistoryNode[]): DatabaseOperation[] {
  return nodes.map(({ level, index, digest }) => put(historyKey(level, index), digest))
}

export function tipOperation(tip: Tip): DatabaseOperation {
  return put(tipKey(), encode(tipSchema, tip))
}

export function floorOperation(floor: Floor): DatabaseOperation {
  return put(floorKey(), encode(floorSchema, floor))
}
