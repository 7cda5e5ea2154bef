/**
 * The state of one authority (or observer) in one epoch, and the draft on which a step works.
 *
 * A step never changes the state it was given: the top-level containers are copied when the step
 * begins, the record of a view when it is first written. A view record is kept until the view is
 * RETENTION views below the last finalization; above it nothing is ever forgotten.
 */
import type { Action, HaltReason } from './actions.ts'
import { quorumOf } from './quorum.ts'
import type {
  AuthorityIndex,
  BlockMeta,
  Certificate,
  Clock,
  Digest,
  Epoch,
  MonotonicMs,
  Proposal,
  Subject,
  View,
  Vote,
  VoteKind,
} from './types.ts'

/** Views below the last finalization whose certificates are kept for those who are a little behind. */
export const RETENTION = 64
/** Votes for views further ahead than this are not kept: certificates bring a laggard forward. */
export const VIEWS_AHEAD = 16

export interface ConsensusConfig {
  readonly epoch: Epoch
  readonly authorities: number
  /** Null for an observer: it follows and never votes. */
  readonly me: AuthorityIndex | null
  /** Δ, the bound on message delay that the timers are made of. */
  readonly deltaMs: number
  /** A leader not heard for so long, while a quorum was, is skipped. */
  readonly skipMs: number
  readonly statusMs: number
  readonly minBlockIntervalMs: number
  /** How far ahead of a voter's clock a block time may be. */
  readonly precisionMs: number
}

export type Marks = Readonly<Record<VoteKind, View>>

export type Execution = 'none' | 'running' | 'valid' | 'invalid'

export interface HeldBlock {
  readonly meta: BlockMeta
  readonly execution: Execution
}

export interface ViewRecord {
  notarize: ReadonlyMap<AuthorityIndex, Vote>
  nullify: ReadonlyMap<AuthorityIndex, Vote>
  finalize: ReadonlyMap<AuthorityIndex, Vote>
  ownNotarize: Subject | null
  ownNullify: boolean
  ownFinalize: Subject | null
  notarization: Certificate | null
  nullification: Certificate | null
  finalization: Certificate | null
  proposal: Proposal | null
  isEquivocated: boolean
  /** Offences that were reported, so that a repeated vote is not a second one. */
  accused: ReadonlySet<string>
}

export interface ConsensusState {
  readonly config: ConsensusConfig
  /** The last block handed out to be made durable. */
  committed: BlockMeta
  /** Highest finalization; its block may still have to be fetched. Null at genesis. */
  final: {
    readonly view: View
    readonly subject: Subject
    readonly certificate: Certificate | null
  }
  view: View
  enteredAt: MonotonicMs
  views: ReadonlyMap<View, ViewRecord>
  /** Blocks above the committed one whose bodies are held, by digest. */
  blocks: Map<Digest, HeldBlock>
  fetching: Set<Digest>
  syncing: View
  isWaiting: boolean
  isArmed: boolean
  building: View
  lastProposalAt: MonotonicMs
  heard: (MonotonicMs | null)[]
  /** The highest view in which each authority has shown itself to be. */
  shownViews: View[]
  statusSentAt: MonotonicMs[]
  statusAnsweredAt: MonotonicMs[]
  /** When each was last shown the way out of a view that it wants to leave. */
  staleAnsweredAt: MonotonicMs[]
  statusCount: number
  /**
   * The highest views voted in, by kind, as the last start found them. The records may be behind by a
   * group that was torn off, or that a lying disk never wrote, and nobody can know which of its votes
   * have left: in every view up to its mark a vote counts as given.
   */
  readonly marks: Marks
  /** Own votes at views up to this one may have been forgotten, so an unknown one proves nothing. */
  forgottenView: View
  /** No vote of an earlier view is given or sent again: what was given there is forgotten. */
  voteFrom: View
  /** The views in which the others say to be, in answer to our question; until there are enough. */
  gathering: {
    readonly nonce: number
    readonly mayBegin: boolean
    readonly answers: ReadonlyMap<AuthorityIndex, View>
  } | null
  isHalted: boolean
}

export interface Draft {
  readonly state: ConsensusState
  readonly actions: Action[]
  readonly clock: Clock
  readonly written: Set<View>
  /** Of its own from the first write on: most steps write none, and there are many views. */
  views: Map<View, ViewRecord> | null
}

