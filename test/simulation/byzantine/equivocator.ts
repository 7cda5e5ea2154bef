/** As leader proposes two blocks, one to each half, and later insists on either with anybody. */
import type { Actor } from '../actor.ts'
import { FORGED, type Packet } from '../blocks.ts'

interface Pair {
  readonly view: number
  readonly first: Packet
  readonly second: Packet
}

export function equivocator(): Actor {
  let pair: Pair | null = null
  return {
    send: (packet, to, hands) => {
      if (packet.kind !== 'proposal') return hands.emit(to, packet)
      const { meta } = packet.block
      const parent = hands.find(meta.parent)
      if (parent === undefined) return
      if (pair?.view !== meta.view) {
        const forged = hands.block(parent, meta, [FORGED])
        const second = hands.proposalOf(forged, packet.proposal.justification)
        pair = { view: meta.view, first: packet, second }
      }
      hands.emit(to, to % 2 === meta.view % 2 ? pair.second : pair.first)
    },
    act: (hands) => {
      if (pair === null || hands.random.chance(0.5)) return
      const { first, second } = pair
      hands.emit(hands.random.pick(hands.others), hands.random.pick([first, second]))
    },
  }
}
