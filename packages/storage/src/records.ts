// The custodian's private store: the index of its records, what of them still waits for holders, and
// the batches that anchor them.
//
// Values are opaque here, and sealed by who writes them. A submission is stored whole or not at all,
// and is on the disk when putSubmission resolves; so is the step of records from waiting into a batch.
// Steps that can be found out again (a holder has a shard, a batch is anchored) do not sync: after a
// power loss they are done once more.
//
// Arrivals have no gaps. A record is received, accepted or in a batch, one of these: where the database
// lost that it is an error, not an answer.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { decode, equalBytes, toHex } from '@mooring/codec'
import { AccountOrder } from './account-order.ts'
import { type BatchBytes, type BatchedId, type BatchPlace, Batches } from './batches.ts'
import { type Database, type DatabaseOperation, del, put } from './database.ts'
import { StorageError } from './errors.ts'
import {
  accountRecordKey,
  arrivalKey,
  duplicateKey,
  erasedKey,
  formatDatabaseKey,
  holdersKey,
  numberOf,
  openKey,
  pendingKey,
  queuedKey,
  recordKey,
  setKey,
  shortKey,
  undepositedKey,
} from './keys.ts'
import {
  ACCEPTED,
  erasureOperations,
  indexOperations,
  isReceived,
  recordOperations,
  storedRecord,
} from './record-operations.ts'
import type {
  ErasedNames,
  HolderUpdate,
  NewRecord,
  PrivateBatch,
  PrivateRecord,
} from './private-record.ts'

const EMPTY = new Uint8Array(0)
/** A large submission lets the event loop turn so often: agreement has timers to keep. */
const RECORDS_A_TURN = 128
const LAST = Number.MAX_SAFE_INTEGER

export interface RestoredRecord extends Omit<NewRecord, 'queued'> {
  /** Null where nobody knows its batch. */
  place: BatchPlace | null
}

export class PrivateStore {
  readonly order: AccountOrder
  readonly #database: Database
  #lastArrival: number
  readonly #batches: Batches
  #received = 0
  /** Writes that read first must not overtake each other. */
  #queue: Promise<void> = Promise.resolve()

  private constructor(database: Database, lastArrival: number, batches: Batches) {
    this.order = new AccountOrder(database)
    this.#database = database
    this.#lastArrival = lastArrival
    this.#batches = batches
  }

  static async open(database: Database): Promise<PrivateStore> {
    const arrival = await lastNumber(database, arrivalKey)
    for (const keyOf of [pendingKey, openKey]) {
      const newest = await lastNumber(database, keyOf)
      if (newest > arrival) throw gone(arrivalKey(newest))
    }
    const store = new PrivateStore(database, arrival, await Batches.open(database))
    for await (const { isAccepted } of store.queued()) if (!isAccepted) store.#received += 1
    return store
  }

  /** How many records there are. */
  get size(): number {
    return this.#lastArrival
  }

  /** How many of them are not accepted yet. */
  get received(): number {
    return this.#received
  }

  /** How many are accepted and in no batch yet. */
  get waiting(): number {
    return this.#batches.waiting
  }

  /** Number of the newest batch; 0 before the first. */
  get lastBatch(): number {
    return this.#batches.last
  }

