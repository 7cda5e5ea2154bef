/**
 * From a packet to an event, as `node/src/intake.ts` does it: votes count only from their signer, a
 * proposal only from its leader and for the block it shows, and a signature only if it was given.
 */
import { CodecError } from '@mooring/codec'
import {
  decodeMessage,
  encodeMessage,
  type Event,
  leaderOf,
  type Message,
  type Outgoing,
} from '@mooring/consensus'
import { digestOf, type Packet } from './blocks.ts'
import type { Machine } from './machine.ts'
import type { World } from './world.ts'

/** What a decoder lets pass, where messages do not go through their bytes. */
const VOTES_MAX = 256
const CERTIFICATES_MAX = 130

/** @returns null for what is refused, and for what belongs to another epoch. */
export function acceptPacket(packet: Packet, machine: Machine, world: World): Event | null {
  const read = world.plan.isEncoded ? throughBytes(packet) : packet
  if (read === null || isOversize(read)) {
    world.count('oversize refused')
    return null
  }
  if (machine.help.takes(read)) return null
  const place = machine.members.indexOf(read.from)
  if (read.kind === 'proposal') return acceptProposal(read, place, { machine, world })
  return acceptMessage(read.message, place, { machine, world })
}

function isOversize(packet: Packet): boolean {
  if (packet.kind === 'proposal') return packet.block.transactions.length > VOTES_MAX
  const { message } = packet
  if (message.kind === 'votes') return message.votes.length > VOTES_MAX
  return message.kind === 'certificates' && message.certificates.length > CERTIFICATES_MAX
}

function acceptMessage(
  message: Outgoing,
  from: number,
  { machine, world }: { machine: Machine; world: World },
): Event | null {
  const { oracle } = world
  const { me } = machine.state.config
  switch (message.kind) {
    case 'votes':
      for (const vote of message.votes)
        if ((vote.signer !== from && vote.signer !== me) || !oracle.isSigned(vote)) return null
      return { type: 'votes', votes: message.votes }
    case 'certificates':
      if (!message.certificates.every((held) => oracle.isCertificate(held))) return null
      return { type: 'certificates', certificates: message.certificates }
    case 'status':
      return from < 0 ? null : { type: 'status', from, status: message.status }
  }
}

function acceptProposal(
  { proposal, block }: Extract<Packet, { kind: 'proposal' }>,
  from: number,
  { machine, world }: { machine: Machine; world: World },
): Event | null {
  const { oracle } = world
  const { vote, justification } = proposal
  const { subject } = vote
  const { digest, view, parentView, height, isSealing } = block.meta
  const leader = leaderOf(machine.epoch, subject.view, machine.members.length)
  if (vote.signer !== from || leader !== from) return null
  const isPlaced = view === subject.view && parentView === subject.parentView
  const isAgain = isSealing && view < subject.view
  const isOfSubject = digest === subject.digest && height === subject.height
  if (!isOfSubject || !(isPlaced || isAgain)) return null
  if (digestOf(block) !== digest || isSealing !== (block.next !== null)) return null
  if (vote.kind !== 'notarize' || !oracle.isSigned(vote)) return null
  if (subject.view <= machine.state.final.view) return null
  if (!justification.every((held) => oracle.isCertificate(held))) return null
  machine.ledger.hold(block)
  return { type: 'proposal', from, proposal: { block: block.meta, vote, justification } }
}

/** Null when the bytes are refused. */
function throughBytes(packet: Packet): Packet | null {
  try {
    return packet.kind === 'proposal' ? proposalThroughBytes(packet) : messageThroughBytes(packet)
  } catch (error) {
    if (error instanceof CodecError) return null
    throw error
  }
}

function messageThroughBytes(packet: Extract<Packet, { kind: 'message' }>): Packet {
  const message = decodeMessage(encodeMessage(packet.message))
  if (!isOutgoing(message)) throw new Error('a message came back as another')
  return { ...packet, message }
}

function isOutgoing(message: Message): message is Outgoing {
  return message.kind === 'votes' || message.kind === 'certificates' || message.kind === 'status'
}

function proposalThroughBytes(packet: Extract<Packet, { kind: 'proposal' }>): Packet {
  const { vote, justification } = packet.proposal
  const block = new Uint8Array(8)
  const message = { kind: 'proposal', proposal: { vote, justification, block } } as const
  const read = decodeMessage(encodeMessage(message))
  if (read.kind !== 'proposal') throw new Error('a proposal came back as another message')
  const { block: meta } = packet.proposal
  const proposal = {
    block: meta,
    vote: read.proposal.vote,
    justification: read.proposal.justification,
  }
  return { ...packet, proposal }
}
