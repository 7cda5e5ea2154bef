/** Sends what is no message: noise, messages with a flipped bit or cut short, and very large ones. */
import { encodeMessage, type Message } from '@mooring/consensus'
import type { WholeActor, WholeHands } from '../hands.ts'

function spoiled(message: Message, { random }: WholeHands): Uint8Array {
  const frame = encodeMessage(message)
  const at = random.between(0, frame.length - 1)
  if (random.chance(0.5)) return frame.subarray(0, at)
  frame[at] = (frame[at] ?? 0) ^ (1 << random.between(0, 7))
  return frame
}

export const garbageBomber: WholeActor = {
  send: (message, to, hands) => {
    hands.say(to, message)
    if (hands.random.chance(0.02)) hands.emit(to, spoiled(message, hands))
  },
  act: (hands) => {
    const { random } = hands
    if (random.chance(0.9)) return
    const length = random.chance(0.05) ? 1 << 20 : random.between(0, 200)
    const frame = new Uint8Array(length).fill(random.between(0, 255))
    hands.emit(random.pick(hands.others), frame)
  },
}
