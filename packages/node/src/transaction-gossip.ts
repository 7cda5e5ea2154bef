// Transactions on their way to the others: what arrived in the last few milliseconds travels as one
// message, never one message a transaction.

import { bytesMax, CodecError, decode, encode, list } from '@mooring/codec'
import type { Clock } from './clock.ts'

const BATCH_MS = 5
const BATCH_BYTES = 64 << 10
/** What a peer may send in one message: the largest transaction, or a full batch. */
export const BATCH_BYTES_MAX = (1 << 20) - 1024

const batchSchema = list(bytesMax(1 << 20), 4_096)

/** @returns null when the bytes are not a batch within the limits. */
export function decodeTransactionBatch(data: Uint8Array): Uint8Array[] | null {
  try {
    return decode(batchSchema, data, BATCH_BYTES_MAX)
  } catch (error) {
    if (error instanceof CodecError) return null
    throw error
  }
}

export class TransactionGossip {
  readonly #clock: Clock
  readonly #publish: (batch: Uint8Array) => Promise<unknown>
  readonly #onError: (error: unknown) => void
  #waiting: Uint8Array[] = []
  #bytes = 0
  #cancel: (() => void) | null = null

  constructor(
    clock: Clock,
    publish: (batch: Uint8Array) => Promise<unknown>,
    onError: (error: unknown) => void,
  ) {
    this.#clock = clock
    this.#publish = publish
    this.#onError = onError
  }

  add(transactions: readonly Uint8Array[]): void {
    for (const bytes of transactions) {
      if (this.#bytes > 0 && this.#bytes + bytes.length > BATCH_BYTES) this.flush()
      this.#waiting.push(bytes)
      this.#bytes += bytes.length + 3
    }
    if (this.#waiting.length > 0) this.#cancel ??= this.#clock.after(BATCH_MS, () => this.flush())
  }

  flush(): void {
    this.#cancel?.()
    this.#cancel = null
    if (this.#waiting.length === 0) return
    const batch = encode(batchSchema, this.#waiting)
    this.#waiting = []
    this.#bytes = 0
    this.#publish(batch).catch(this.#onError)
  }
}
