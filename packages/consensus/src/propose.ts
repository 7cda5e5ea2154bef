/**
 * The leader's side: is there work, which parent, and what justifies it (rules R2, R3).
 *
 * The parent is the highest notarized block such that every later view is nullified. A proposal
 * carries the parent's certificate and those nullifications, so nobody has to fetch to judge it. Where no view is
 * skipped it carries nothing: the votes for the parent are on their way to everybody as they were to the leader, and
 * a certificate of a hundred authorities, sent to each of them, takes longer than the block.
 */
import { advanceExecution, holdBlock, isExecuted, notarizedAt } from './blocks.ts'
import { hasNullifyMinority } from './certificates.ts'
import { JUSTIFICATION_MAX } from './messages.ts'
import { leaderOf } from './quorum.ts'
import { isSealing, subjectAgain } from './sealing.ts'
import {
  type Draft,
  hasNotarized,
  isGivenUp,
  openViews,
  recordOf,
  setTimer,
  voter,
  writeRecord,
} from './state.ts'
import { askForMissing } from './status.ts'
import {
  type AuthorityIndex,
  type BlockMeta,
  type Certificate,
  type Digest,
  type Subject,
  subjectOf,
  type View,
} from './types.ts'
import { unsigned } from './votes.ts'

/** Whether this view should produce something; without work there are no timers and no blocks. */
export function hasWork(draft: Draft): boolean {
  const { state } = draft
  const { proposal, ownNotarize } = recordOf(state, state.view)
  return (
    (state.isWaiting && !mustSeal(draft)) ||
    proposal !== null ||
    ownNotarize !== null ||
    hasNullifyMinority(draft) ||
    mustComplete(draft)
  )
}

/** Nothing can be added to the chain before the end of the epoch, however much waits. */
function mustSeal(draft: Draft): boolean {
  const view = chooseParent(draft)
  const parent = view === null ? null : notarizedAt(draft, view)
  return parent !== null && isSealing(draft, parent.digest)
}

/**
 * A block with content stays unfinalized although time enough has passed: one more block on top brings
 * finality. Without the wait every block would be followed by an empty one, for ever.
 */
export function mustComplete(draft: Draft): boolean {
  const { state, clock } = draft
  if (clock.monotonic - state.enteredAt < 2 * state.config.deltaMs) return false
  return hasOpenContent(draft)
}

export function hasOpenContent(draft: Draft): boolean {
  const { state } = draft
  return openViews(state).some((view) => {
    const { notarization } = recordOf(state, view)
    if (notarization === null) return false
    const meta = state.blocks.get(notarization.subject.digest)?.meta
    return meta === undefined || !meta.isEmpty || meta.isSealing
  })
}

export function tryPropose(draft: Draft): void {
  const { state, clock } = draft
  const { view } = state
  const me = voter(state)
  if (me === null || leaderOf(state.config.epoch, view, state.config.authorities) !== me) return
  if (hasNotarized(state, view) || isGivenUp(state, view) || state.building === view) return
  if (!hasWork(draft)) return
  const parentView = chooseParent(draft)
  if (parentView === null) return askForMissing(draft, null)
  const parent = notarizedAt(draft, parentView)
  if (parent === null) return
  if (!isExecuted(draft, parent.digest))
    return advanceExecution(draft, parent.digest, parent.holders)
  if (isSealing(draft, parent.digest)) return proposeAgain(draft, parent.digest, parentView)
  const sinceLast = clock.monotonic - state.lastProposalAt
  if (sinceLast < state.config.minBlockIntervalMs)
    return setTimer(draft, 'build', state.config.minBlockIntervalMs - sinceLast)
  const meta = state.blocks.get(parent.digest)?.meta ?? state.committed
  state.building = view
  const mayBeEmpty = hasNullifyMinority(draft) || mustComplete(draft)
  const action = { type: 'build', view, parent: { ...meta, view: parentView }, mayBeEmpty } as const
  draft.actions.push(action)
}

/** @returns the view to extend, or null when a certificate between here and there is missing (R3). */
export function chooseParent(draft: Draft): View | null {
  const { state } = draft
  for (let view = state.view - 1; view > state.final.view; view -= 1) {
    const record = recordOf(state, view)
    if (record.notarization !== null) return view
    if (record.nullification === null) return null
  }
  return state.final.view
}

export function onBuilt(draft: Draft, view: View, block: BlockMeta | null): void {
  const { state, clock } = draft
  if (state.building === view) state.building = 0
  const me = voter(state)
  if (block === null || me === null || view !== state.view) return
  if (hasNotarized(state, view) || isGivenUp(state, view)) return
  holdBlock(draft, block)
  state.blocks.set(block.digest, { meta: block, execution: 'valid' })
  state.lastProposalAt = clock.monotonic
  propose(draft, subjectOf(state.config.epoch, block), me)
}

/** The sealing block that is not final yet, in our view; its body is with us, for it is executed. */
function proposeAgain(draft: Draft, digest: Digest, parentView: View): void {
  const { state } = draft
  const me = voter(state)
  const block = state.blocks.get(digest)
  if (me === null || block === undefined) return
  propose(draft, subjectAgain(state.config.epoch, block.meta, { view: state.view, parentView }), me)
}

function propose(draft: Draft, subject: Subject, me: AuthorityIndex): void {
  writeRecord(draft, subject.view).ownNotarize = subject
  draft.actions.push({
    type: 'propose',
    vote: unsigned('notarize', subject, me),
    justification: justify(draft, subject),
  })
}

function justify(draft: Draft, subject: Subject): Certificate[] {
  const { state } = draft
  if (subject.parentView === subject.view - 1) return []
  const certificates: Certificate[] = []
  const parent =
    subject.parentView === state.final.view
      ? state.final.certificate
      : recordOf(state, subject.parentView).notarization
  if (parent !== null) certificates.push(parent)
  for (let view = subject.view - 1; view > subject.parentView; view -= 1) {
    const { nullification } = recordOf(state, view)
    if (nullification !== null && certificates.length < JUSTIFICATION_MAX)
      certificates.push(nullification)
  }
  return certificates
}
