// The access log of this organisation: who has asked it for records, in the order in which it heard of
// it, and the batches that put the log on the chain.
//
// Values are opaque here, and sealed by who writes them. An entry is found by its leaf, which stands in a
// batch; of one leaf there is one entry, however often it is added. Adding is durable: many at once go to
// the disk in one flush. What came of an entry later may be written over it, and does not sync.

import { bytes, bytesMax, decode, encode, struct, uint } from '@mooring/codec'
import { type BatchBytes, type BatchedId, Batches, type BatchPlace } from './batches.ts'
import type { Database, DatabaseOperation } from './database.ts'
import { StorageError } from './errors.ts'
import { GroupCommit } from './group-commit.ts'
import {
  accessAboutKey,
  accessArrivalKey,
  accessKey,
  formatDatabaseKey,
  lastNumberOf,
  numberOf,
} from './keys.ts'
import type { PrivateBatch } from './private-record.ts'

const VALUE_BYTES_MAX = 256 * 1024
const LAST = Number.MAX_SAFE_INTEGER
const storedEntry = struct({ leaf: bytes(32), value: bytesMax(VALUE_BYTES_MAX) })
const storedArrival = uint()
const NOTHING = new Uint8Array(0)

export interface StoredAccess {
  /** Counts the entries of this store, from 1. */
  readonly arrival: number
  readonly leaf: Uint8Array
  readonly value: Uint8Array
  /** Null while it waits. */
  readonly place: BatchPlace | null
}

export class AccessStore {
  readonly #database: Database
  readonly #batches: Batches
  readonly #writes: GroupCommit
  #lastArrival: number
  /** Leaves of the batch that is being made, with their arrivals. */
  readonly #staged = new Map<string, number>()

  private constructor(database: Database, batches: Batches, lastArrival: number) {
    this.#database = database
    this.#batches = batches
    this.#lastArrival = lastArrival
    this.#writes = new GroupCommit(database, {
      begin: () => this.#staged.clear(),
      finish: () => [],
      written: () => {
        this.#lastArrival += this.#staged.size
        this.#batches.waits(this.#staged.size)
        this.#staged.clear()
      },
    })
  }

  static async open(database: Database): Promise<AccessStore> {
    let last = 0
    const newest = { from: accessKey(0), to: accessKey(LAST), reverse: true, limit: 1 }
    for await (const { key } of database.iterate(newest)) last = numberOf(key)
    return new AccessStore(database, await Batches.open(database), last)
  }

  /** Resolves when nothing is being written. */
  idle(): Promise<void> {
    return this.#writes.idle()
  }

  /** How many entries there are. */
  get size(): number {
    return this.#lastArrival
  }

  get waiting(): number {
    return this.#batches.waiting
  }

  get lastBatch(): number {
    return this.#batches.last
  }

  /**
   * `about`: keyed name of the custodian whose records it is about. Durable when this resolves; false when there was one of this
   * leaf.
   */
  async add(
    leaf: Uint8Array,
    value: Uint8Array,
    about: Uint8Array | null = null,
  ): Promise<boolean> {
    const name = leaf.join()
    let isNew = false
    await this.#writes.write(() => {
      const isKnown = this.#database.getSync(accessArrivalKey(leaf)) !== undefined
      if (isKnown || this.#staged.has(name)) return []
      isNew = true
      const arrival = this.#lastArrival + this.#staged.size + 1
      this.#staged.set(name, arrival)
      return [
        { type: 'put', key: accessKey(arrival), value: encode(storedEntry, { leaf, value }) },
        { type: 'put', key: accessArrivalKey(leaf), value: encode(storedArrival, arrival) },
        ...(about === null ? [] : [aboutMark(about, arrival)]),
        this.#batches.queue(arrival, leaf),
      ]
    })
    return isNew
  }

  find(leaf: Uint8Array): StoredAccess | undefined {
    const arrival = this.#database.getSync(accessArrivalKey(leaf))
    if (arrival === undefined) return undefined
    return this.#read(decode(storedArrival, arrival))
  }

  /** Writes over the value of an entry that is there. */
  async replace({ arrival, leaf }: Pick<StoredAccess, 'arrival' | 'leaf'>, value: Uint8Array) {
    const entry = encode(storedEntry, { leaf, value })
    await this.#database.batch([{ type: 'put', key: accessKey(arrival), value: entry }], {
      sync: false,
    })
  }

  /** Newest first, below an arrival (exclusive) or from the newest. */
  async *list(before: number | null): AsyncGenerator<StoredAccess> {
    const range = { from: accessKey(0), to: accessKey(before ?? LAST), reverse: true }
    for await (const { key } of this.#database.iterate(range)) yield this.#read(numberOf(key))
  }

  /** About records of this custodian, oldest first, above an arrival (exclusive). */
  async *listAbout(custodian: Uint8Array, after: number): AsyncGenerator<StoredAccess> {
    const range = {
      from: accessAboutKey(custodian, after + 1),
      to: accessAboutKey(custodian, LAST),
    }
    for await (const key of this.#database.keys(range)) yield this.#read(lastNumberOf(key))
  }

  pending(limit: number): Promise<{ arrival: number; id: Uint8Array }[]> {
    return this.#batches.pending(limit)
  }

  putBatch(batch: BatchBytes, leaves: readonly BatchedId[]): Promise<number> {
    return this.#batches.put(batch, leaves)
  }

  getBatch(sequence: number): PrivateBatch | undefined {
    return this.#batches.get(sequence)
  }

  unanchored(): Promise<PrivateBatch[]> {
    return this.#batches.unanchored()
  }

  markAnchored(sequence: number, anchor: Uint8Array): Promise<void> {
    return this.#batches.markAnchored(sequence, anchor)
  }

  #read(arrival: number): StoredAccess {
    const key = accessKey(arrival)
    const stored = this.#database.getSync(key)
    if (stored === undefined)
      throw new StorageError('missing', 'a part of the access log is gone', {
        key: formatDatabaseKey(key),
      })
    const { leaf, value } = decode(storedEntry, stored)
    return { arrival, leaf, value, place: this.#batches.placeOf(arrival, leaf) }
  }
}

function aboutMark(custodian: Uint8Array, arrival: number): DatabaseOperation {
  return { type: 'put', key: accessAboutKey(custodian, arrival), value: NOTHING }
}
