/** As leader proposes two valid blocks, one to each half, and later insists on either with anybody. */
import type { ProposalMessage } from '@mooring/consensus'
import type { WholeActor } from '../hands.ts'

export function equivocator(): WholeActor {
  let pair: readonly [ProposalMessage, ProposalMessage] | null = null
  return {
    send: (message, to, hands) => {
      if (message.kind !== 'proposal') return hands.say(to, message)
      const { view } = message.proposal.vote.subject
      if (pair?.[0].vote.subject.view !== view)
        pair = [
          message.proposal,
          hands.remake(message.proposal, ({ time }) => ({ time: time + 1 })),
        ]
      const [first, second] = pair
      hands.say(to, { kind: 'proposal', proposal: to % 2 === view % 2 ? first : second })
    },
    act: (hands) => {
      if (pair === null || hands.random.chance(0.6)) return
      const proposal = hands.random.pick(pair)
      hands.say(hands.random.pick(hands.others), { kind: 'proposal', proposal })
    },
  }
}
