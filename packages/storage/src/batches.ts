// Batches of a store: what waits for one, in which batch it went, and what put that batch on the chain.
//
// Ids and batches are opaque here. The step from waiting into a batch is durable, both sides of it or
// neither; that a batch is on the chain can be found out again from the chain, and does not sync.

import { decode, encode, equalBytes, struct, uint } from '@mooring/codec'
import { type Database, type DatabaseOperation, del, put } from './database.ts'
import { StorageError } from './errors.ts'
import { anchorKey, batchKey, numberOf, pendingKey, placeKey, unanchoredKey } from './keys.ts'
import type { PrivateBatch } from './private-record.ts'

export interface BatchPlace {
  /** Number of the batch. */
  readonly sequence: number
  readonly position: number
}

/** A batch that says its own number is made when that is known. */
export type BatchBytes = Uint8Array | ((sequence: number) => Uint8Array)

export interface BatchedId {
  readonly arrival: number
  readonly id: Uint8Array
  readonly position: number
}

const EMPTY = new Uint8Array(0)
const LAST = Number.MAX_SAFE_INTEGER
const storedPlace = struct({ sequence: uint(), position: uint() })

export class Batches {
  readonly #database: Database
  #last = 0
  #waiting = 0

  private constructor(database: Database) {
    this.#database = database
  }

  static async open(database: Database): Promise<Batches> {
    const batches = new Batches(database)
    const newest = { from: batchKey(0), to: batchKey(LAST), reverse: true, limit: 1 }
    for await (const { key } of database.iterate(newest)) batches.#last = numberOf(key)
    for await (const _ of database.iterate({ from: pendingKey(0), to: pendingKey(LAST) }))
      batches.#waiting += 1
    return batches
  }

  /** How many ids are in no batch yet. */
  get waiting(): number {
    return this.#waiting
  }

  /** Number of the newest batch; 0 before the first. */
  get last(): number {
    return this.#last
  }

  /** What a caller writes to let an id wait; `waits` follows when that is on the disk. */
  queue(arrival: number, id: Uint8Array): DatabaseOperation {
    return put(pendingKey(arrival), id)
  }

  waits(count: number): void {
    this.#waiting += count
  }

  /** Oldest first. */
  async pending(limit: number): Promise<{ arrival: number; id: Uint8Array }[]> {
    const waiting: { arrival: number; id: Uint8Array }[] = []
    const range = { from: pendingKey(0), to: pendingKey(LAST), limit }
    for await (const { key, value } of this.#database.iterate(range))
      waiting.push({ arrival: numberOf(key), id: value })
    return waiting
  }

  /**
   * Moves waiting ids into a new batch, together with what else is written of it.
   * @throws StorageError out_of_order for one that does not wait
   */
  async put(
    batch: BatchBytes,
    ids: readonly BatchedId[],
    besides: (sequence: number) => DatabaseOperation[] = () => [],
  ): Promise<number> {
    const sequence = this.#last + 1
    const operations = [
      put(batchKey(sequence), typeof batch === 'function' ? batch(sequence) : batch),
      put(unanchoredKey(sequence), EMPTY),
      ...besides(sequence),
    ]
    const taken = new Set<number>()
    for (const { arrival, id, position } of ids) {
      const waiting = this.#database.getSync(pendingKey(arrival))
      if (waiting === undefined || !equalBytes(waiting, id) || taken.has(arrival))
        throw new StorageError('out_of_order', 'a batch takes what waits only', { arrival })
      taken.add(arrival)
      operations.push(del(pendingKey(arrival)))
      operations.push(put(placeKey(id), encode(storedPlace, { sequence, position })))
    }
    await this.#database.batch(operations, { sync: true })
    this.#last = sequence
    this.#waiting -= ids.length
    return sequence
  }

  /** Batches that are on the chain already; the answer is their numbers. */
  async restore(
    batches: readonly { batch: (sequence: number) => Uint8Array; anchor: Uint8Array }[],
  ): Promise<number[]> {
    const numbers = batches.map((_, at) => this.#last + 1 + at)
    const operations = batches.flatMap(({ batch, anchor }, at) => {
      const sequence = this.#last + 1 + at
      return [put(batchKey(sequence), batch(sequence)), put(anchorKey(sequence), anchor)]
    })
    await this.#database.batch(operations, { sync: true })
    this.#last += batches.length
    return numbers
  }

  /** What a caller writes for an id that is in a batch. */
  place(id: Uint8Array, place: BatchPlace): DatabaseOperation {
    return put(placeKey(id), encode(storedPlace, place))
  }

  get(sequence: number): PrivateBatch | undefined {
    const batch = this.#database.getSync(batchKey(sequence))
    if (batch === undefined) return undefined
    return { sequence, batch, anchor: this.#database.getSync(anchorKey(sequence)) ?? null }
  }

  /** Those not on the chain as far as this store knows, oldest first. */
  async unanchored(): Promise<PrivateBatch[]> {
    const open: PrivateBatch[] = []
    const range = { from: unanchoredKey(0), to: unanchoredKey(LAST) }
    for await (const { key } of this.#database.iterate(range)) {
      const batch = this.get(numberOf(key))
      if (batch === undefined)
        throw new StorageError('missing', 'a batch is gone', { sequence: numberOf(key) })
      open.push(batch)
    }
    return open
  }

  async markAnchored(sequence: number, anchor: Uint8Array): Promise<void> {
    const operations: DatabaseOperation[] = [
      put(anchorKey(sequence), anchor),
      del(unanchoredKey(sequence)),
    ]
    await this.#database.batch(operations, { sync: false })
  }

  /** Null where it was never put into one. */
  find(id: Uint8Array): BatchPlace | null {
    const place = this.#database.getSync(placeKey(id))
    return place === undefined ? null : decode(storedPlace, place)
  }

  /** Null while it waits. @throws StorageError missing for what neither waits nor is in a batch */
  placeOf(arrival: number, id: Uint8Array): BatchPlace | null {
    // In this order, for a batch may reach the disk between two reads.
    if (this.#database.getSync(pendingKey(arrival)) !== undefined) return null
    const place = this.#database.getSync(placeKey(id))
    if (place === undefined)
      throw new StorageError('missing', 'what is in no batch does not wait for one', { arrival })
    return decode(storedPlace, place)
  }
}
