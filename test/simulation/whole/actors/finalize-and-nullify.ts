/** Finalizes what is proposed before it is notarized, and nullifies the same view. */
import type { WholeActor } from '../hands.ts'

export const finalizeAndNullify: WholeActor = {
  hear: (message, _from, hands) => {
    if (message.kind !== 'proposal') return
    const { subject } = message.proposal.vote
    const finalize = hands.sign('finalize', subject)
    const nullify = hands.nullify(subject.epoch, subject.view)
    for (const to of hands.others) {
      const votes = hands.random.chance(0.5) ? [finalize, nullify] : [nullify, finalize]
      const [first, second] = votes
      if (first !== undefined) hands.say(to, { kind: 'votes', votes: [first] })
      if (second !== undefined && hands.random.chance(0.5))
        hands.say(to, { kind: 'votes', votes: [second] }, 100)
    }
  },
}
