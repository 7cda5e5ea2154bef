// The custodian's private store: what never leaves this organisation unsealed. Records with their
// openings and raw bytes, in the order of arrival, and the batches that anchor them.
//
// Values are opaque here. A submission is stored whole or not at all, and is on the disk when
// putSubmission resolves; so is the step of records from waiting into a batch. Steps that can be
// found out again from the chain (a batch is anchored) do not sync.
//
// Arrivals have no gaps, a record has its raw bytes, and it is in the queue or in a batch, never in
// both: where the database lost one of these it is an error, not an answer.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { bytesMax, decode, encode, equalBytes, struct, toHex, uint } from '@mooring/codec'
import type { Database, DatabaseOperation } from './database.ts'
import { StorageError } from './errors.ts'
import {
  anchorKey,
  arrivalKey,
  batchKey,
  duplicateKey,
  formatDatabaseKey,
  numberOf,
  pendingKey,
  placeKey,
  rawKey,
  recordKey,
  unanchoredKey,
} from './keys.ts'

const METADATA_BYTES_MAX = 64 * 1024
const EMPTY = new Uint8Array(0)
/** A large submission lets the event loop turn so often: agreement has timers to keep. */
const RECORDS_A_TURN = 256
const LAST = Number.MAX_SAFE_INTEGER

const storedRecord = struct({ arrival: uint(), metadata: bytesMax(METADATA_BYTES_MAX) })
const storedPlace = struct({ sequence: uint(), position: uint() })

export interface NewRecord {
  /** The record commitment. */
  id: Uint8Array
  /** By which the same bytes are recognised when they are sent again. */
  dedupeKey: Uint8Array
  metadata: Uint8Array
  raw: Uint8Array
}

export interface PrivateRecord {
  id: Uint8Array
  /** Counts the records of this store, from 1. */
  arrival: number
  metadata: Uint8Array
  /** Number of its batch and position in it; null while it waits. */
  place: { sequence: number; position: number } | null
}

export interface PrivateBatch {
  /** Counts the batches of this store, from 1; not the sequence of its anchor. */
  sequence: number
  batch: Uint8Array
  /** What anchored it; null until it is final. */
  anchor: Uint8Array | null
}

export class PrivateStore {
  readonly #database: Database
  #lastArrival: number
  #lastBatch: number
  #waiting = 0
  /** Writes that read first must not overtake each other. */
  #queue: Promise<void> = Promise.resolve()

  private constructor(database: Database, lastArrival: number, lastBatch: number) {
    this.#database = database
    this.#lastArrival = lastArrival
    this.#lastBatch = lastBatch
  }

  static async open(database: Database): Promise<PrivateStore> {
    const arrival = await lastNumber(database, arrivalKey)
    const newestPending = await lastNumber(database, pendingKey)
    if (newestPending > arrival) throw gone(arrivalKey(newestPending))
    const store = new PrivateStore(database, arrival, await lastNumber(database, batchKey))
    for await (const _ of database.iterate({ from: pendingKey(0), to: pendingKey(LAST) }))
      store.#waiting += 1
    return store
  }

  /** How many records there are. */
  get size(): number {
    return this.#lastArrival
  }

  /** How many of them are in no batch yet. */
  get waiting(): number {
    return this.#waiting
  }

  /** Number of the newest batch; 0 before the first. */
  get lastBatch(): number {
    return this.#lastBatch
  }