const EMPTY_RECORD: Readonly<ViewRecord> = Object.freeze({
  notarize: new Map(),
  nullify: new Map(),
  finalize: new Map(),
  ownNotarize: null,
  ownNullify: false,
  ownFinalize: null,
  notarization: null,
  nullification: null,
  finalization: null,
  proposal: null,
  isEquivocated: false,
  accused: new Set<string>(),
})

export function draftOf(state: ConsensusState, clock: Clock): Draft {
  const copy: ConsensusState = {
    ...state,
    blocks: new Map(state.blocks),
    fetching: new Set(state.fetching),
    shownViews: [...state.shownViews],
    statusSentAt: [...state.statusSentAt],
    statusAnsweredAt: [...state.statusAnsweredAt],
    staleAnsweredAt: [...state.staleAnsweredAt],
  }
  return { state: copy, actions: [], clock, written: new Set(), views: null }
}

/** The record of a view, to read. */
export function recordOf(state: ConsensusState, view: View): Readonly<ViewRecord> {
  return state.views.get(view) ?? EMPTY_RECORD
}

/** The record of a view, to write: a copy of its own in this draft. */
export function writeRecord(draft: Draft, view: View): ViewRecord {
  const known = draft.state.views.get(view)
  if (known !== undefined && draft.written.has(view)) return known
  const copy = { ...(known ?? EMPTY_RECORD) }
  ownViews(draft).set(view, copy)
  draft.written.add(view)
  return copy
}

/** Forgets the views that nobody asks about after the finalization of this one. */
export function forgetViews(draft: Draft, final: View): void {
  for (const view of draft.state.views.keys())
    if (view <= final - RETENTION) ownViews(draft).delete(view)
}

function ownViews(draft: Draft): Map<View, ViewRecord> {
  if (draft.views === null) {
    draft.views = new Map(draft.state.views)
    draft.state.views = draft.views
  }
  return draft.views
}

export function certificateAt(
  state: ConsensusState,
  kind: VoteKind,
  view: View,
): Certificate | null {
  const record = recordOf(state, view)
  if (kind === 'notarize') return record.notarization
  return kind === 'nullify' ? record.nullification : record.finalization
}

export function quorum(state: ConsensusState): number {
  return quorumOf(state.config.authorities)
}

/**
 * Who this node is when it may vote in a view: an authority that has not halted, in an epoch that has not
 * ended, and that has not forgotten what it voted there.
 */
export function voter(state: ConsensusState, view: View = state.view): AuthorityIndex | null {
  if (state.isHalted || state.committed.isSealing || view < state.voteFrom) return null
  return state.config.me
}

/** Whether this node has notarized in a view, or may have. */
export function hasNotarized(state: ConsensusState, view: View): boolean {
  return recordOf(state, view).ownNotarize !== null || view <= state.marks.notarize
}

/**
 * Whether this node has finalized a view, or may have. Of the marks only the view of the last one counts:
 * after a power cut a rule for all below could leave a whole network without a vote that it may give.
 */
export function hasFinalized(state: ConsensusState, view: View): boolean {
  return recordOf(state, view).ownFinalize !== null || view === state.marks.finalize
}

/** Whether this node has nullified a view, or may have: it neither notarizes nor finalizes there. */
export function isGivenUp(state: ConsensusState, view: View): boolean {
  if (recordOf(state, view).ownNullify) return true
  return view <= state.marks.nullify && !hasFinalized(state, view)
}

/** Stops voting for good. What others send is still followed, so that the reason can be read. */
export function halt(draft: Draft, reason: HaltReason): void {
  if (draft.state.isHalted) return
  draft.state.isHalted = true
  draft.actions.push({ type: 'halt', reason })
}

/** Grows only after a whole rotation of leaders has failed, and never beyond 16. */
export function growth(state: ConsensusState): number {
  const failed = state.view - state.final.view - 1 - state.config.authorities
  return Math.min(16, 1.5 ** Math.max(0, failed))
}

/** Whole milliseconds and at least one: a fraction that rounds to nothing would fire for ever. */
export function setTimer(
  draft: Draft,
  name: Extract<Action, { type: 'set-timer' }>['name'],
  afterMs: number,
): void {
  const whole = Math.max(1, Math.ceil(afterMs))
  draft.actions.push({ type: 'set-timer', name, view: draft.state.view, afterMs: whole })
}

/** Views above the last finalization that have a record, ascending. */
export function openViews(state: ConsensusState): View[] {
  return [...state.views.keys()].filter((view) => view > state.final.view).toSorted((a, b) => a - b)
}
