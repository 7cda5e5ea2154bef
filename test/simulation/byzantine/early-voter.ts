/**
 * Votes in the next epoch before this one has ended, on the block that may end it, and goes on to vote in
 * the last one: whatever its votes say, they count in no epoch but their own.
 */
import { type Subject, type VoteKind, ZERO_DIGEST } from '@mooring/consensus'
import type { Actor, Hands } from '../actor.ts'

const KINDS: readonly VoteKind[] = ['notarize', 'nullify', 'finalize']

function voteElsewhere(hands: Hands, subject: Subject, epoch: number): void {
  if (epoch < 0) return
  const nothing = { epoch, view: 1, parentView: 0, height: 0, digest: ZERO_DIGEST }
  const first = { ...subject, epoch, view: 1, parentView: 0 }
  const votes = KINDS.map((kind) => hands.sign(kind, kind === 'nullify' ? nothing : first))
  for (const to of hands.others)
    if (hands.random.chance(0.5))
      hands.say(to, { kind: 'votes', votes: [hands.random.pick(votes)] })
}

export const earlyVoter: Actor = {
  hear: (packet, hands) => {
    if (packet.kind !== 'proposal' || !hands.random.chance(0.5)) return
    voteElsewhere(hands, packet.proposal.vote.subject, hands.epoch + 1)
  },
  act: (hands) => {
    const { subject } = hands.state.final
    if (hands.random.chance(0.1)) voteElsewhere(hands, subject, hands.epoch - 1)
  },
}
