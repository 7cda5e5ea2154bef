// Transactions on their way to the others: never one message a transaction when there are many of them.
//
// What comes after a quiet moment goes at once, for somebody waits for it; what comes soon after goes
// together. The more there was in the last message, the longer the next one waits for company: a message
// costs each receiver as much as some thirty transactions without their signatures.

import { bytesMax, CodecError, decodeShared, encode, list } from '@mooring/codec'
import type { Clock } from './clock.ts'

/** A message carries what comes in so many milliseconds for each transaction of the one before. */
const BATCH_MS = 5
const BATCH_MS_MAX = 25
const BATCH_BYTES = 64 << 10
/** What a peer may send in one message: the largest transaction, or a full batch. */
export const BATCH_BYTES_MAX = (1 << 20) - 1024

export const BATCH_COUNT_MAX = 4_096

export const transactionBatch = list(bytesMax(1 << 20), BATCH_COUNT_MAX)

/** Views of the message. @returns null when the bytes are not a batch within the limits. */
export function decodeTransactionBatch(data: Uint8Array): Uint8Array[] | null {
  try {
    return decodeShared(transactionBatch, data, BATCH_BYTES_MAX)
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
  #flushedAt = -Infinity
  #windowMs = 0
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
    if (this.#waiting.length === 0 || this.#cancel !== null) return
    const leftMs = this.#flushedAt + this.#windowMs - this.#clock.monotonic()
    if (leftMs <= 0) this.flush()
    else this.#cancel = this.#clock.after(leftMs, () => this.flush())
  }

  flush(): void {
    this.#cancel?.()
    this.#cancel = null
    if (this.#waiting.length === 0) return
    const batch = encode(transactionBatch, this.#waiting)
    this.#flushedAt = this.#clock.monotonic()
    this.#windowMs = Math.min(BATCH_MS_MAX, BATCH_MS * this.#waiting.length)
    this.#waiting = []
    this.#bytes = 0
    this.#publish(batch).catch(this.#onError)
  }
}
