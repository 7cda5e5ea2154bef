/**
 * Simplex as one pure function: an event and the time go in, the next state and the actions come out.
 *
 * Per view: the leader proposes; everybody notarizes a valid proposal, or nullifies when the leader is
 * late, wrong or known dead; a quorum of either ends the view and the next leader goes on at once. Who
 * holds a notarization and has not nullified the view finalizes; a quorum of finalize makes the block
 * and all its ancestors final. Blocks every 2δ, finality after 3δ, no step waits for Δ.
 *
 * Deviations from commonware: proposals prove the views that they skip; missing certificates are asked for
 * with a status; timers run only while there is work. Votes are given here, made durable and signed
 * outside, and counted only when they come back as events: a vote that is not on disk does not exist.
 */
import type { Action } from './actions.ts'
import { holdBlock, onSynced, tryCommit } from './blocks.ts'
import { enter, onCertificate, onVote, relay } from './certificates.ts'
import type { Event, ExecutionOutcome, TimerName } from './events.ts'
import { hasWork, onBuilt, tryPropose } from './propose.ts'
import { tryRejoin } from './rejoin.ts'
import { type ConsensusState, type Draft, draftOf, halt, recordOf } from './state.ts'
import { broadcastStatus, onPeers, onStatus } from './status.ts'
import type { Clock, Digest, View } from './types.ts'
import { nullify, onProposal, retryNullify, tryFinalize, tryNotarize, watchLeader } from './vote.ts'

export interface Step {
  readonly state: ConsensusState
  readonly actions: readonly Action[]
}

export function step(state: ConsensusState, event: Event, clock: Clock): Step {
  const draft = draftOf(state, clock)
  apply(draft, event)
  settle(draft)
  return { state: draft.state, actions: draft.actions }
}

function apply(draft: Draft, event: Event): void {
  switch (event.type) {
    case 'proposal':
      for (const certificate of event.proposal.justification) onCertificate(draft, certificate)
      onProposal(draft, event.proposal)
      onVote(draft, event.proposal.vote)
      return
    case 'votes':
      for (const vote of event.votes) onVote(draft, vote)
      return
    case 'certificates':
      for (const certificate of event.certificates) onCertificate(draft, certificate)
      return
    case 'status':
      return onStatus(draft, event.from, event.status)
    case 'block':
      return holdBlock(draft, event.block)
    case 'executed':
      return onExecuted(draft, event.digest, event.outcome)
    case 'built':
      return onBuiltOrNot(draft, event)
    case 'timer':
      return onTimer(draft, event.name, event.view)
    case 'work':
      draft.state.isWaiting = event.waiting
      return
    case 'peers':
      return onPeers(draft, event.heard)
    case 'diverged':
      return halt(draft, { code: 'state_diverged', digest: event.digest, view: event.view })
    case 'synced':
      if (event.finalization.subject.epoch !== draft.state.config.epoch) return
      onSynced(draft, event.block, event.finalization)
      return enter(draft, event.finalization.subject.view + 1)
  }
}

function onExecuted(draft: Draft, digest: Digest, outcome: ExecutionOutcome): void {
  const block = draft.state.blocks.get(digest)
  if (block !== undefined) draft.state.blocks.set(digest, { ...block, execution: outcome })
}

function onBuiltOrNot(draft: Draft, event: Extract<Event, { type: 'built' }>): void {
  onBuilt(draft, event.view, event.block)
  if (event.block !== null) return
  if (!event.failed) draft.state.isWaiting = false
  else if (event.view === draft.state.view) nullify(draft)
}

function onTimer(draft: Draft, name: TimerName, view: View): void {
  if (name === 'status') return broadcastStatus(draft)
  if (view !== draft.state.view) return
  if (name === 'certification' || name === 'leader') return onViewTimeout(draft, name)
  if (name === 'retry') retryNullify(draft)
  if (name === 'relay') relay(draft)
}

/** The work for which the timers were armed may be done by now; then the view goes back to rest. */
function onViewTimeout(draft: Draft, name: 'certification' | 'leader'): void {
  const { state } = draft
  if (!hasWork(draft)) {
    state.isArmed = false
    return
  }
  const { proposal, ownNotarize } = recordOf(state, state.view)
  if (name === 'certification' || (proposal === null && ownNotarize === null)) nullify(draft)
}

/** Applies the rules until the view stands still; each is idempotent within a view. */
function settle(draft: Draft): void {
  let view: View
  do {
    view = draft.state.view
    tryRejoin(draft)
    tryFinalize(draft)
    tryCommit(draft)
    tryPropose(draft)
    watchLeader(draft)
    tryNotarize(draft)
  } while (draft.state.view !== view)
}
