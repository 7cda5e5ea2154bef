/**
 * The end of an epoch. A sealing block is one in which a change of the network passes; when it is final
 * and durable the next epoch begins, with its own machine, and nothing ever stands on it in this one.
 *
 * So whoever must extend a sealing block that is notarized and not final has one legal proposal: the same
 * block again, in the current view, on the view of its own last notarization. The subject then names
 * another view than the header, and only here may it. Any number of views can pass so; a finalization in
 * any of them ends the epoch. A machine whose committed block is sealing votes no more (`voter`).
 *
 * The block that ended the epoch before is this one's view 0, and not proposed again: notarized in a view
 * of this epoch nobody could finalize it, and nothing could stand on it.
 */
import type { Draft } from './state.ts'
import type { BlockMeta, Digest, Epoch, Proposal, Subject, View } from './types.ts'

/** Whether a block that is held, or the committed one, is known to be sealing. */
export function isSealing({ state }: Draft, digest: Digest): boolean {
  if (digest === state.committed.digest) return state.committed.isSealing
  return state.blocks.get(digest)?.meta.isSealing === true
}

/** The place of a sealing block that is proposed again. */
export function subjectAgain(
  epoch: Epoch,
  { height, digest }: BlockMeta,
  { view, parentView }: { view: View; parentView: View },
): Subject {
  return { epoch, view, parentView, height, digest }
}

export function isProposedAgain({ block, vote }: Proposal): boolean {
  return block.view !== vote.subject.view
}

/** What is wrong with the place of a proposal, given what stands notarized or final at its parent view. */
export function checkPlace(
  draft: Draft,
  proposal: Proposal,
  parent: Pick<Subject, 'digest' | 'height'>,
): 'wrong_parent' | 'seal_broken' | undefined {
  const { block } = proposal
  if (isProposedAgain(proposal)) {
    if (!block.isSealing) return 'seal_broken'
    if (block.digest === draft.state.committed.digest) return 'seal_broken'
    return parent.digest === block.digest ? undefined : 'wrong_parent'
  }
  if (parent.digest !== block.parent || parent.height + 1 !== block.height) return 'wrong_parent'
  return isSealing(draft, parent.digest) ? 'seal_broken' : undefined
}
