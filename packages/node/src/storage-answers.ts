// What this node tells of what it keeps, and does about it when it is asked: the storage part of the API.

import type { ApiHandlers, PrunePlan as PlanAnswer, Snapshot } from '@mooring/api'
import { toHex } from '@mooring/codec'
import { formatRetention } from './option-values.ts'
import type { PrunePlan, Pruning } from './pruning.ts'
import { chunkOf, type SnapshotEntry, withSnapshot } from './snapshot-exchange.ts'
import type { Snapshots } from './snapshots.ts'

type StorageAnswers = Pick<
  ApiHandlers,
  'snapshots' | 'createSnapshot' | 'snapshotManifest' | 'snapshotChunk' | 'pruning' | 'prune'
>

export function createStorageAnswers(snapshots: Snapshots, pruning: Pruning): StorageAnswers {
  const { folder } = snapshots
  return {
    snapshots: async () => (await snapshots.list()).map(snapshotOf),
    createSnapshot: async () => snapshotOf(await snapshots.create()),
    snapshotManifest: (height) =>
      withSnapshot(folder, height, (file) => Promise.resolve(file.encodedManifest)),
    snapshotChunk: (height, index) => withSnapshot(folder, height, (file) => chunkOf(file, index)),
    pruning: async () => planOf(await pruning.plan(), formatRetention(pruning.retention)),
    prune: async () => {
      const { plan, blocks } = await pruning.run()
      return { blocks, prunedTo: plan.prunableTo }
    },
  }
}

export function snapshotOf({ height, digest, bytes }: SnapshotEntry): Snapshot {
  return { height, digest: toHex(digest), bytes }
}

export function planOf(plan: PrunePlan, retention: string): PlanAnswer {
  const { limits, holds, ...heights } = plan
  return { ...heights, retention, limits: [...limits], holds: [...holds] }
}
