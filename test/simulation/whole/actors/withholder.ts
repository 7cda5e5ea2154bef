/** Shows its proposals to few, keeps blocks to itself when asked, and its votes from some. */
import { encodeBlockAnswer } from '../../../../packages/node/src/block-exchange.ts'
import type { WholeActor } from '../hands.ts'

export function withholder(): WholeActor {
  let chosen = { view: 0, shown: new Set<number>() }
  return {
    send: (message, to, hands) => {
      if (message.kind === 'votes' && hands.random.chance(0.5)) return
      if (message.kind !== 'proposal') return hands.say(to, message)
      const { view } = message.proposal.vote.subject
      if (view !== chosen.view)
        chosen = { view, shown: new Set(hands.others.filter(() => hands.random.chance(0.5))) }
      if (chosen.shown.has(to)) hands.say(to, message)
    },
    answer: (_payload, honest, hands) =>
      hands.random.chance(0.7) ? encodeBlockAnswer([]) : honest(),
  }
}
