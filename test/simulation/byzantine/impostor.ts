/**
 * Signs with keys that it does not have and over messages of another network, and makes certificates of
 * such signatures: of too few signers, of one signer often, of votes on different things.
 */
import type { Certificate, Subject, Vote, VoteKind } from '@mooring/consensus'
import type { Actor, Hands } from '../actor.ts'

/** A signature that the key of this signer never gave for this network. */
const FALSE_SIGNATURE = new Uint8Array(64).fill(1)
const KINDS: readonly VoteKind[] = ['notarize', 'nullify', 'finalize']

function falseVote(hands: Hands, subject: Subject): Vote {
  const kind = hands.random.pick(KINDS)
  const signer = hands.random.between(0, hands.members.length - 1)
  const place = kind === 'nullify' ? hands.nullify(subject.view).subject : subject
  const isOwn = signer === hands.index
  return {
    kind,
    subject: isOwn ? { ...place, view: place.view + 999 } : place,
    signer,
    signature: FALSE_SIGNATURE,
  }
}

function falseCertificate(hands: Hands, subject: Subject): Certificate {
  const size = hands.members.length
  const quorum = Math.ceil((2 * size) / 3)
  const signers = hands.random.pick([1, quorum - 1, quorum, size])
  const bitmap = new Uint8Array(Math.ceil(size / 8))
  for (let place = 0; place < signers; place += 1)
    bitmap[place >> 3] = (bitmap[place >> 3] ?? 0) | (1 << (place & 7))
  const count = hands.random.pick([signers, quorum])
  const signatures = Array.from({ length: count }, () => FALSE_SIGNATURE)
  const { kind } = falseVote(hands, subject)
  const digest = hands.random.pick([subject.digest, 'c'.repeat(64)])
  if (kind === 'nullify')
    return { kind, subject: hands.nullify(subject.view).subject, bitmap, signatures }
  return { kind, subject: { ...subject, digest }, bitmap, signatures }
}

export const impostor: Actor = {
  hear: (packet, hands) => {
    if (packet.kind !== 'proposal') return
    const { subject } = packet.proposal.vote
    for (const to of hands.others) {
      if (!hands.random.chance(0.3)) continue
      hands.say(to, { kind: 'votes', votes: [falseVote(hands, subject)] })
      const certificates = [falseCertificate(hands, subject)]
      hands.say(to, { kind: 'certificates', certificates })
    }
  },
}
