/**
 * Votes become certificates, and certificates move the view (rules R1, R8 and the evidence).
 *
 * A certificate of any view at or above ours moves us past it, whatever we voted there ourselves.
 * Votes are kept once per kind, view and signer: a second, different one is evidence, and the first
 * stays. Two certificates that cannot both exist while fewer than a third are faulty stop the node.
 */
import { signersOf } from '@mooring/crypto'
import { faultsOf, leaderOf } from './quorum.ts'
import {
  certificateAt,
  type Draft,
  forgetViews,
  halt,
  quorum,
  RETENTION,
  recordOf,
  setTimer,
  VIEWS_AHEAD,
  voter,
  writeRecord,
} from './state.ts'
import {
  type Certificate,
  type Evidence,
  sameSubject,
  type View,
  type Vote,
  type VoteKind,
} from './types.ts'
import { certificateOf, votesOf } from './votes.ts'

export function onVote(draft: Draft, vote: Vote): void {
  const { state } = draft
  const { view } = vote.subject
  if (vote.subject.epoch !== state.config.epoch) return
  noteShown(draft, vote.signer, vote.kind === 'finalize' ? view + 1 : view)
  if (view <= state.final.view - RETENTION || view > state.view + VIEWS_AHEAD) return
  if (view < state.view && vote.kind === 'nullify') answerStale(draft, vote)
  const isKnown = recordOf(state, view)[vote.kind].has(vote.signer)
  if (!isKnown && isForeignOwnVote(draft, vote)) return halt(draft, { code: 'duplicate_key', vote })
  keepVote(draft, vote)
  if (isKnown || certificateAt(state, vote.kind, view) !== null) return
  const same = [...recordOf(state, view)[vote.kind].values()].filter((other) =>
    sameSubject(other.subject, vote.subject),
  )
  if (same.length < quorum(state)) return
  onCertificate(draft, certificateOf(same, quorum(state), state.config.authorities))
}

export function onCertificate(draft: Draft, certificate: Certificate): void {
  const { state } = draft
  const { kind, subject } = certificate
  const { view } = subject
  if (subject.epoch !== state.config.epoch || view <= state.final.view - RETENTION) return
  const known = certificateAt(state, kind, view)
  if (known !== null) {
    if (!sameSubject(known.subject, subject)) conflict(draft, known, certificate)
    return
  }
  const rival = rivalOf(draft, certificate)
  if (rival !== null) return conflict(draft, rival, certificate)
  if (signersOf(certificate.bitmap).includes(state.config.me ?? -1)) {
    const own = { kind, subject, signer: state.config.me ?? -1, signature: new Uint8Array(64) }
    if (isForeignOwnVote(draft, own)) return halt(draft, { code: 'duplicate_key', vote: own })
  }
  const record = writeRecord(draft, view)
  if (kind === 'notarize') record.notarization = certificate
  else if (kind === 'nullify') record.nullification = certificate
  else record.finalization = certificate
  draft.actions.push({ type: 'journal', certificate })
  for (const vote of votesOf(certificate)) keepVote(draft, vote)
  if (kind === 'finalize') raiseFinal(draft, certificate)
  if (view >= state.view) enter(draft, view + 1)
}

/** Moves to a view; timers of the one before mean nothing any more. */
export function enter(draft: Draft, view: View): void {
  const { state, clock } = draft
  if (view <= state.view) return
  state.view = view
  state.enteredAt = clock.monotonic
  state.isArmed = false
  armRelay(draft)
}

/**
 * A fresh certificate is kept to ourselves for Δ/2, for the others nearly always form it too and show so with their
 * votes, on their way as long as ours. Then some begin: up to another Δ/2 by authority and view, so that who has
 * been told can show it before a hundred others tell him.
 */
function armRelay(draft: Draft): void {
  const { config, view } = draft.state
  const spread = (((config.me ?? 0) * 37 + view * 17) % 10) / 10
  setTimer(draft, 'relay', (config.deltaMs / 2) * (1 + spread))
}

function raiseFinal(draft: Draft, certificate: Certificate): void {
  const { state } = draft
  const { subject } = certificate
  if (subject.view <= state.final.view) {
    if (subject.view === state.final.view && subject.digest !== state.final.subject.digest)
      conflict(draft, state.final.certificate ?? certificate, certificate)
    return
  }
  state.final = { view: subject.view, subject, certificate }
  forgetViews(draft, subject.view)
}

/** A certificate of the same view that cannot exist beside this one. Notarized and nullified is legal. */
function rivalOf(draft: Draft, certificate: Certificate): Certificate | null {
  const { notarization, nullification, finalization } = recordOf(
    draft.state,
    certificate.subject.view,
  )
  if (certificate.kind === 'nullify') return finalization
  if (certificate.kind === 'finalize' && nullification !== null) return nullification
  const other = certificate.kind === 'notarize' ? finalization : notarization
  return other !== null && !sameSubject(other.subject, certificate.subject) ? other : null
}

