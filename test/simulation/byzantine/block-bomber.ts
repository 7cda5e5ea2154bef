/** Sends messages that are too large, and as many as it can of those that are not. */
import type { Actor } from '../actor.ts'
import { FORGED } from '../blocks.ts'

export const blockBomber: Actor = {
  act: (hands) => {
    const { view } = hands.state
    const vote = hands.nullify(view + hands.random.between(1, 30))
    for (const to of hands.others) {
      if (!hands.random.chance(0.2)) continue
      const count = hands.random.pick([1, 256, 257, 2_000])
      hands.say(to, { kind: 'votes', votes: Array.from({ length: count }, () => vote) })
    }
    const certificate = hands.state.final.certificate
    if (certificate === null || hands.random.chance(0.7)) return
    const certificates = Array.from(
      { length: hands.random.pick([130, 131, 999]) },
      () => certificate,
    )
    hands.say(hands.random.pick(hands.others), { kind: 'certificates', certificates })
  },
  send: (packet, to, hands) => {
    if (packet.kind !== 'proposal' || hands.random.chance(0.5)) return hands.emit(to, packet)
    const { meta } = packet.block
    const parent = hands.find(meta.parent)
    if (parent === undefined) return
    const content = Array.from({ length: 1_000 }, (_, index) => `${FORGED} ${index}`)
    const block = hands.block(parent, meta, content)
    hands.emit(to, hands.proposalOf(block, packet.proposal.justification))
  },
}