  /** All of them or none, durable when this resolves. @throws StorageError duplicate */
  putSubmission(records: readonly NewRecord[]): Promise<PrivateRecord[]> {
    return this.#enqueue(async () => {
      const operations: DatabaseOperation[] = []
      const stored: PrivateRecord[] = []
      const seen = new Set<string>()
      let arrival = this.#lastArrival
      for (const { id, dedupeKey, metadata, raw } of records) {
        const isKnown = this.findByDedupeKey(dedupeKey) ?? this.#database.getSync(recordKey(id))
        const names = [`id ${toHex(id)}`, `key ${toHex(dedupeKey)}`]
        if (isKnown !== undefined || names.some((name) => seen.has(name)))
          throw new StorageError('duplicate', 'these bytes are stored already')
        for (const name of names) seen.add(name)
        arrival += 1
        operations.push(
          put(recordKey(id), encode(storedRecord, { arrival, metadata })),
          put(rawKey(id), raw),
          put(duplicateKey(dedupeKey), id),
          put(arrivalKey(arrival), id),
          put(pendingKey(arrival), id),
        )
        stored.push({ id, arrival, metadata, place: null })
        if (stored.length % RECORDS_A_TURN === 0) await nextTurn()
      }
      await this.#database.batch(operations, { sync: true })
      this.#lastArrival = arrival
      this.#waiting += stored.length
      return stored
    })
  }

  findByDedupeKey(dedupeKey: Uint8Array): Uint8Array | undefined {
    return this.#database.getSync(duplicateKey(dedupeKey))
  }

  getRecord(id: Uint8Array): PrivateRecord | undefined {
    const stored = this.#database.getSync(recordKey(id))
    if (stored === undefined) return undefined
    const { arrival, metadata } = decode(storedRecord, stored)
    // In this order, for a batch may reach the disk between two reads.
    const isWaiting = this.#database.getSync(pendingKey(arrival)) !== undefined
    const place = isWaiting ? undefined : this.#database.getSync(placeKey(id))
    if (!isWaiting && place === undefined) throw gone(placeKey(id))
    return {
      id,
      arrival,
      metadata,
      place: place === undefined ? null : decode(storedPlace, place),
    }
  }

  async getRaw(id: Uint8Array): Promise<Uint8Array | undefined> {
    if (this.#database.getSync(recordKey(id)) === undefined) return undefined
    const raw = await this.#database.get(rawKey(id))
    if (raw === undefined) throw gone(rawKey(id))
    return raw
  }

  /** Records that are in no batch yet, oldest first. */
  async pending(limit: number): Promise<{ arrival: number; id: Uint8Array }[]> {
    const waiting: { arrival: number; id: Uint8Array }[] = []
    const range = { from: pendingKey(0), to: pendingKey(LAST), limit }
    for await (const { key, value } of this.#database.iterate(range))
      waiting.push({ arrival: numberOf(key), id: value })
    return waiting
  }

  /**
   * Moves waiting records into a new batch: durable, and both or neither.
   * @throws StorageError out_of_order for a record that is not waiting
   */
  putBatch(
    batch: Uint8Array,
    records: readonly { arrival: number; id: Uint8Array; position: number }[],
  ): Promise<number> {
    return this.#enqueue(async () => {
      const sequence = this.#lastBatch + 1
      const operations = [put(batchKey(sequence), batch), put(unanchoredKey(sequence), EMPTY)]
      const taken = new Set<number>()
      for (const { arrival, id, position } of records) {
        const waiting = this.#database.getSync(pendingKey(arrival))
        if (waiting === undefined || !equalBytes(waiting, id) || taken.has(arrival))
          throw new StorageError('out_of_order', 'a batch takes waiting records only', { arrival })
        taken.add(arrival)
        operations.push({ type: 'del', key: pendingKey(arrival) })
        operations.push(put(placeKey(id), encode(storedPlace, { sequence, position })))
      }
      await this.#database.batch(operations, { sync: true })
      this.#lastBatch = sequence
      this.#waiting -= records.length
      return sequence
    })
  }

  getBatch(sequence: number): PrivateBatch | undefined {
    const batch = this.#database.getSync(batchKey(sequence))
    if (batch === undefined) return undefined
    return { sequence, batch, anchor: this.#database.getSync(anchorKey(sequence)) ?? null }
  }

  /** Batches whose anchor is not final as far as this store knows, oldest first. */
  async unanchored(): Promise<PrivateBatch[]> {
    const open: PrivateBatch[] = []
    const range = { from: unanchoredKey(0), to: unanchoredKey(LAST) }
    for await (const { key } of this.#database.iterate(range)) {
      const batch = this.getBatch(numberOf(key))
      if (batch === undefined)
        throw new StorageError('missing', 'a batch is gone', { sequence: numberOf(key) })
      open.push(batch)
    }
    return open
  }

  /** The chain is the truth of it; after a crash it is found out again. */
  async markAnchored(sequence: number, anchor: Uint8Array): Promise<void> {
    const operations: DatabaseOperation[] = [
      put(anchorKey(sequence), anchor),
      { type: 'del', key: unanchoredKey(sequence) },
    ]
    await this.#database.batch(operations, { sync: false })
  }

  /** Newest first, below an arrival (exclusive) or from the newest. */
  async list(before: number | null, limit: number): Promise<PrivateRecord[]> {
    const records: PrivateRecord[] = []
    const to = arrivalKey(before ?? LAST)
    const range = { from: arrivalKey(0), to, reverse: true, limit }
    for await (const { key, value } of this.#database.iterate(range)) {
      const record = this.getRecord(value)
      if (record === undefined) throw gone(recordKey(value))
      const expected = (records.at(-1)?.arrival ?? numberOf(key) + 1) - 1
      if (numberOf(key) !== expected) throw gone(arrivalKey(expected))
      records.push(record)
    }
    return records
  }

  #enqueue<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(work)
    this.#queue = done.then(
      () => undefined,
      () => undefined,
    )
    return done
  }
}

async function lastNumber(
  database: Database,
  keyOf: (value: number) => Uint8Array,
): Promise<number> {
  const range = { from: keyOf(0), to: keyOf(LAST), reverse: true, limit: 1 }
  for await (const { key } of database.iterate(range)) return numberOf(key)
  return 0
}

function gone(key: Uint8Array): StorageError {
  return new StorageError('missing', 'a part of the private store is gone', {
    key: formatDatabaseKey(key),
  })
}

function put(key: Uint8Array, value: Uint8Array): DatabaseOperation {
  return { type: 'put', key, value }
}
