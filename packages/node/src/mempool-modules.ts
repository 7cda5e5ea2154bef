// What the mempool is given: its limits, the chain as far as it asks, and whom it tells.

import type { Parameters, State } from '@mooring/ledger'
import type { Clock } from './clock.ts'

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

export interface MempoolModules {
  clock: Clock
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
  /** A client of this node handed it in, and it waits for a block. */
  waiting?: (transaction: { id: Uint8Array; kind: string }) => void
  /** The signatures of a transaction were looked at. */
  verified?: (isGood: boolean, ms: number) => void
}
