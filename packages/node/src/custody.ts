// What the private store keeps as opaque bytes, as values: a batch, and what anchored it.

import { bytes, decode, encode, type Infer, uint, versioned } from '@mooring/codec'
import { type AnchorBatch, anchorBatchSchema } from '@mooring/records'
import type { PrivateRecord, PrivateStore } from '@mooring/storage'

/** Where a batch is on the chain. */
const batchAnchorSchema = versioned(1, {
  /** Of the transaction, among those of our organisation. */
  sequence: uint(),
  transaction: bytes(32),
  height: uint(),
})

export type BatchAnchor = Infer<typeof batchAnchorSchema>

export function encodeBatch(batch: AnchorBatch): Uint8Array {
  return encode(anchorBatchSchema, batch)
}

export function decodeBatch(encoded: Uint8Array): AnchorBatch {
  return decode(anchorBatchSchema, encoded)
}

export function encodeBatchAnchor(anchor: BatchAnchor): Uint8Array {
  return encode(batchAnchorSchema, anchor)
}

const ANCHORS_REMEMBERED = 10_000

/** Which batch is anchored where: asked for every record, while thousands share a batch. */
export class BatchAnchors {
  readonly #store: Pick<PrivateStore, 'getBatch'>
  readonly #known = new Map<number, BatchAnchor>()
  readonly #open = new Set<number>()

  constructor(store: Pick<PrivateStore, 'getBatch'>) {
    this.#store = store
  }

  /** Null while the anchor is not final. */
  of(place: PrivateRecord['place']): BatchAnchor | null {
    if (place === null || this.#open.has(place.sequence)) return null
    const known = this.#known.get(place.sequence)
    if (known !== undefined) return known
    const encoded = this.#store.getBatch(place.sequence)?.anchor ?? null
    if (encoded === null) return null
    const anchor = decode(batchAnchorSchema, encoded)
    this.#remember(place.sequence, anchor)
    return anchor
  }

  opened(batch: number): void {
    this.#open.add(batch)
  }

  anchored(batch: number, anchor: BatchAnchor): void {
    this.#remember(batch, anchor)
    this.#open.delete(batch)
  }

  #remember(batch: number, anchor: BatchAnchor): void {
    if (this.#known.size >= ANCHORS_REMEMBERED) this.#known.clear()
    this.#known.set(batch, anchor)
  }
}
