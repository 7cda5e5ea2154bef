/** Nullifies every view at once, the next ones too, and says so again and again. */
import type { WholeActor } from '../hands.ts'

export const nullifySpammer: WholeActor = {
  act: (hands) => {
    const { state, random } = hands
    if (state === null) return
    const { epoch } = state.config
    const views = [0, 1, 2].map((ahead) => state.view + ahead)
    if (random.chance(0.1)) views.push(state.view + 16, state.view + 1_000)
    if (random.chance(0.1) && state.view > 3) views.push(state.view - 3)
    const votes = views.map((view) => hands.nullify(epoch, view))
    for (const to of hands.others) if (random.chance(0.2)) hands.say(to, { kind: 'votes', votes })
  },
}
