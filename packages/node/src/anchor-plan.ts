// Which batch takes which sequence next: the decision, apart from signing and sending.
//
// A batch may be signed again and again: at most one of its anchors can be applied, for the chain
// takes a root once and a sequence once. What must not happen is that two batches block each other:
// so a batch keeps the sequence it has while that can still be applied, and batches without one fill
// the lowest sequences that are free.

import type { UnixMs } from '@mooring/ledger'

export interface Attempt {
  readonly sequence: number
  readonly expiresAt: UnixMs
  /** Null when the door says that this sequence is taken: an earlier run of ours has signed for it. */
  readonly transaction: Uint8Array | null
}

export interface ChainPosition {
  /** Of the last final anchor of our organisation. */
  readonly lastSequence: number
  /** Of the last final block, or ours when that is later. */
  readonly time: UnixMs
}

/** Whether a block may still apply it. */
export function isAlive(
  attempt: Pick<Attempt, 'sequence' | 'expiresAt'>,
  { lastSequence, time }: ChainPosition,
): boolean {
  return attempt.sequence > lastSequence && attempt.expiresAt > time
}

/** The sequences to sign with, in the order of the batches. */
export function planAnchors<B extends { readonly attempt: Attempt | null }>(
  batches: readonly B[],
  position: ChainPosition,
): { batch: B; sequence: number }[] {
  const taken = new Set<number>()
  const without: B[] = []
  for (const batch of batches) {
    const { attempt } = batch
    if (attempt !== null && isAlive(attempt, position)) taken.add(attempt.sequence)
    else without.push(batch)
  }
  let next = position.lastSequence
  return without.map((batch) => {
    do next += 1
    while (taken.has(next))
    return { batch, sequence: next }
  })
}
