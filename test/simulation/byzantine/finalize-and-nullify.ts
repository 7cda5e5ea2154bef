/** Finalizes what is proposed before it is notarized, and nullifies the same view. */
import type { Actor } from '../actor.ts'

export const finalizeAndNullify: Actor = {
  hear: (packet, hands) => {
    if (packet.kind !== 'proposal') return
    const { subject } = packet.proposal.vote
    const finalize = hands.sign('finalize', subject)
    const nullify = hands.nullify(subject.view)
    for (const to of hands.others) {
      const isFirst = hands.random.chance(0.5)
      hands.say(to, { kind: 'votes', votes: [isFirst ? finalize : nullify] })
      if (hands.random.chance(0.5))
        hands.say(to, { kind: 'votes', votes: [isFirst ? nullify : finalize] }, 100)
    }
  },
}
