/**
 * A node that kept its key and lost its votes (amnesia): it must not sign what contradicts a vote that it
 * cannot remember, and it comes back without anybody's help.
 *
 * It asks all for their status, with a number that makes the answers younger than the loss. An answer
 * counts once we hold certificates that lead into the view that it claims, so a claim is worth no more
 * than what proves it. With answers of a quorum, let E be the highest view of which we hold a certificate.
 * Whatever certificate of a view u let us vote once had a quorum of signers, one of them honest and among
 * those who answered: he was in view u or later, so u <= E + 1, and we voted in no view beyond E + 2. From
 * E + 3 on we vote again. Until then we count as one of the f faulty, and the others go on without us; if
 * they cannot, only a new key helps.
 *
 * The loss may reach into a next epoch: ours may be the only copy of the finalization that ended this one.
 * Only an ordinary block that becomes final here, at or above E + 3, shows that no epoch had ended before;
 * where a sealing block comes first, the next epoch is gathered for anew.
 *
 * A guard that is new may as well belong to an authority that is: one that founds the network, or has just
 * come into the epoch. Where all must wait for view 3, nobody ever gets there. So a new guard votes at once
 * where nobody has got anywhere: no certificate of the epoch is known here or to `witnessesOf` others, and
 * none of them holds a vote of ours, which with any status they send back to us. A vote in view 1 that
 * brought no certificate, of a node that lost its disk, and that all who received it have forgotten too, is
 * what this does not see.
 */
import { faultsOf, quorumOf } from './quorum.ts'
import { type Draft, quorum, recordOf } from './state.ts'
import type { AuthorityIndex, BlockMeta, Status, View } from './types.ts'

/**
 * `gather`: nothing is known, ask; the nonce is random, not 0, and new for every start.
 * `wait`: an earlier life in this epoch has asked, and may vote from this view on.
 */
export type Rejoin =
  | {
      readonly kind: 'gather'
      readonly nonce: number
      /** The guard is new and nobody says that another one was lost. */
      readonly mayBegin?: boolean
    }
  | { readonly kind: 'wait'; readonly voteFrom: View }

/** The view of which nobody will ever speak. */
export const NEVER: View = Number.MAX_SAFE_INTEGER

export function noteAnswer({ state }: Draft, from: AuthorityIndex, status: Status): void {
  const { gathering } = state
  if (gathering === null || status.answer !== gathering.nonce) return
  const view = Math.min(status.view, gathering.answers.get(from) ?? NEVER)
  const answers = new Map(gathering.answers).set(from, view)
  state.gathering = { ...gathering, answers }
}

/**
 * So many others, the other faulty ones among them, that one honest node of any quorum that we belonged to
 * is with them.
 */
export function witnessesOf(authorities: number): number {
  const needed = authorities - quorumOf(authorities) + Math.max(1, faultsOf(authorities))
  return Math.min(authorities - 1, needed)
}

/** Ends the questions when the certificates of a quorum of answers are here. */
export function tryRejoin(draft: Draft): void {
  const { state, actions } = draft
  if (state.gathering === null) return
  const proven = [...state.gathering.answers.values()].filter((view) => view <= state.view)
  if (mayBegin(draft)) {
    if (proven.length >= witnessesOf(state.config.authorities)) begin(draft)
    return
  }
  if (proven.length < quorum(state)) return
  const highest = state.view - 1
  state.gathering = null
  state.voteFrom = highest + 3
  state.forgottenView = Math.max(state.final.view, highest + 2)
  actions.push({ type: 'rejoin', voteFrom: state.voteFrom })
}

function mayBegin({ state }: Draft): boolean {
  if (state.gathering?.mayBegin !== true || state.view !== 1) return false
  const { notarize, nullify, finalize } = recordOf(state, 1)
  return ![notarize, nullify, finalize].some((votes) => votes.has(state.config.me ?? -1))
}

function begin({ state, actions }: Draft): void {
  state.gathering = null
  state.voteFrom = 0
  state.forgottenView = 0
  actions.push({ type: 'rejoin', voteFrom: null })
}

/** An ordinary block is final in a view in which we could vote again: nothing forgotten matters now. */
export function tryForgive({ state, actions }: Draft, block: BlockMeta, view: View): void {
  if (state.voteFrom === 0 || view < state.voteFrom || block.isSealing) return
  state.voteFrom = 0
  actions.push({ type: 'rejoin', voteFrom: null })
}
