/**
 * Status: what we hold above the last finalization, told to the others so that they send what we lack
 * (rule R10). It is the one repair path beside the retry of nullify, and either alone suffices.
 *
 * A status names kind and view by two bitmaps, so the answer is exact: nobody is pinned on the wrong
 * one of two valid certificates. Answers are bounded to STATUS_VIEWS views, asking is limited by time.
 */
import { JUSTIFICATION_MAX, STATUS_VIEWS } from './messages.ts'
import { noteShown } from './certificates.ts'
import { noteAnswer } from './rejoin.ts'
import {
  type ConsensusState,
  type Draft,
  openViews,
  quorum,
  recordOf,
  setTimer,
  voter,
} from './state.ts'
import type { AuthorityIndex, Certificate, MonotonicMs, Status, View, Vote } from './types.ts'

/** Signatures in one answer: their bytes stay well below what a frame of the urgent lane holds. */
const ANSWER_SIGNATURES_MAX = 2_048

/** What is held here; `answer` is the number of a question that it answers. */
export function statusOf(state: ConsensusState, answer = 0): Status {
  const { final, config } = state
  const from = firstView(state)
  const notarized = new Uint8Array(STATUS_VIEWS / 8)
  const nullified = new Uint8Array(STATUS_VIEWS / 8)
  for (let index = 0; index < STATUS_VIEWS; index += 1) {
    const record = recordOf(state, from + index)
    if (record.notarization !== null) setBit(notarized, index)
    if (record.nullification !== null) setBit(nullified, index)
  }
  return {
    epoch: config.epoch,
    finalizedView: final.view,
    finalizedHeight: final.subject.height,
    finalizedDigest: final.subject.digest,
    view: state.view,
    from,
    notarized,
    nullified,
    question: state.gathering?.nonce ?? 0,
    answer,
  }
}

/** The periodic broadcast, with a fifth of spread by authority so that not all speak at once. */
export function broadcastStatus(draft: Draft): void {
  const { state } = draft
  state.statusCount += 1
  draft.actions.push({ type: 'broadcast', message: { kind: 'status', status: statusOf(state) } })
  const spread = (((state.config.me ?? 0) * 37 + state.statusCount * 17) % 40) / 100
  setTimer(draft, 'status', state.config.statusMs * (0.8 + spread))
}

/** Something is missing that stops us now: ask one authority, or all; at most once per Δ/2 each. */
export function askForMissing(draft: Draft, whom: AuthorityIndex | null): void {
  const { state, clock } = draft
  const every = state.statusSentAt.map((_, index) => index)
  const asked = (whom === null ? every : [whom]).filter(
    (to) =>
      to !== state.config.me &&
      clock.monotonic - (state.statusSentAt[to] ?? 0) >= state.config.deltaMs / 2,
  )
  for (const to of asked) {
    state.statusSentAt[to] = clock.monotonic
    draft.actions.push({ type: 'send', to, message: { kind: 'status', status: statusOf(state) } })
  }
}

/** Who has just come, or come back, hears at once what we know of its votes, and what we ask. */
export function onPeers(draft: Draft, heard: readonly (MonotonicMs | null)[]): void {
  const { state } = draft
  const before = state.heard
  state.heard = [...heard]
  for (const [index, at] of heard.entries()) {
    if (at === null || (before[index] ?? null) !== null) continue
    sendBack(draft, index)
    if (state.gathering !== null) askForMissing(draft, index)
  }
}

/** Answered twice as often as an honest node asks: an answer is a thousand times larger than a status. */
export function onStatus(draft: Draft, from: AuthorityIndex, status: Status): void {
  const { state, clock } = draft
  if (status.epoch !== state.config.epoch) return
  noteShown(draft, from, status.view)
  noteAnswer(draft, from, status)
  if (clock.monotonic - (state.statusAnsweredAt[from] ?? 0) < state.config.deltaMs / 4) return
  state.statusAnsweredAt[from] = clock.monotonic
  const certificates = missingOf(draft, status)
  if (certificates.length > 0)
    draft.actions.push({ type: 'send', to: from, message: { kind: 'certificates', certificates } })
  const votes = ownVotes(draft, status)
  if (votes.length > 0)
    draft.actions.push({ type: 'send', to: from, message: { kind: 'votes', votes } })
  if (status.question !== 0) {
    sendBack(draft, from)
    const answer = { kind: 'status', status: statusOf(state, status.question) } as const
    draft.actions.push({ type: 'send', to: from, message: answer })
  }
  if (status.finalizedView > state.final.view || status.view > state.view)
    askForMissing(draft, from)
}

