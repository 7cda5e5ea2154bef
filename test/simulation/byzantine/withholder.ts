/** Shows its proposals to so few that they are notarized late or never, and its votes to some. */
import type { Actor } from '../actor.ts'

export function withholder(): Actor {
  const chosen = { view: 0, shown: new Set<number>() }
  return {
    send: (packet, to, hands) => {
      if (packet.kind === 'message' && packet.message.kind === 'votes') {
        if (hands.random.chance(0.5)) hands.emit(to, packet)
        return
      }
      if (packet.kind !== 'proposal') return hands.emit(to, packet)
      const { view } = packet.block.meta
      if (view !== chosen.view) {
        const faults = Math.floor((hands.members.length - 1) / 3)
        const quorum = Math.ceil((2 * hands.members.length) / 3)
        const count = hands.random.pick([1, faults + 1, quorum - 2, quorum - 1])
        const shuffled = hands.shuffled()
        chosen.view = view
        chosen.shown = new Set(shuffled.slice(0, count))
      }
      if (chosen.shown.has(to)) hands.emit(to, packet)
    },
  }
}
