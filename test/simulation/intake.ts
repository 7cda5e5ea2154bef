/**
 * From a packet to an event, as `node/src/intake.ts` does it: votes count only from their signer, a
 * proposal only from its leader and for the block it shows, and a signature only if it was given.
 */
import {
  type Certificate,
  decodeMessage,
  encodeMessage,
  type Event,
  leaderOf,
  type Outgoing,
} from '@mooring/consensus'
import { blockOf, type Packet } from './blocks.ts'
import type { Machine } from './machine.ts'
import type { World } from './world.ts'

export function acceptPacket(packet: Packet, machine: Machine, world: World): Event | null {
  switch (packet.kind) {
    case 'transaction':
      return null
    case 'proposal':
      return acceptProposal(packet, machine, world)
    case 'message':
      return acceptMessage(packet.message, packet.from, world)
  }
}

function acceptMessage(message: Outgoing, from: number, world: World): Event | null {
  const { oracle } = world
  const read = world.plan.isEncoded ? throughBytes(message) : message
  switch (read.kind) {
    case 'votes':
      if (!read.votes.every((vote) => vote.signer === from && oracle.isSigned(vote))) return null
      return { type: 'votes', votes: read.votes }
    case 'certificates':
      if (!read.certificates.every((held) => oracle.isCertificate(held))) return null
      return { type: 'certificates', certificates: read.certificates }
    case 'status':
      return { type: 'status', from, status: read.status }
  }
}

function acceptProposal(
  packet: Extract<Packet, { kind: 'proposal' }>,
  machine: Machine,
  { oracle, plan }: World,
): Event | null {
  const { block, from } = packet
  const { vote, justification } = plan.isEncoded ? proposalThroughBytes(packet) : packet.proposal
  const { subject } = vote
  const { digest, view, parentView, height } = blockOf(block.meta, block.transactions).meta
  const isLeaders = vote.signer === from && leaderOf(0, view, plan.authorities) === from
  const isOfSubject =
    digest === subject.digest &&
    view === subject.view &&
    parentView === subject.parentView &&
    height === subject.height
  if (!isLeaders || !isOfSubject || vote.kind !== 'notarize' || !oracle.isSigned(vote)) return null
  if (subject.view <= machine.state.final.view) return null
  if (!justification.every((held) => oracle.isCertificate(held))) return null
  machine.ledger.hold(block)
  return { type: 'proposal', from, proposal: { block: block.meta, vote, justification } }
}

function throughBytes(message: Outgoing): Outgoing {
  const read = decodeMessage(encodeMessage(message))
  if (read.kind === 'proposal' || read.kind === 'evidence')
    throw new Error(`a message came back as another: ${read.kind}`)
  return read
}

function proposalThroughBytes({ proposal }: Extract<Packet, { kind: 'proposal' }>): {
  readonly vote: typeof proposal.vote
  readonly justification: readonly Certificate[]
} {
  const { vote, justification } = proposal
  const block = new Uint8Array(8)
  const message = { kind: 'proposal', proposal: { vote, justification, block } } as const
  const read = decodeMessage(encodeMessage(message))
  if (read.kind !== 'proposal') throw new Error('a proposal came back as another message')
  return read.proposal
}
