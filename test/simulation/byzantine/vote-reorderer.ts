/** Holds its messages back for up to two seconds each, so that they arrive in any order. */
import type { Actor } from '../actor.ts'

export const voteReorderer: Actor = {
  send: (packet, to, hands) => {
    const isLate = hands.random.chance(0.7)
    hands.emit(to, packet, isLate ? hands.random.between(1, 2_000) : 0)
  },
}
