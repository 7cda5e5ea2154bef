// From a peer's message to an event for agreement: decode, place, and verify signatures last.
//
// Votes count only over the connection of their signer, except our own, which anybody may send back to
// us; certificates are taken from anyone. What the state machine holds already is not verified again. A
// frame that is provably bad is the sender's fault and says so; one that is merely stale is dropped in
// silence.

import { CodecError } from '@mooring/codec'
import {
  type AuthorityKeys,
  type BlockMeta,
  type Certificate,
  checkCertificate,
  checkVote,
  type CompactProposal,
  type ConsensusState,
  decodeMessage,
  type Event,
  leaderOf,
  type Message,
  type ProposalMessage,
  RETENTION,
  recordOf,
  sameSubject,
  type Subject,
  TRANSACTION_NAME_BYTES,
  VIEWS_AHEAD,
  type Vote,
} from '@mooring/consensus'
import { decodeHeader, headerDigest } from '@mooring/ledger'
import { type Found, lookUp, putTogether } from './compact-proposals.ts'
import { type Execution, metaOf } from './execution.ts'

export type Fault = { code: 'foreign_vote' | 'bad_signature' | 'bad_proposal' }

/** A good proposal, as far as its header says, of which not every transaction is here. */
export interface Lacking {
  readonly proposal: CompactProposal
  readonly found: Found
}

export type Intake = {
  events: Event[]
  fault: Fault | null
  lacking?: Lacking
}

const NOTHING: Intake = { events: [], fault: null }

export interface IntakeModules {
  authorities: AuthorityKeys
  execution: Pick<Execution, 'holdIf' | 'encodedOf'>
  /** The transaction that waits here under a name. */
  named: (name: Uint8Array) => Uint8Array | undefined
  /** By view: the digest of the compact proposal that was tried. A leader has one, and the work is done once. */
  tried: Map<number, string>
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
    case 'compact':
      return takeCompact(message.proposal, from, state, modules)
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

function takeProposal(
  message: ProposalMessage,
  from: number,
  state: ConsensusState,
  { authorities, execution }: IntakeModules,
): Intake {
  const judged = judge(message, from, state, authorities)
  return 'wanted' in judged ? takeBlock(message.block, judged.wanted, execution) : judged
}

/**
 * The vote counts at once, the block when it is whole. What does not come of what is here, because something is
 * missing or is another transaction of the same name, is not held against the leader.
 */
function takeCompact(
  message: CompactProposal,
  from: number,
  state: ConsensusState,
  { authorities, execution, named, tried }: IntakeModules,
): Intake {
  const { vote } = message
  const { epoch, view, digest } = vote.subject
  const before = epoch === state.config.epoch ? tried.get(view) : undefined
  if (before !== undefined)
    return before === digest ? NOTHING : takeVotes([vote], from, state, authorities)
  const judged = judge(message, from, state, authorities)
  if (!('wanted' in judged)) return judged
  const { wanted } = judged
  tried.set(view, digest)
  const held = execution.encodedOf(digest)
  if (held !== undefined) return takeBlock(held, wanted, execution)
  const meta = readHeader(message)
  if (meta === null || !isShown(meta, vote.subject)) return failed('bad_proposal')
  const found = lookUp(message.names, named)
  const block = putTogether(message.header, found)
  const taken = block === null ? failed('bad_proposal') : takeBlock(block, wanted, execution)
  if (taken.fault === null) return taken
  return {
    events: [...wanted.events, { type: 'votes', votes: [vote] }],
    fault: null,
    lacking: { proposal: message, found },
  }
}

interface Signed {
  readonly vote: Vote
  readonly justification: readonly Certificate[]
}

/** A proposal that is worth its block: its vote, and what of its justification is new. */
interface Wanted extends Signed {
  readonly events: Event[]
}

/**
 * What a leader may make us keep is bounded: one block for each of its views, and only of views that are
 * not far ahead. Of a second one in a view its vote is enough, as evidence.
 */
function judge(
  { vote, justification }: Signed,
  from: number,
  state: ConsensusState,
  authorities: AuthorityKeys,
): Intake | { wanted: Wanted } {
  const { subject } = vote
  // What was completed may be of an epoch that is over, and its sender have another place by now.
  if (subject.epoch !== state.config.epoch || subject.view <= state.final.view) return NOTHING
  if (vote.signer !== from || vote.kind !== 'notarize') return failed('foreign_vote')
  if (leaderOf(subject.epoch, subject.view, state.config.authorities) !== from)
    return failed('bad_proposal')
  if (!checkVote(vote, authorities)) return failed('bad_signature')
  const certificates = takeCertificates(justification, state, authorities)
  if (certificates.fault !== null) return certificates
  const { events } = certificates
  const proven = events.flatMap((event) =>
    event.type === 'certificates' ? event.certificates : [],
  )
  const reached = Math.max(state.view, ...proven.map((each) => each.subject.view + 1))
  if (subject.view > reached + VIEWS_AHEAD) return certificates
  const known = recordOf(state, subject.view).proposal
  if (known !== null) return { events: [...events, { type: 'votes', votes: [vote] }], fault: null }
  return { wanted: { vote, justification: proven, events } }
}

function takeBlock(
  encoded: Uint8Array,
  { vote, justification }: Wanted,
  execution: Pick<Execution, 'holdIf'>,
): Intake {
  const block = readBlock(encoded, vote.subject, execution)
  if (block === null) return failed('bad_proposal')
  const proposal = { block, vote, justification }
  return { events: [{ type: 'proposal', from: vote.signer, proposal }], fault: null }
}

/** Whether the block is the one of the vote: in its own view, or in a later one that ends the epoch with it again. */
function isShown(block: BlockMeta, subject: Subject): boolean {
  const { digest, view, parentView, height } = block
  const isPlaced = view === subject.view && parentView === subject.parentView
  const isAgain = block.isSealing && view < subject.view
  return digest === subject.digest && height === subject.height && (isPlaced || isAgain)
}

/** Null when it is no header, or not of as many transactions as are named. */
function readHeader({ header: encoded, names }: CompactProposal): BlockMeta | null {
  try {
    const header = decodeHeader(encoded)
    if (header.transactionCount * TRANSACTION_NAME_BYTES !== names.length) return null
    return metaOf({ header, digest: headerDigest(encoded) })
  } catch (error) {
    if (error instanceof CodecError) return null
    throw error
  }
}

/** Kept only where it is the block of the vote: of another nothing says when it may be forgotten. */
function readBlock(
  encoded: Uint8Array,
  subject: Subject,
  execution: Pick<Execution, 'holdIf'>,
): BlockMeta | null {
  try {
    return execution.holdIf(encoded, (meta) => isShown(meta, subject))
  } catch (error) {
    if (error instanceof CodecError) return null
    throw error
  }
}
