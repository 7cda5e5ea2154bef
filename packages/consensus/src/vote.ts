/**
 * The voter's side: notarize, nullify, finalize (rules R4, R5, R6, R7), and the timers that lead there.
 *
 * The whole of safety is here: at most one notarize in a view; never both nullify and finalize in a
 * view; no notarize after a nullify; and notarize only a block whose parent is notarized and whose
 * skipped views are all nullified. "Cannot tell yet" is never "invalid".
 */
import { advanceExecution, holdBlock, isExecuted, notarizedAt } from './blocks.ts'
import { hasOpenContent, hasWork } from './propose.ts'
import { leaderOf } from './quorum.ts'
import { checkPlace, isProposedAgain } from './sealing.ts'
import {
  type Draft,
  growth,
  halt,
  hasFinalized,
  hasNotarized,
  isGivenUp,
  openViews,
  quorum,
  recordOf,
  setTimer,
  VIEWS_AHEAD,
  voter,
  writeRecord,
} from './state.ts'
import { askForMissing } from './status.ts'
import { nullifySubject, type Proposal, sameSubject, type View } from './types.ts'
import { unsigned } from './votes.ts'

/** A live proposal may be this much older than the voter's clock, beside what Δ and failed views explain. */
const MESSAGE_DELAY_MS = 10_000

export function nullify(draft: Draft): void {
  const { state } = draft
  const me = voter(state)
  const { ownNullify } = recordOf(state, state.view)
  if (me === null || ownNullify || hasFinalized(state, state.view)) return
  writeRecord(draft, state.view).ownNullify = true
  const subject = nullifySubject(state.config.epoch, state.view)
  draft.actions.push({ type: 'vote', vote: unsigned('nullify', subject, me) })
  armRetry(draft)
}

/** Two Δ, and up to a fifth more that differs by authority and view, so that not all re-send at once. */
export function armRetry(draft: Draft): void {
  const { config, view } = draft.state
  const spread = (((config.me ?? 0) * 7 + view * 3) % 10) / 50
  setTimer(draft, 'retry', 2 * config.deltaMs * (1 + spread))
}

/** Re-sends our nullify and the best certificate that let us into the view (R6). */
export function retryNullify(draft: Draft): void {
  const { state } = draft
  const me = voter(state)
  const record = recordOf(state, state.view)
  if (me === null || !record.ownNullify) return
  const vote = record.nullify.get(me)
  if (vote !== undefined)
    draft.actions.push({ type: 'broadcast', message: { kind: 'votes', votes: [vote] } })
  const before = recordOf(state, state.view - 1)
  const entry = before.finalization ?? before.nullification ?? before.notarization
  if (entry !== null)
    draft.actions.push({
      type: 'broadcast',
      message: { kind: 'certificates', certificates: [entry] },
    })
  armRetry(draft)
}

/** Starts the timers of the view when there is work, and leaves it at once when its leader is known dead. */
export function watchLeader(draft: Draft): void {
  const { state } = draft
  const me = voter(state)
  if (me === null) return
  const record = recordOf(state, state.view)
  if (record.ownNullify || hasFinalized(state, state.view)) return
  if (isGivenUp(state, state.view)) return nullify(draft)
  const leader = leaderOf(state.config.epoch, state.view, state.config.authorities)
  if (leader !== me && record.nullify.has(leader)) return nullify(draft)
  if (leader === me && state.syncing !== 0) return nullify(draft)
  if (record.proposal === null && isInactive(draft, leader)) return nullify(draft)
  if (state.isArmed) return
  if (!hasWork(draft)) {
    const completeAt = state.enteredAt + 2 * state.config.deltaMs
    if (hasOpenContent(draft)) setTimer(draft, 'completion', completeAt - draft.clock.monotonic)
    return
  }
  state.isArmed = true
  const { deltaMs, minBlockIntervalMs } = state.config
  const factor = growth(state)
  setTimer(draft, 'leader', 2 * deltaMs * factor + minBlockIntervalMs)
  setTimer(draft, 'certification', 3 * deltaMs * factor + minBlockIntervalMs)
}

/** Fails open: who hears no quorum is cut off himself and accuses nobody. */
export function isInactive(draft: Draft, authority: number): boolean {
  const { state, clock } = draft
  const { me, skipMs } = state.config
  if (authority === me) return false
  const isLive = (heard: number | null): boolean =>
    heard !== null && clock.monotonic - heard < skipMs
  const live = state.heard.filter((heard, index) => index !== me && isLive(heard)).length
  if (live + (me === null ? 0 : 1) < quorum(state)) return false
  return !isLive(state.heard[authority] ?? null)
}

