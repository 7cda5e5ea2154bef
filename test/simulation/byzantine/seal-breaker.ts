/**
 * As leader builds on a sealing block that is not final yet, at once, where the only legal proposal is that
 * block again; or proposes another sealing block beside it, with other authorities; or proposes the one
 * that ended the epoch before.
 */
import type { Actor, Hands } from '../actor.ts'
import { FORGED, type Packet } from '../blocks.ts'

function breakSeal(hands: Hands): Packet | null {
  const { state, epoch, members, random } = hands
  const { view } = state
  if ((view + epoch) % members.length !== hands.index) return null
  const notarization = state.views.get(view - 1)?.notarization ?? null
  const sealing = notarization === null ? undefined : hands.find(notarization.subject.digest)
  if (notarization === null || sealing?.isSealing !== true) return null
  const parent = random.chance(0.7) ? sealing : hands.find(sealing.parent)
  if (parent === undefined) return null
  const place = { view, parentView: view - 1 }
  const block =
    parent === sealing ? hands.block(parent, place, [FORGED]) : hands.sealing(parent, place)
  return block === null ? null : hands.proposalOf(block, [notarization])
}

/** As long as nothing is notarized in an epoch, its view 0 is the block that began it. */
function proposeOld(hands: Hands): Packet | null {
  const { state } = hands
  const [last] = hands.lastFinal(1)
  if (last?.isSealing !== true || last.view >= state.view || state.final.view > 0) return null
  const justification = []
  for (let view = 1; view < state.view; view += 1) {
    const nullification = state.views.get(view)?.nullification ?? null
    if (nullification === null) return null
    justification.push(nullification)
  }
  return hands.proposalAgain(last.digest, { view: state.view, parentView: 0 }, justification)
}

export function sealBreaker(): Actor {
  let brokenIn = ''
  return {
    send: (packet, to, hands) => {
      const old = packet.kind === 'proposal' ? proposeOld(hands) : null
      hands.emit(to, old ?? packet)
    },
    act: (hands) => {
      const place = `${hands.epoch} ${hands.state.view}`
      const packet = brokenIn === place ? null : breakSeal(hands)
      if (packet === null) return
      brokenIn = place
      for (const to of hands.others) hands.emit(to, packet)
    },
  }
}
