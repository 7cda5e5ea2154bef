// What the mempool is given (its limits, the chain as far as it asks, whom it tells), and what it holds.

import type { DecodedTransaction, Parameters, State } from '@mooring/ledger'
import type { LanePlace } from './lanes.ts'
import type { Submitted } from './submitted.ts'
import type { TransactionSignaturesModules } from './transaction-signatures.ts'

/** Where accepted transactions outlive the process. */
export interface PendingStore {
  keep(id: Uint8Array, bytes: Uint8Array): Promise<void>
  forget(ids: readonly Uint8Array[]): Promise<void>
}

export interface MempoolOptions {
  genesisDigest: Uint8Array
  maxCount: number
  maxBytes: number
}

export interface MempoolModules extends TransactionSignaturesModules {
  store: PendingStore
  parameters: () => Parameters
  /** After the last durable block. */
  finalState: () => State
  /** Of the block that comes after it. */
  nextHeight: () => number
  heightOf: (id: Uint8Array) => number | undefined
  publish: (transactions: readonly Uint8Array[]) => void
  /** Something new may go into a block. */
  onReady: () => void
  /** Brings into memory what these need of the state; null: it is there. */
  readAhead?: (batch: readonly Uint8Array[]) => Promise<void> | null
  /** A client of this node handed it in, and it waits for a block. */
  waiting?: (transaction: { id: Uint8Array; kind: string }) => void
}

export interface Entry {
  transaction: DecodedTransaction
  readonly name: string
  readonly organisation: string
  /** In its lane; null for what has no sequence. */
  readonly place: LanePlace | null
  readonly receivedAt: number
  offeredAt: number
  isLocal: boolean
  /** Resolves when it outlives the process; null while nobody was promised that. */
  kept: Promise<void> | null
}

/** What became of it at the door, and what is held of it now. */
export interface Admitted {
  readonly answer: Submitted
  readonly entry: Entry | null
  readonly isNew: boolean
}
