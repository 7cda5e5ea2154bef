// From a peer's message to an event for agreement: decode, place, and verify signatures last.
//
// Votes count only over the connection of their signer, except our own, which anybody may send back to
// us; certificates are taken from anyone. What the state machine holds already is not verified again. A
// frame that is provably bad is the sender's fault and says so; one that is merely stale is dropped in
// silence.

import { CodecError } from '@mooring/codec'
import {
  type AuthorityKeys,
  type Certificate,
  checkCertificate,
  checkVote,
  type ConsensusState,
  decodeMessage,
  type Event,
  leaderOf,
  type Message,
  type ProposalMessage,
  RETENTION,
  recordOf,
  sameSubject,
  VIEWS_AHEAD,
  type Vote,
} from '@mooring/consensus'
import type { Execution } from './execution.ts'

export type Fault = { code: 'foreign_vote' | 'bad_signature' | 'bad_proposal' }

export type Intake = {
  events: Event[]
  fault: Fault | null
}

const NOTHING: Intake = { events: [], fault: null }

export interface IntakeModules {
  authorities: AuthorityKeys
  execution: Pick<Execution, 'hold'>
}

/** A message of the epoch of the state. */
export function takeIn(
  message: Message,
  from: number,
  state: ConsensusState,
  modules: IntakeModules,
): Intake {
  switch (message.kind) {
    case 'votes':
      return takeVotes(message.votes, from, state, modules.authorities)
    case 'certificates':
      return takeCertificates(message.certificates, state, modules.authorities)
    case 'status':
      return { events: [{ type: 'status', from, status: message.status }], fault: null }
    case 'proposal':
      return takeProposal(message.proposal, from, state, modules)
    case 'evidence':
      return NOTHING
  }
}

/** Null when it cannot be read: the sender's fault. */
export function readMessage(frame: Uint8Array): Message | null {
  try {
    return decodeMessage(frame)
  } catch (error) {
    if (error instanceof CodecError) return null
    throw error
  }
}

function failed(code: Fault['code']): Intake {
  return { events: [], fault: { code } }
}

function takeVotes(
  votes: readonly Vote[],
  from: number,
  state: ConsensusState,
  authorities: AuthorityKeys,
): Intake {
  const wanted: Vote[] = []
  for (const vote of votes) {
    if (vote.signer !== from && vote.signer !== state.config.me) return failed('foreign_vote')
    const worth = worthOf(vote, state)
    if (worth === 'none') continue
    if (worth === 'new' && !checkVote(vote, authorities)) return failed('bad_signature')
    wanted.push(vote)
  }
  return wanted.length === 0 ? NOTHING : { events: [{ type: 'votes', votes: wanted }], fault: null }
}

/**
 * What a vote is worth, before its signature is looked at: nobody makes us verify the same thing for ever.
 * A nullify that we hold says again that its signer wants to leave the view, whatever its signature; a
 * vote that differs from one that we hold is evidence, unless its signer is convicted already.
 */
function worthOf({ kind, signer, subject }: Vote, state: ConsensusState): 'none' | 'said' | 'new' {
  const { epoch, view } = subject
  if (epoch !== state.config.epoch || view <= state.final.view - RETENTION) return 'none'
  const record = recordOf(state, view)
  const held = record[kind].get(signer)
  if (held === undefined) return 'new'
  if (sameSubject(held.subject, subject)) return kind === 'nullify' ? 'said' : 'none'
  return record.accused.has(`conflicting_${kind} ${signer}`) ? 'none' : 'new'
}

function takeCertificates(
  certificates: readonly Certificate[],
  state: ConsensusState,
  authorities: AuthorityKeys,
): Intake {
  const wanted: Certificate[] = []
  for (const certificate of certificates) {
    if (isHeldCertificate(certificate, state)) continue
    if (checkCertificate(certificate, authorities) !== undefined) return failed('bad_signature')
    wanted.push(certificate)
  }
  if (wanted.length === 0) return NOTHING
  return { events: [{ type: 'certificates', certificates: wanted }], fault: null }
}

function isHeldCertificate({ kind, subject }: Certificate, state: ConsensusState): boolean {
  const { epoch, view, digest } = subject
  if (epoch !== state.config.epoch || view <= state.final.view - RETENTION) return true
  const record = recordOf(state, view)
  const held = {
    notarize: record.notarization,
    nullify: record.nullification,
    finalize: record.finalization,
  }[kind]
  if (held !== null) return held.subject.digest === digest
  return kind === 'finalize' && view === state.final.view && digest === state.final.subject.digest
}

/**
 * What a leader may make us keep is bounded: one block for each of its views, and only of views that are
 * not far ahead. Of a second one in a view its vote is enough, as evidence.
 */
function takeProposal(
  message: ProposalMessage,
  from: number,
  state: ConsensusState,
  { authorities, execution }: IntakeModules,
): Intake {
  const { vote, justification } = message
  const { subject } = vote
  if (vote.signer !== from || vote.kind !== 'notarize') return failed('foreign_vote')
  if (subject.epoch !== state.config.epoch || subject.view <= state.final.view) return NOTHING
  if (leaderOf(subject.epoch, subject.view, state.config.authorities) !== from)
    return failed('bad_proposal')
  if (!checkVote(vote, authorities)) return failed('bad_signature')
  const certificates = takeCertificates(justification, state, authorities)
  if (certificates.fault !== null) return certificates
  const proven = certificates.events.flatMap((event) =>
    event.type === 'certificates' ? event.certificates : [],
  )
  const reached = Math.max(state.view, ...proven.map((each) => each.subject.view + 1))
  if (subject.view > reached + VIEWS_AHEAD) return certificates
  const known = recordOf(state, subject.view).proposal
  if (known !== null && known.vote.subject.digest !== subject.digest)
    return { events: [...certificates.events, { type: 'votes', votes: [vote] }], fault: null }
  const block = readBlock(message.block, execution)
  if (block === null) return failed('bad_proposal')
  const { digest, view, parentView, height } = block
  const isPlaced = view === subject.view && parentView === subject.parentView
  const isAgain = block.isSealing && view < subject.view
  const isOfSubject = digest === subject.digest && height === subject.height
  if (!isOfSubject || !(isPlaced || isAgain)) return failed('bad_proposal')
  const proposal = { block, vote, justification: proven }
  return { events: [{ type: 'proposal', from, proposal }], fault: null }
}

function readBlock(
  encoded: Uint8Array,
  execution: Pick<Execution, 'hold'>,
): ReturnType<Execution['hold']> | null {
  try {
    return execution.hold(encoded)
  } catch (error) {
    if (error instanceof CodecError) return null
    throw error
  }
}
