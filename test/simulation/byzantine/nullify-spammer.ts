/** Nullifies every view at once, the next ones too, and says so again and again. */
import type { Actor } from '../actor.ts'

export const nullifySpammer: Actor = {
  act: (hands) => {
    const { view } = hands.state
    const votes = Array.from({ length: 5 }, (_, ahead) => hands.nullify(view + ahead))
    if (hands.random.chance(0.1)) votes.push(hands.nullify(view + 16), hands.nullify(view + 1_000))
    if (hands.random.chance(0.1) && view > 3) votes.push(hands.nullify(view - 3))
    for (const to of hands.others)
      if (hands.random.chance(0.3)) hands.say(to, { kind: 'votes', votes })
  },
}
