// Whether the guard knows what this authority is known to have signed.
//
// Journal and marks judge each other when they are opened. What they cannot show is that both were lost,
// or brought back from an older copy, together. The chain can: its finalizations name who signed them,
// and a mark is on disk before the vote it covers leaves. So a finalization with our signature above the
// marks means that votes were forgotten, and whoever goes on might contradict them. Below the floor of a
// guard that has rejoined they are forgotten for good, and do no harm any more.

import { equalBytes, toHex } from '@mooring/codec'
import { decodeCertificate } from '@mooring/consensus'
import { signersOf } from '@mooring/crypto'
import { type ChainStore, type Floor, type Marks, StorageError } from '@mooring/storage'
import type { AuthoritySets } from './authority-sets.ts'

/** Blocks looked at, newest first: who votes at all has signed one of so many. */
const HEIGHTS = 256

export interface KnownVotes {
  marks: Marks
  floor: Floor
}

/** @throws StorageError guard_behind */
export function checkGuardCovers(
  chain: Pick<ChainStore, 'tip' | 'base' | 'finalizationAtOrAfter'>,
  { marks, floor }: KnownVotes,
  consensusKey: Uint8Array,
  sets: AuthoritySets,
): void {
  const lowest = Math.max(chain.base + 1, chain.tip.height - HEIGHTS + 1)
  for (let height = chain.tip.height; height >= lowest; height -= 1) {
    const certified = chain.finalizationAtOrAfter(height)
    if (certified?.height !== height) continue
    const { bitmap, subject } = decodeCertificate(certified.finalization)
    const { epoch, view } = subject
    if (marks.epoch > epoch || (marks.epoch === epoch && marks.finalized >= view)) return
    if (floor.epoch > epoch || (floor.epoch === epoch && floor.view > view)) return
    const keys = signersOf(bitmap).map((index) => sets.of(epoch)?.keys[index])
    if (!keys.some((key) => key !== undefined && equalBytes(key, consensusKey))) continue
    throw new StorageError(
      'guard_behind',
      'the chain has a vote of this node that its vote journal does not know',
      { height, view, finalized: marks.finalized, key: toHex(consensusKey) },
    )
  }
}
