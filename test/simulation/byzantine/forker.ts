/**
 * As leader proposes on a parent that was left behind: an older notarized block although a later view
 * was not nullified, a final block that is not the last, or a parent that the subject misnames.
 */
import type { BlockMeta, Certificate } from '@mooring/consensus'
import type { Actor, Hands } from '../actor.ts'
import { FORGED, type Packet } from '../blocks.ts'

interface Fork {
  readonly parent: BlockMeta
  readonly parentView: number
}

function forksOf(hands: Hands): Fork[] {
  const forks: Fork[] = []
  for (const [view, { notarization }] of hands.state.views) {
    const parent = notarization === null ? undefined : hands.find(notarization.subject.digest)
    if (parent !== undefined) forks.push({ parent, parentView: view })
  }
  const { log } = hands.machine.ledger
  for (const { block } of log.slice(-3))
    forks.push({ parent: block.meta, parentView: block.meta.view })
  return forks
}

function fork(hands: Hands, view: number, justification: readonly Certificate[]): Packet | null {
  const forks = forksOf(hands).filter(({ parentView }) => parentView < view)
  if (forks.length === 0) return null
  const { parent, parentView } = hands.random.pick(forks)
  const misnamed = hands.random.pick(forks).parentView
  const isMisnamed = hands.random.chance(0.3)
  const place = { view, parentView: isMisnamed ? misnamed : parentView }
  const height = hands.random.chance(0.1) ? hands.random.between(0, 1e9) : parent.height
  return hands.proposalOf(
    hands.block({ ...parent, height }, place, [FORGED, String(view)]),
    justification,
  )
}

export function forker(): Actor {
  let forged: { view: number; packet: Packet | null } = { view: 0, packet: null }
  return {
    send: (packet, to, hands) => {
      if (packet.kind !== 'proposal') return hands.emit(to, packet)
      const { view } = packet.block.meta
      if (forged.view !== view)
        forged = {
          view,
          packet: hands.random.chance(0.8)
            ? fork(hands, view, packet.proposal.justification)
            : null,
        }
      hands.emit(to, forged.packet ?? packet)
    },
  }
}
