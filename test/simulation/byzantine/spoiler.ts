/** As leader proposes blocks that cannot be executed. */
import type { Actor } from '../actor.ts'
import { INVALID, type Packet } from '../blocks.ts'

export function spoiler(): Actor {
  let spoilt: { view: number; packet: Packet } | null = null
  return {
    send: (packet, to, hands) => {
      if (packet.kind !== 'proposal') return hands.emit(to, packet)
      const { meta } = packet.block
      const parent = hands.find(meta.parent)
      if (parent === undefined) return
      if (spoilt?.view !== meta.view)
        spoilt = {
          view: meta.view,
          packet: hands.proposalOf(
            hands.block(parent, meta, [INVALID]),
            packet.proposal.justification,
          ),
        }
      hands.emit(to, spoilt.packet)
    },
  }
}
