/** Notarizes and finalizes, for every proposal, another block as well, and shows each to a half. */
import type { WholeActor } from '../hands.ts'

export const conflictingNotarizer: WholeActor = {
  hear: (message, _from, hands) => {
    if (message.kind !== 'proposal') return
    const { subject } = message.proposal.vote
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
  },
  send: (message, to, hands) => {
    if (message.kind !== 'votes') hands.say(to, message)
  },
}
