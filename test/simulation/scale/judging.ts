/**
 * From a packet to an event, as `node/src/intake.ts` does it: what is held already is not verified again, and what
 * is verified costs what it costs. Signatures themselves are not made here: nobody in these runs lies.
 */
import {
  type Certificate,
  type ConsensusState,
  type Event,
  type Outgoing,
  type Proposal,
  RETENTION,
  recordOf,
  sameSubject,
  type Vote,
} from '@mooring/consensus'
import type { Body } from './chain.ts'
import type { Content } from './content.ts'
import type { Costs } from './costs.ts'
import type { Processor } from './processor.ts'

export interface Judging {
  readonly costs: Costs
  readonly processor: Processor
  readonly state: ConsensusState
}

export function judgeMessage(message: Outgoing, from: number, judging: Judging): Event | null {
  switch (message.kind) {
    case 'votes': {
      const votes = message.votes.filter((vote) => isWanted(vote, judging))
      return votes.length === 0 ? null : { type: 'votes', votes }
    }
    case 'certificates': {
      const certificates = judgeCertificates(message.certificates, judging)
      return certificates.length === 0 ? null : { type: 'certificates', certificates }
    }
    case 'status':
      judging.processor.spend(judging.costs.decodeVoteMs)
      return from < judging.state.config.authorities
        ? { type: 'status', from, status: message.status }
        : null
  }
}

export function judgeProposal(
  { proposal, body }: { proposal: Proposal; body: Body },
  from: number,
  { content, ...judging }: Judging & { content: Content },
): Event | null {
  const { costs, processor, state } = judging
  const { vote, block } = proposal
  processor.spend(costs.decodeVoteMs)
  if (vote.subject.view <= state.final.view) return null
  processor.spend(costs.verifyVoteMs)
  const justification = judgeCertificates(proposal.justification, judging)
  content.hold(body)
  return { type: 'proposal', from, proposal: { block, vote, justification } }
}

function isWanted(vote: Vote, { costs, processor, state }: Judging): boolean {
  const { kind, signer, subject } = vote
  processor.spend(costs.decodeVoteMs)
  if (subject.view <= state.final.view - RETENTION) return false
  const held = recordOf(state, subject.view)[kind].get(signer)
  if (held !== undefined && sameSubject(held.subject, subject)) return kind === 'nullify'
  processor.spend(costs.verifyVoteMs)
  return true
}

function judgeCertificates(certificates: readonly Certificate[], judging: Judging): Certificate[] {
  const { costs, processor, state } = judging
  return certificates.filter((certificate) => {
    const members = certificate.signatures.length
    processor.spend(costs.decodeVoteMs + members * costs.decodeMemberMs)
    if (isHeld(certificate, state)) return false
    processor.spend(members * costs.verifyMemberMs)
    return true
  })
}

function isHeld({ kind, subject }: Certificate, state: ConsensusState): boolean {
  if (subject.view <= state.final.view - RETENTION) return true
  const { notarization, nullification, finalization } = recordOf(state, subject.view)
  const held = { notarize: notarization, nullify: nullification, finalize: finalization }[kind]
  if (held !== null) return held.subject.digest === subject.digest
  const { final } = state
  return (
    kind === 'finalize' && subject.view === final.view && subject.digest === final.subject.digest
  )
}
