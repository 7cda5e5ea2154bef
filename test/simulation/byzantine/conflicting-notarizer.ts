/** Notarizes and finalizes, for every proposal, another block as well, and shows each to a half. */
import type { Actor, Hands } from '../actor.ts'
import type { Subject } from '@mooring/consensus'
import type { Packet } from '../blocks.ts'

function contradict(hands: Hands, subject: Subject): void {
  const other = { ...subject, digest: 'f'.repeat(64) }
  for (const kind of ['notarize', 'finalize'] as const) {
    const votes = [hands.sign(kind, subject), hands.sign(kind, other)]
    for (const to of hands.others) {
      const [first, second] = hands.random.chance(0.5) ? votes : votes.toReversed()
      if (first !== undefined) hands.say(to, { kind: 'votes', votes: [first] })
      if (second !== undefined && hands.random.chance(0.3))
        hands.say(to, { kind: 'votes', votes: [second] }, 30)
    }
  }
}

export const conflictingNotarizer: Actor = {
  hear: (packet: Packet, hands: Hands) => {
    if (packet.kind === 'proposal') contradict(hands, packet.proposal.vote.subject)
  },
  send: (packet, to, hands) => {
    const isVotes = packet.kind === 'message' && packet.message.kind === 'votes'
    if (!isVotes) hands.emit(to, packet)
  },
}
