/** Keeps everything it may repeat, and repeats it at the wrong time. */
import type { Actor } from '../actor.ts'
import type { Packet } from '../blocks.ts'

const KEPT = 200

export function staleResender(): Actor {
  const kept: Packet[] = []
  const keep = (packet: Packet): void => {
    if (kept.length < KEPT) kept.push(packet)
    else kept[Math.floor(kept.length / 2)] = packet
  }
  return {
    send: (packet, to, hands) => {
      keep(packet)
      hands.emit(to, packet)
    },
    hear: (packet, hands) => {
      const isCertificates = packet.kind === 'message' && packet.message.kind === 'certificates'
      if (isCertificates) keep({ ...packet, from: hands.node })
    },
    act: (hands) => {
      if (kept.length === 0) return
      for (const to of hands.others)
        if (hands.random.chance(0.2)) hands.emit(to, hands.random.pick(kept))
    },
  }
}
