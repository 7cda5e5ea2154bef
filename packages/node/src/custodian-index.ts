// What a custodian knows of the records it handed to holders: where they are and how they are opened.
//
// It is sealed where it rests. A set is what holders see of a record; the manifest opens with the
// class key of the account; the metadata is for the custodian's own answers.

import type { KeptRecord } from './custody.ts'

export interface IndexEntry {
  /** The record commitment. */
  readonly id: Uint8Array
  /** Counts the records of this custodian, from 1. */
  readonly arrival: number
  readonly setId: Uint8Array
  /** Encoded ShardSet. */
  readonly set: Uint8Array
  /** Sealed. */
  readonly manifest: Uint8Array
  /** The organisation that keeps each shard. */
  readonly holders: readonly string[]
  /** Shards that nobody has receipted so far. */
  readonly missing: readonly number[]
  /** Pairwise key of the patient. */
  readonly account: Uint8Array
  readonly metadata: KeptRecord
  readonly status: 'received' | 'accepted' | 'batched'
  /** Number of its batch and position in it; null while it waits. */
  readonly place: { readonly sequence: number; readonly position: number } | null
}

export interface CustodianIndex {
  get(id: Uint8Array): IndexEntry | undefined
  getBySet(setId: Uint8Array): IndexEntry | undefined
  /** Newest first, below an arrival or from the newest. */
  list(before: number | null, limit: number): Promise<IndexEntry[]>
  /** Of one patient, newest first. */
  listAccount(patientKey: Uint8Array, before: number | null, limit: number): Promise<IndexEntry[]>
  /** Durable: another organisation keeps this shard from now on, and has receipted it. */
  moved(setId: Uint8Array, shard: number, holder: string): Promise<void>
}
