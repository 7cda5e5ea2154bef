/**
 * From disk to state: what the journal and the chain remember becomes the state before the crash,
 * except for the others' volatile votes.
 *
 * The view is derived from certificates alone. Own votes above the last finalization come back with
 * their signatures, so that they can be sent again: the same bytes twice are no offence.
 */
import { holdBlock } from './blocks.ts'
import { onCertificate } from './certificates.ts'
import { VOTES_MAX } from './messages.ts'
import { leaderOf } from './quorum.ts'
import { NEVER, type Rejoin } from './rejoin.ts'
import {
  type ConsensusConfig,
  type ConsensusState,
  type Draft,
  draftOf,
  type Marks,
  openViews,
  recordOf,
  writeRecord,
} from './state.ts'
import { broadcastStatus } from './status.ts'
import { type Step, step } from './step.ts'
import type { BlockMeta, Certificate, Clock, Vote } from './types.ts'
import { armRetry } from './vote.ts'

export interface Recovered {
  /** The last durable block, or genesis (view 0, height 0). */
  readonly committed: BlockMeta
  /** A finalization of the committed block, or null at genesis. */
  readonly finalization: Certificate | null
  readonly certificates: readonly Certificate[]
  readonly votes: readonly Vote[]
  /** Blocks above the committed one that the journal holds. */
  readonly blocks: readonly BlockMeta[]
  /** The highest views ever signed by kind; they may be ahead of the journal by its last group. */
  readonly marks: Marks
  /** Not null when votes of this node's key may be missing from all of the above. */
  readonly rejoin: Rejoin | null
}

export function start(config: ConsensusConfig, recovered: Recovered, clock: Clock): Step {
  const draft = draftOf(emptyState(config, recovered), clock)
  const { state } = draft
  for (const block of recovered.blocks) holdBlock(draft, block)
  for (const vote of recovered.votes) rememberOwn(draft, vote)
  for (const certificate of recovered.certificates) onCertificate(draft, certificate)
  draft.actions.length = 0
  state.isArmed = false
  if (state.view >= state.voteFrom && recordOf(state, state.view).ownNullify) armRetry(draft)
  const votes = ownVotesAbove(state)
  if (votes.length > 0) draft.actions.push({ type: 'broadcast', message: { kind: 'votes', votes } })
  proposeAgain(draft)
  broadcastStatus(draft)
  const settled = step(state, { type: 'work', waiting: false }, clock)
  return { state: settled.state, actions: [...draft.actions, ...settled.actions] }
}

function emptyState(config: ConsensusConfig, recovered: Recovered): ConsensusState {
  const { committed, finalization } = recovered
  const { view, parentView, height, digest } = committed
  const subject = finalization?.subject ?? { epoch: config.epoch, view, parentView, height, digest }
  const { rejoin } = recovered
  const voteFrom = rejoin === null ? 0 : rejoin.kind === 'wait' ? rejoin.voteFrom : NEVER
  return {
    config,
    committed,
    final: { view: subject.view, subject, certificate: finalization },
    view: subject.view + 1,
    enteredAt: 0,
    views: new Map(),
    blocks: new Map(),
    fetching: new Set(),
    syncing: 0,
    isWaiting: false,
    isArmed: false,
    building: 0,
    lastProposalAt: 0,
    heard: Array.from({ length: config.authorities }, () => null),
    shownViews: Array.from({ length: config.authorities }, () => 0),
    statusSentAt: Array.from({ length: config.authorities }, () => 0),
    statusAnsweredAt: Array.from({ length: config.authorities }, () => 0),
    staleAnsweredAt: Array.from({ length: config.authorities }, () => 0),
    statusCount: 0,
    marks: recovered.marks,
    forgottenView: Math.max(subject.view, voteFrom - 1, ...Object.values(recovered.marks)),
    voteFrom,
    gathering: gatheringOf(rejoin),
    isHalted: false,
  }
}

function gatheringOf(rejoin: Rejoin | null): ConsensusState['gathering'] {
  if (rejoin?.kind !== 'gather') return null
  const { nonce, mayBegin = false } = rejoin
  return { nonce, mayBegin, answers: new Map() }
}

function rememberOwn(draft: Draft, vote: Vote): void {
  const record = writeRecord(draft, vote.subject.view)
  if (vote.kind === 'notarize') record.ownNotarize = vote.subject
  else if (vote.kind === 'nullify') record.ownNullify = true
  else record.ownFinalize = vote.subject
  record[vote.kind] = new Map(record[vote.kind]).set(vote.signer, vote)
}

/** Those of the newest views, as many as one message holds: the certificates of older ones exist. */
function ownVotesAbove(state: ConsensusState): Vote[] {
  const { me } = state.config
  if (me === null) return []
  const votes = openViews(state).flatMap((view) => {
    if (view < state.voteFrom) return []
    const record = recordOf(state, view)
    return [record.notarize.get(me), record.nullify.get(me), record.finalize.get(me)].filter(
      (vote) => vote !== undefined,
    )
  })
  return votes.slice(-VOTES_MAX)
}

/** A leader that crashed between its vote and the send proposes the same block again. */
function proposeAgain(draft: Draft): void {
  const { state } = draft
  const { me, epoch, authorities } = state.config
  if (me === null || state.view < state.voteFrom) return
  if (leaderOf(epoch, state.view, authorities) !== me) return
  const record = recordOf(state, state.view)
  const vote = record.notarize.get(me)
  if (vote === undefined || !state.blocks.has(vote.subject.digest)) return
  draft.actions.push({ type: 'propose', vote, justification: [] })
}
