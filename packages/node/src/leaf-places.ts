// Where the records of this custodian are in its anchored batches, for who reads them.

import { batchPaths, type LeafPlace } from '@mooring/records'
import type { BatchPlace, PrivateStore } from '@mooring/storage'
import { type BatchAnchors, decodeBatch } from './custody.ts'
import { runInSlices } from './time-slices.ts'

export interface LeafPlacesModules {
  readonly store: Pick<PrivateStore, 'placeOf' | 'getBatch'>
  readonly anchors: Pick<BatchAnchors, 'of'>
}

export interface PlacesInBatchesModules {
  readonly store: Pick<PrivateStore, 'getBatch'>
  readonly anchors: Pick<BatchAnchors, 'of'>
}

/** In their order; null for a record whose batch is not final. */
export function leafPlaces(
  { store, anchors }: LeafPlacesModules,
  ids: readonly Uint8Array[],
): Promise<(LeafPlace | null)[]> {
  const batched = ids.map((id) => store.placeOf(id))
  return placesInBatches({ store, anchors }, batched)
}

/** In their order; null for what is in no batch, or in one that is not final. Each batch is looked at once. */
export async function placesInBatches(
  { store, anchors }: PlacesInBatchesModules,
  batched: readonly (BatchPlace | null)[],
): Promise<(LeafPlace | null)[]> {
  const places: (LeafPlace | null)[] = batched.map(() => null)
  const byBatch = new Map<number, { at: number; position: number }[]>()
  for (const [at, place] of batched.entries()) {
    if (place === null || anchors.of(place) === null) continue
    const known = byBatch.get(place.sequence) ?? []
    byBatch.set(place.sequence, [...known, { at, position: place.position }])
  }
  await runInSlices(byBatch.entries(), ([sequence, wanted]) => {
    const anchor = anchors.of({ sequence, position: 0 })
    const stored = store.getBatch(sequence)
    if (anchor === null || stored === undefined) return
    const { transaction, height } = anchor
    const { leaves } = decodeBatch(stored.batch)
    const paths = batchPaths(
      leaves,
      wanted.map(({ position }) => position),
    )
    for (const [index, { at, position }] of wanted.entries()) {
      const path = paths[index]
      if (path !== undefined) places[at] = { transaction, height, index: position, path }
    }
  })
  return places
}
