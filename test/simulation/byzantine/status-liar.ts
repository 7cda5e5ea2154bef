/** Tells of views and heights that are not, asks for everything at once, and denies what it has. */
import type { Status } from '@mooring/consensus'
import type { Actor, Hands } from '../actor.ts'

function lie(hands: Hands): Status {
  const { view, final } = hands.state
  const { random } = hands
  const somewhere = (): number =>
    random.pick([0, 1, final.view, view, view + 1, view + 100, Number.MAX_SAFE_INTEGER])
  const bitmap = (): Uint8Array => new Uint8Array(8).fill(random.pick([0, 255, 170]))
  return {
    epoch: hands.epoch,
    finalizedView: somewhere(),
    finalizedHeight: somewhere(),
    finalizedDigest: 'e'.repeat(64),
    view: somewhere(),
    from: somewhere(),
    notarized: bitmap(),
    nullified: bitmap(),
    question: random.pick([0, 0, 7]),
    answer: random.pick([0, random.between(1, 9)]),
  }
}

export const statusLiar: Actor = {
  act: (hands) => {
    for (const to of hands.others)
      if (hands.random.chance(0.2)) hands.say(to, { kind: 'status', status: lie(hands) })
  },
  send: (packet, to, hands) => {
    const isStatus = packet.kind === 'message' && packet.message.kind === 'status'
    if (isStatus) hands.say(to, { kind: 'status', status: lie(hands) })
    else hands.emit(to, packet)
  },
}
