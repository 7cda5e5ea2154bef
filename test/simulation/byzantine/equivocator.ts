/** As leader proposes two blocks, one to each half, and as voter backs both. */
import type { Actor } from '../actor.ts'
import { FORGED, type Packet } from '../blocks.ts'

export function equivocator(): Actor {
  let second: { view: number; packet: Packet } | null = null
  return {
    send: (packet, to, hands) => {
      if (packet.kind !== 'proposal') return hands.emit(to, packet)
      const { meta } = packet.block
      const parent = hands.find(meta.parent)
      if (parent === undefined) return
      if (second?.view !== meta.view) {
        const forged = hands.block(parent, meta, [FORGED])
        second = {
          view: meta.view,
          packet: hands.proposalOf(forged, packet.proposal.justification),
        }
      }
      const isSecond = to % 2 === meta.view % 2
      hands.emit(to, isSecond ? second.packet : packet)
      if (hands.random.chance(0.1)) hands.emit(to, isSecond ? packet : second.packet, 20)
    },
  }
}
