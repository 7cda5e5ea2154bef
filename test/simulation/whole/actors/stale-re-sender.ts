/** Keeps everything it may repeat, and repeats it at the wrong time. */
import type { Message } from '@mooring/consensus'
import type { WholeActor } from '../hands.ts'

const KEPT = 100

export function staleReSender(): WholeActor {
  const kept: Message[] = []
  const keep = (message: Message): void => {
    if (kept.length < KEPT) kept.push(message)
    else kept[KEPT >> 1] = message
  }
  return {
    send: (message, to, hands) => {
      keep(message)
      hands.say(to, message)
    },
    hear: (message) => {
      if (message.kind === 'certificates') keep(message)
    },
    act: (hands) => {
      if (kept.length === 0) return
      for (const to of hands.others)
        if (hands.random.chance(0.2)) hands.say(to, hands.random.pick(kept))
    },
  }
}
