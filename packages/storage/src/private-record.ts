// What the private store takes and gives back: a record, its steps, and a batch.

import type { AccountPlace } from './account-order.ts'

export interface NewRecord {
  /** The record commitment. */
  id: Uint8Array
  /** By which the same bytes are recognised when they are sent again. */
  dedupeKey: Uint8Array
  /** By which the record is found from its set. */
  setName: Uint8Array
  /** Under which the records of one account are listed. */
  account: Uint8Array
  order: AccountPlace
  metadata: Uint8Array
  /** Who shall keep its shards, and who has receipted them. */
  holders: Uint8Array
  /** What holders still have to be given. */
  queued: Uint8Array
}

export interface PrivateRecord {
  id: Uint8Array
  /** Counts the records of this store, from 1. */
  arrival: number
  status: 'received' | 'accepted' | 'batched'
  metadata: Uint8Array
  holders: Uint8Array
  /** Number of its batch and position in it; null while it waits. */
  place: { sequence: number; position: number } | null
}

/** By which the values of a record are found that is erased. */
export type ErasedNames = Pick<NewRecord, 'id' | 'dedupeKey' | 'setName' | 'account'>

export interface HolderUpdate {
  id: Uint8Array
  arrival: number
  holders: Uint8Array
  /**
   * `accepted`: enough holders have receipted it. `whole`: all have, so that it leaves the queue.
   * `short`: it leaves the queue although some have not.
   */
  step: 'none' | 'accepted' | 'whole' | 'short'
}

export interface PrivateBatch {
  /** Counts the batches of this store, from 1; not the sequence of its anchor. */
  sequence: number
  batch: Uint8Array
  /** What anchored it; null until it is final. */
  anchor: Uint8Array | null
}
