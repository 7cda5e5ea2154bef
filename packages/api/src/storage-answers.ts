/**
 * What a node tells of what it keeps: snapshots, and how far old blocks have been dropped.
 */

import { count, digest, list, named, text, time } from './answer-forms.ts'
import type { Static } from './schema.ts'

export const Snapshot = named('Snapshot', 'The state after one block, as a file to start from.', {
  height: count('Height of the block.'),
  digest: digest('Digest of what every member exports alike; compare it with theirs.'),
  bytes: count('Size of the file.'),
})
export type Snapshot = Static<typeof Snapshot>

export const Snapshots = named('Snapshots', 'Those that are kept, newest first.', {
  items: list(Snapshot),
})
export type Snapshots = Static<typeof Snapshots>

export const Hold = named('Hold', 'Why nothing may be dropped, and since when.', {
  name: text('Name it was placed under.'),
  reason: text('Why.'),
  placedAt: time('When it was placed.'),
})
export type Hold = Static<typeof Hold>

export const PruneLimit = named('PruneLimit', 'Up to where one reason lets bodies go.', {
  limit: text('`retention`, `window`, `snapshot`, `records` or `hold`.'),
  to: count('Height up to which it lets go; 0: nothing.'),
})

export const PrunePlan = named('PrunePlan', 'What pruning would drop now, and what it must keep.', {
  height: count('Last final height.'),
  base: count('Nothing is kept at or below; 0: the chain is whole.'),
  prunedTo: count('Bodies at or below have been dropped.'),
  prunableTo: count('Bodies at or below may be dropped now.'),
  retention: text('The option `[storage] retention`.'),
  limits: list(PruneLimit),
  holds: list(Hold),
})
export type PrunePlan = Static<typeof PrunePlan>

export const Pruned = named('Pruned', 'What pruning dropped.', {
  blocks: count('Bodies dropped.'),
  prunedTo: count('Bodies at or below are gone.'),
})
export type Pruned = Static<typeof Pruned>