  /** All of them or none, durable when this resolves. @throws StorageError duplicate */
  putSubmission(records: readonly NewRecord[]): Promise<PrivateRecord[]> {
    return this.#enqueue(async () => {
      const operations: DatabaseOperation[] = []
      const stored: PrivateRecord[] = []
      const seen = new Set<string>()
      const steps = this.order.begin()
      let arrival = this.#lastArrival
      for (const record of records) {
        if (this.#isKnown(record, seen))
          throw new StorageError('duplicate', 'these bytes are stored already')
        const { id, metadata, holders } = record
        arrival += 1
        operations.push(...(await steps.next(record.order, id)))
        operations.push(...recordOperations(record, arrival))
        stored.push({ id, arrival, status: 'received', metadata, holders, place: null })
        if (stored.length % RECORDS_A_TURN === 0) await nextTurn()
      }
      await this.#database.batch(operations, { sync: true })
      this.#lastArrival = arrival
      this.#received += stored.length
      return stored
    })
  }

  /**
   * Records that their holders had: accepted, and in a batch where holders had that too; one that is in
   * none waits for an anchor. Those that are here already are left as they are; the answer is how many were
   * not.
   */
  restore(records: readonly RestoredRecord[]): Promise<number> {
    return this.#enqueue(async () => {
      const operations: DatabaseOperation[] = []
      const seen = new Set<string>()
      const steps = this.order.begin()
      let waiting = 0
      let arrival = this.#lastArrival
      for (const record of records) {
        if (this.#isKnown(record, seen)) continue
        arrival += 1
        const { id, place } = record
        const step =
          place === null ? this.#batches.queue(arrival, id) : this.#batches.place(id, place)
        if (place === null) waiting += 1
        operations.push(...indexOperations(record, arrival), step)
        operations.push(...steps.again(record.order, id))
      }
      const added = arrival - this.#lastArrival
      if (added === 0) return 0
      await this.#database.batch(operations, { sync: true })
      this.#lastArrival = arrival
      this.#batches.waits(waiting)
      return added
    })
  }

  /** Batches that holders had the leaves of: on the chain, and durable when this resolves. */
  restoreBatches(batches: Parameters<Batches['restore']>[0]): Promise<number[]> {
    return this.#enqueue(() => this.#batches.restore(batches))
  }

  findByDedupeKey(dedupeKey: Uint8Array): Uint8Array | undefined {
    return this.#database.getSync(duplicateKey(dedupeKey))
  }

  findBySet(setName: Uint8Array): Uint8Array | undefined {
    return this.#database.getSync(setKey(setName))
  }

  getRecord(id: Uint8Array): PrivateRecord | undefined {
    const stored = this.#database.getSync(recordKey(id))
    if (stored === undefined) return undefined
    const { arrival, metadata } = decode(storedRecord, stored)
    const holders = this.#database.getSync(holdersKey(arrival))
    if (holders === undefined) throw gone(holdersKey(arrival))
    const record = { id, arrival, metadata, holders }
    // In this order, for a step may reach the disk between two reads.
    const open = this.#database.getSync(openKey(arrival))
    if (open !== undefined && isReceived(open))
      return { ...record, status: 'received', place: null }
    const place = this.#batches.placeOf(arrival, id)
    return { ...record, status: place === null ? 'accepted' : 'batched', place }
  }

  /** Whether a record of this id was here and is no more. */
  isErased(id: Uint8Array): boolean {
    return this.#database.getSync(erasedKey(id)) !== undefined
  }

  /** Also of one that was erased; null while it waits for a batch. */
  placeOf(id: Uint8Array): BatchPlace | null {
    if (!this.isErased(id)) return this.getRecord(id)?.place ?? null
    return this.#batches.find(id)
  }

  /**
   * Durable: nothing of the record is left but its id, which is in its batch, and its number. Its batch is not
   * touched. False when there is no such record.
   */
  erase(names: ErasedNames): Promise<boolean> {
    return this.#enqueue(async () => {
      const { id, dedupeKey } = names
      const record = this.getRecord(id)
      if (record === undefined) return false
      const { arrival, status } = record
      if (status === 'received')
        throw new StorageError('out_of_order', 'what is erased is accepted', { arrival })
      const isKnownAs = equalBytes(this.findByDedupeKey(dedupeKey) ?? EMPTY, id)
      await this.#database.purge(erasureOperations(names, { arrival, isKnownAs }))
      return true
    })
  }

  /** What waits for holders, oldest first. */
  async *queued(): AsyncGenerator<{ arrival: number; id: Uint8Array; isAccepted: boolean }> {
    const range = { from: openKey(0), to: openKey(LAST) }
    for await (const { key, value } of this.#database.iterate(range)) {
      const arrival = numberOf(key)
      yield { arrival, id: this.#idOf(arrival), isAccepted: !isReceived(value) }
    }
  }

  /** What holders still have to be given; undefined once it has left the queue. */
  async getQueued(arrival: number): Promise<Uint8Array | undefined> {
    const queued = await this.#database.get(queuedKey(arrival))
    if (queued === undefined && this.#database.getSync(openKey(arrival)) !== undefined)
      throw gone(queuedKey(arrival))
    return queued
  }

  /** Steps of records that are in the queue: all or none, and without `sync` lost to a power failure at worst. */
  updateHolders(updates: readonly HolderUpdate[], { sync } = { sync: false }): Promise<void> {
    return this.#enqueue(async () => {
      const operations: DatabaseOperation[] = []
      let accepted = 0
      for (const { arrival, id, holders, step } of updates) {
        const open = this.#database.getSync(openKey(arrival))
        if (open === undefined)
          throw new StorageError('out_of_order', 'this record has left the queue', { arrival })
        operations.push(put(holdersKey(arrival), holders))
        if (step === 'none') continue
        if (isReceived(open)) {
          accepted += 1
          operations.push(this.#batches.queue(arrival, id))
        }
        if (step === 'accepted') operations.push(put(openKey(arrival), ACCEPTED))
        else operations.push(del(openKey(arrival)), del(queuedKey(arrival)))
        if (step === 'short') operations.push(put(shortKey(arrival), EMPTY))
      }
      await this.#database.batch(operations, { sync })
      this.#received -= accepted
      this.#batches.waits(accepted)
    })
  }

  /** Durable: who keeps the shards of a record that has left the queue. */
  moveHolders(arrival: number, holders: Uint8Array, { isShort }: { isShort: boolean }) {
    return this.#enqueue(async () => {
      const mark = isShort ? put(shortKey(arrival), EMPTY) : del(shortKey(arrival))
      await this.#database.batch([put(holdersKey(arrival), holders), mark], { sync: true })
    })
  }

  /** Records that lack a shard and have left the queue, oldest first. */
  async short(after: number, limit: number): Promise<{ arrival: number; id: Uint8Array }[]> {
    const found: { arrival: number; id: Uint8Array }[] = []
    const range = { from: shortKey(after + 1), to: shortKey(LAST), limit }
    for await (const { key } of this.#database.iterate(range)) {
      const arrival = numberOf(key)
      found.push({ arrival, id: this.#idOf(arrival) })
    }
    return found
  }

  /** Records that are accepted and in no batch yet, oldest first. */
  pending(limit: number): Promise<{ arrival: number; id: Uint8Array }[]> {
    return this.#batches.pending(limit)
  }

  /**
   * Moves waiting records into a new batch: durable, and both or neither.
   * @throws StorageError out_of_order for a record that is not waiting
   */
  putBatch(batch: BatchBytes, records: readonly BatchedId[]): Promise<number> {
    return this.#enqueue(() => this.#batches.put(batch, records, undepositedMark))
  }

  /** Batches whose leaves some holder still has to be given, oldest first; they may not be anchored yet. */
  async undeposited(): Promise<number[]> {
    const found: number[] = []
    const range = { from: undepositedKey(0), to: undepositedKey(LAST) }
    for await (const key of this.#database.keys(range)) found.push(numberOf(key))
    return found
  }

  /** Lost to a power failure at worst: then they are given once more. */
  async markDeposited(sequences: readonly number[]): Promise<void> {
    const operations = sequences.map((sequence) => del(undepositedKey(sequence)))
    await this.#database.batch(operations, { sync: false })
  }

  getBatch(sequence: number): PrivateBatch | undefined {
    return this.#batches.get(sequence)
  }

  /** Batches whose anchor is not final as far as this store knows, oldest first. */
  unanchored(): Promise<PrivateBatch[]> {
    return this.#batches.unanchored()
  }

  /** The chain is the truth of it; after a crash it is found out again. */
  markAnchored(sequence: number, anchor: Uint8Array): Promise<void> {
    return this.#batches.markAnchored(sequence, anchor)
  }

  /** Newest first, below an arrival (exclusive) or from the newest. */
  async list(before: number | null, limit: number): Promise<PrivateRecord[]> {
    const records: PrivateRecord[] = []
    const to = arrivalKey(before ?? LAST)
    const range = { from: arrivalKey(0), to, reverse: true }
    let expected: number | null = null
    for await (const { key, value } of this.#database.iterate(range)) {
      const record = this.getRecord(value)
      if (record === undefined && !this.isErased(value)) throw gone(recordKey(value))
      if (expected !== null && numberOf(key) !== expected) throw gone(arrivalKey(expected))
      expected = numberOf(key) - 1
      if (record !== undefined) records.push(record)
      if (records.length === limit) break
    }
    return records
  }

  /** Those of one account, newest first. */
  async listAccount(
    account: Uint8Array,
    before: number | null,
    limit: number,
  ): Promise<PrivateRecord[]> {
    const records: PrivateRecord[] = []
    const to = accountRecordKey(account, before ?? LAST)
    const range = { from: accountRecordKey(account, 0), to, reverse: true, limit }
    for await (const { value } of this.#database.iterate(range)) {
      const record = this.getRecord(value)
      if (record === undefined) throw gone(recordKey(value))
      records.push(record)
    }
    return records
  }

  /** Here already, or among those `seen` in this step; if not, it is seen now. */
  #isKnown({ id, dedupeKey }: Pick<NewRecord, 'id' | 'dedupeKey'>, seen: Set<string>): boolean {
    const known = this.findByDedupeKey(dedupeKey) ?? this.#database.getSync(recordKey(id))
    const names = [`id ${toHex(id)}`, `key ${toHex(dedupeKey)}`]
    if (known !== undefined || names.some((name) => seen.has(name))) return true
    for (const name of names) seen.add(name)
    return false
  }

  #idOf(arrival: number): Uint8Array {
    const id = this.#database.getSync(arrivalKey(arrival))
    if (id === undefined) throw gone(arrivalKey(arrival))
    return id
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

function undepositedMark(sequence: number): DatabaseOperation[] {
  return [put(undepositedKey(sequence), EMPTY)]
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
