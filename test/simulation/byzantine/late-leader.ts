/** Proposes just before, or just after, the others lose their patience. */
import type { Actor } from '../actor.ts'

export const lateLeader: Actor = {
  send: (packet, to, hands) => {
    if (packet.kind !== 'proposal') return hands.emit(to, packet)
    hands.emit(to, packet, 2 * hands.deltaMs - hands.random.between(0, 80))
  },
}
