/**
 * As leader proposes on a parent that was left behind or never was: an older notarized block although
 * a later view was not nullified, a final block that is not the last, a block of its own that nobody
 * notarized, beside or below the true parent, or a parent that the subject misnames.
 */
import type { BlockMeta, Certificate } from '@mooring/consensus'
import type { Actor, Hands } from '../actor.ts'
import { FORGED, type Packet } from '../blocks.ts'

interface Fork {
  readonly parent: BlockMeta
  readonly parentView: number
}

/** Views in which a block stands notarized or final, the newest first. */
function standing(hands: Hands): Fork[] {
  const forks: Fork[] = []
  for (const [view, { notarization }] of hands.state.views) {
    const parent = notarization === null ? undefined : hands.find(notarization.subject.digest)
    if (parent !== undefined) forks.push({ parent, parentView: view })
  }
  for (const parent of hands.lastFinal(3)) forks.push({ parent, parentView: parent.view })
  return forks.toSorted((a, b) => b.parentView - a.parentView)
}

/** A block of its own in the place of the true parent, which others may fetch from it. */
function sibling(hands: Hands, { parent, parentView }: Fork): Fork | null {
  const below = hands.find(parent.parent)
  if (below === undefined) return null
  const place = { view: parentView, parentView: parent.parentView }
  const block = hands.block(below, place, [FORGED, 'beside'])
  hands.hold(block)
  return { parent: block.meta, parentView }
}

/** A block of its own in a view that was nullified. */
function unnotarized(hands: Hands, { parent, parentView }: Fork, view: number): Fork | null {
  if (parentView + 1 >= view) return null
  const block = hands.block(parent, { view: parentView + 1, parentView }, [FORGED, 'below'])
  hands.hold(block)
  return { parent: block.meta, parentView: parentView + 1 }
}

function choose(hands: Hands, view: number): Fork | null {
  const forks = standing(hands).filter(({ parentView }) => parentView < view)
  const [best] = forks
  if (best === undefined) return null
  switch (hands.random.pick(['older', 'older', 'beside', 'below', 'misnamed', 'any'] as const)) {
    case 'older':
      return forks[hands.random.between(1, 3)] ?? null
    case 'beside':
      return sibling(hands, best)
    case 'below':
      return unnotarized(hands, best, view)
    case 'misnamed':
      return { parent: best.parent, parentView: hands.random.pick(forks).parentView }
    case 'any':
      return hands.random.pick(forks)
  }
}

function fork(hands: Hands, view: number, justification: readonly Certificate[]): Packet | null {
  const chosen = choose(hands, view)
  if (chosen === null) return null
  const { parent, parentView } = chosen
  const height = hands.random.chance(0.1) ? hands.random.between(0, 1e9) : parent.height
  return hands.proposalOf(
    hands.block({ ...parent, height }, { view, parentView }, [FORGED, String(view)]),
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