/**
 * Whether all that the other lacked when it wrote is too new for us to tell it: we have just come into our view, it
 * was there or one before, and the votes are on their way to it as they were to us. Where links are slow everybody
 * seems behind to everybody, and a hundred certificates would answer each status.
 */
function isOnItsWay({ state, clock }: Draft, status: Status): boolean {
  const isFresh = clock.monotonic - state.enteredAt < state.config.deltaMs / 2
  const isNear = status.view >= state.view - 1 && status.finalizedView >= state.final.view - 2
  return isFresh && isNear && status.question === 0
}

/** The lowest views first, as many as fit into a frame; the next status asks for the rest. */
function missingOf(draft: Draft, status: Status): Certificate[] {
  if (isOnItsWay(draft, status)) return []
  const { state } = draft
  const most = Math.max(1, Math.floor(ANSWER_SIGNATURES_MAX / quorum(state)))
  const missing: Certificate[] = []
  if (status.finalizedView < state.final.view && state.final.certificate !== null)
    missing.push(state.final.certificate)
  for (let index = 0; index < STATUS_VIEWS; index += 1) {
    const view = status.from + index
    if (view <= state.final.view || view >= state.view) continue
    const record = recordOf(state, view)
    if (record.notarization !== null && !hasBit(status.notarized, index))
      missing.push(record.notarization)
    if (record.nullification !== null && !hasBit(status.nullified, index))
      missing.push(record.nullification)
  }
  return missing.slice(0, most)
}

/** Our own votes that may still complete a certificate for the other. */
function ownVotes(draft: Draft, status: Status): Vote[] {
  const { state } = draft
  const me = voter(state)
  if (me === null) return []
  const votes: Vote[] = []
  for (const view of openViews(state).slice(-JUSTIFICATION_MAX)) {
    if (view < state.voteFrom) continue
    const record = recordOf(state, view)
    const isOpen = record.notarization === null && record.nullification === null
    if (isOpen || view >= status.view) pushOwn(votes, [record.notarize, record.nullify], me)
    pushOwn(votes, [record.finalize], me)
  }
  return votes
}

/**
 * The votes of the other that are still open, back to it: one that it does not know was given by another
 * process with its key, or before it was set back to an older state.
 */
function sendBack({ state, actions }: Draft, signer: AuthorityIndex): void {
  const votes: Vote[] = []
  for (const view of openViews(state).slice(-JUSTIFICATION_MAX)) {
    const { notarize, nullify, finalize } = recordOf(state, view)
    pushOwn(votes, [notarize, nullify, finalize], signer)
  }
  if (votes.length === 0 || signer === state.config.me) return
  actions.push({ type: 'send', to: signer, message: { kind: 'votes', votes } })
}

function pushOwn(
  votes: Vote[],
  kinds: readonly ReadonlyMap<AuthorityIndex, Vote>[],
  me: AuthorityIndex,
): void {
  for (const kind of kinds) {
    const vote = kind.get(me)
    if (vote !== undefined) votes.push(vote)
  }
}

/** All open views fit in one status, or it starts at the first one of which nothing is held. */
function firstView(state: ConsensusState): View {
  const { final, view } = state
  let from = final.view + 1
  if (view - from <= STATUS_VIEWS) return from
  while (from < view - 1 && holdsAny(state, from)) from += 1
  return from
}

function holdsAny(state: ConsensusState, view: View): boolean {
  const { notarization, nullification } = recordOf(state, view)
  return notarization !== null || nullification !== null
}

function setBit(bitmap: Uint8Array, index: number): void {
  bitmap[index >> 3] = (bitmap[index >> 3] ?? 0) | (1 << (index & 7))
}

function hasBit(bitmap: Uint8Array, index: number): boolean {
  return ((bitmap[index >> 3] ?? 0) & (1 << (index & 7))) !== 0
}
