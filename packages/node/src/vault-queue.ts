// What waits for holders, in memory: each record with its shards' places, and who has which of them.

import { toHex } from '@mooring/codec'

/** What a holder is given beside its shard, and all shards as the store has them. */
export interface Parcel {
  readonly set: Uint8Array
  readonly manifest: Uint8Array
  readonly queued: Uint8Array
}

export interface QueuedRecord {
  readonly id: Uint8Array
  readonly arrival: number
  readonly setId: Uint8Array
  readonly k: number
  /** Of all its shards. */
  readonly bytes: number
  /** Its shards are files; see ShardSpool. */
  readonly isSpooled: boolean
  /** The class key without which it cannot be opened; see KeyDeposits. */
  readonly keyName: string
  /** Monotonic. */
  readonly since: number
  readonly holders: string[]
  readonly isReceipted: boolean[]
  isAccepted: boolean
  /** Null where it has to be read from the store. */
  parcel: Parcel | null
}

export interface QueueLimits {
  readonly recordsMax: number
  readonly bytesMax: number
  /** Parcels that stay in memory. */
  readonly parcelBytesMax: number
}

export const QUEUE_LIMITS: QueueLimits = {
  recordsMax: 100_000,
  bytesMax: 2 * 1024 * 1024 * 1024,
  parcelBytesMax: 96 * 1024 * 1024,
}

export class VaultQueue {
  readonly #limits: QueueLimits
  readonly #records = new Map<number, QueuedRecord>()
  #bytes = 0
  #parcelBytes = 0

  constructor(limits: QueueLimits) {
    this.#limits = limits
  }

  get size(): number {
    return this.#records.size
  }

  get bytes(): number {
    return this.#bytes
  }

  /** The one that waits longest. */
  get oldest(): QueuedRecord | undefined {
    return this.#records.values().next().value
  }

  get isFull(): boolean {
    const { recordsMax, bytesMax } = this.#limits
    return this.#records.size >= recordsMax || this.#bytes >= bytesMax
  }

  add(record: QueuedRecord): void {
    this.#records.set(record.arrival, record)
    this.#bytes += record.bytes
    if (record.parcel === null) return
    if (this.#parcelBytes + record.bytes > this.#limits.parcelBytesMax) record.parcel = null
    else this.#parcelBytes += record.bytes
  }

  has(record: QueuedRecord): boolean {
    return this.#records.get(record.arrival) === record
  }

  find(arrival: number): QueuedRecord | undefined {
    return this.#records.get(arrival)
  }

  hasArrival(arrival: number): boolean {
    return this.#records.has(arrival)
  }

  values(): IterableIterator<QueuedRecord> {
    return this.#records.values()
  }

  remove(record: QueuedRecord): void {
    if (!this.#records.delete(record.arrival)) return
    this.#bytes -= record.bytes
    if (record.parcel !== null) this.#parcelBytes -= record.bytes
    record.parcel = null
  }
}

export function missingOf({ isReceipted }: QueuedRecord): number[] {
  return isReceipted.flatMap((is, index) => (is ? [] : [index]))
}

export function nameOfRecord({ id }: QueuedRecord): string {
  return toHex(id)
}