function opposite(kind: VoteKind): VoteKind {
  return kind === 'finalize' ? 'nullify' : 'finalize'
}

function conflict(draft: Draft, first: Certificate, second: Certificate): void {
  halt(draft, { code: 'conflicting_certificates', first, second })
}

/** A vote with our key that we never gave: another process signs with it. */
function isForeignOwnVote(draft: Draft, vote: Vote): boolean {
  const { state } = draft
  if (vote.signer !== state.config.me || vote.subject.view <= state.forgottenView) return false
  const record = recordOf(state, vote.subject.view)
  if (vote.kind === 'nullify') return !record.ownNullify
  const own = vote.kind === 'notarize' ? record.ownNotarize : record.ownFinalize
  return own === null || !sameSubject(own, vote.subject)
}

/** Keeps the first vote of a signer; any other is only good to convict him. */
function keepVote(draft: Draft, vote: Vote): void {
  const { kind, signer, subject } = vote
  const known = recordOf(draft.state, subject.view)[kind].get(signer)
  if (known === undefined) {
    const record = writeRecord(draft, subject.view)
    record[kind] = new Map(record[kind]).set(signer, vote)
    return accuseNullifyFinalize(draft, vote)
  }
  if (kind === 'nullify' || sameSubject(known.subject, subject)) return
  if (kind === 'notarize') noteEquivocation(draft, vote)
  const offence = kind === 'notarize' ? 'conflicting_notarize' : 'conflicting_finalize'
  accuse(draft, { kind: offence, first: known, second: vote })
}

function noteEquivocation(draft: Draft, { signer, subject }: Vote): void {
  const leader = leaderOf(subject.epoch, subject.view, draft.state.config.authorities)
  if (signer === leader) writeRecord(draft, subject.view).isEquivocated = true
}

function accuseNullifyFinalize(draft: Draft, vote: Vote): void {
  if (vote.kind === 'notarize') return
  const other = recordOf(draft.state, vote.subject.view)[opposite(vote.kind)].get(vote.signer)
  if (other === undefined) return
  const [first, second] = vote.kind === 'nullify' ? [vote, other] : [other, vote]
  accuse(draft, { kind: 'nullify_finalize', first, second })
}

/** Once for each kind, view and authority: the same two votes may come for ever. */
function accuse(draft: Draft, evidence: Evidence): void {
  const { signer, subject } = evidence.first
  const { accused } = recordOf(draft.state, subject.view)
  const name = `${evidence.kind} ${signer}`
  if (accused.has(name)) return
  writeRecord(draft, subject.view).accused = new Set(accused).add(name)
  draft.actions.push({ type: 'evidence', evidence })
}

/** Remembers that an authority has been seen in a view, so that nothing old is relayed to it. */
export function noteShown(draft: Draft, authority: number, view: View): void {
  const { shownViews } = draft.state
  if (view > (shownViews[authority] ?? 0)) shownViews[authority] = view
}

/** Who still asks to leave an old view gets the certificate by which we left it. */
function answerStale(draft: Draft, vote: Vote): void {
  const { state, clock } = draft
  const { signer } = vote
  if (signer === state.config.me) return
  if (clock.monotonic - (state.staleAnsweredAt[signer] ?? 0) < state.config.deltaMs / 4) return
  const record = recordOf(state, vote.subject.view)
  const held = [
    record.notarization ?? record.nullification,
    state.final.view >= vote.subject.view ? state.final.certificate : null,
  ].filter((certificate) => certificate !== null)
  if (held.length === 0) return
  state.staleAnsweredAt[signer] = clock.monotonic
  draft.actions.push({
    type: 'send',
    to: signer,
    message: { kind: 'certificates', certificates: held },
  })
}

/** f+1 nullifies: at least one honest authority wants to leave the view. */
export function hasNullifyMinority(draft: Draft): boolean {
  const { state } = draft
  const count = recordOf(state, state.view).nullify.size
  return count > faultsOf(state.config.authorities)
}

/** Sends what let us into this view to everyone who has not shown that he is past the last one. */
export function relay(draft: Draft): void {
  const { state } = draft
  if (voter(state) === null) return
  const record = recordOf(state, state.view - 1)
  const certificate = record.finalization ?? record.notarization ?? record.nullification
  if (certificate === null) return
  for (let to = 0; to < state.config.authorities; to += 1) {
    if (to === state.config.me || (state.shownViews[to] ?? 0) >= state.view) continue
    draft.actions.push({
      type: 'send',
      to,
      message: { kind: 'certificates', certificates: [certificate] },
    })
  }
}