/** The first proposal of a view is kept, also of an old one: its block may be notarized by others. */
export function onProposal(draft: Draft, proposal: Proposal): void {
  const { state, clock } = draft
  const { epoch, view } = proposal.vote.subject
  if (epoch !== state.config.epoch) return
  if (view <= state.final.view || view > state.view + VIEWS_AHEAD) return
  const known = recordOf(state, view).proposal
  if (known !== null) {
    const isSame = sameSubject(known.vote.subject, proposal.vote.subject)
    if (!isSame) writeRecord(draft, view).isEquivocated = true
    return
  }
  holdBlock(draft, proposal.block)
  writeRecord(draft, view).proposal = proposal
  state.lastProposalAt = clock.monotonic
}

/** R4: every outcome is a vote, a nullify, or a wait for something that was asked for. */
export function tryNotarize(draft: Draft): void {
  const { state } = draft
  const me = voter(state)
  const record = recordOf(state, state.view)
  const { proposal } = record
  if (me === null || proposal === null) return
  if (hasNotarized(state, state.view) || record.ownFinalize !== null) return
  if (isGivenUp(state, state.view) || record.isEquivocated) return
  const { block } = proposal
  const { subject } = proposal.vote
  const { parentView } = subject
  if (parentView >= state.view || parentView < state.final.view) return nullify(draft)
  const parent = notarizedAt(draft, parentView)
  if (parent !== null && checkPlace(draft, proposal, parent) !== undefined) return nullify(draft)
  if (parent === null || !isGapNullified(draft, parentView, state.view))
    return askForMissing(draft, proposal.vote.signer)
  const execution = state.blocks.get(block.digest)?.execution
  if (execution === 'invalid') return nullify(draft)
  if (!isExecuted(draft, block.digest))
    return advanceExecution(draft, block.digest, [proposal.vote.signer])
  const timing = checkTime(draft, proposal)
  if (timing === 'early') return
  if (timing === 'refused') return nullify(draft)
  writeRecord(draft, state.view).ownNotarize = subject
  draft.actions.push({ type: 'vote', vote: unsigned('notarize', subject, me) })
}

/** Every skipped view, not only the last, must be nullified (R4c). */
function isGapNullified(draft: Draft, parentView: View, view: View): boolean {
  for (let skipped = parentView + 1; skipped < view; skipped += 1)
    if (recordOf(draft.state, skipped).nullification === null) return false
  return true
}

/**
 * Judged only here, on a live proposal: in sync a block's time was certified by a quorum's clocks. So was
 * that of a block that is proposed again, which may have become old meanwhile.
 */
function checkTime(draft: Draft, proposal: Proposal): 'good' | 'early' | 'refused' {
  const { config } = draft.state
  const { time } = proposal.block
  const { view, parentView } = proposal.vote.subject
  const ahead = time - draft.clock.wall - config.precisionMs
  if (ahead > config.deltaMs) return 'refused'
  if (ahead > 0) {
    setTimer(draft, 'early', ahead)
    return 'early'
  }
  if (isProposedAgain(proposal)) return 'good'
  const skipped = Math.min(view - parentView - 1, 32)
  const delay = (3 * config.deltaMs + MESSAGE_DELAY_MS) * 1.25 ** skipped
  return time < draft.clock.wall - delay - config.precisionMs ? 'refused' : 'good'
}

/**
 * R7, for every notarized view above the last finalization, however old. A finalize of which only the
 * marks tell can be given again: the view has one notarization.
 */
export function tryFinalize(draft: Draft): void {
  const { state } = draft
  for (const view of openViews(state)) {
    const me = voter(state, view)
    const record = recordOf(state, view)
    const { notarization } = record
    if (notarization === null) continue
    const { digest } = notarization.subject
    const execution = state.blocks.get(digest)?.execution
    if (execution === 'invalid') return halt(draft, { code: 'state_diverged', digest, view })
    if (execution !== 'valid') {
      advanceExecution(draft, digest, notarizedAt(draft, view)?.holders ?? [])
      continue
    }
    if (me === null || record.ownFinalize !== null || isGivenUp(state, view)) continue
    writeRecord(draft, view).ownFinalize = notarization.subject
    draft.actions.push({ type: 'vote', vote: unsigned('finalize', notarization.subject, me) })
  }
}
