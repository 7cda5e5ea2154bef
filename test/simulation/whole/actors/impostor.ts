/**
 * Speaks for others without their keys: their votes under its own signature, certificates put together
 * from such, proposals in views that are not its turn.
 */
import { bitmapOf } from '@mooring/crypto'
import {
  type Certificate,
  recordOf,
  type Subject,
  type Vote,
  type VoteKind,
} from '@mooring/consensus'
import type { WholeActor, WholeHands } from '../hands.ts'

function forge(hands: WholeHands, subject: Subject, kind: VoteKind): Certificate {
  const size = hands.state?.config.authorities ?? 4
  const signers = Array.from({ length: Math.floor((2 * size + 2) / 3) }, (_, index) => index)
  const { signature } = hands.sign(kind, subject)
  return {
    kind,
    subject,
    bitmap: bitmapOf(signers, size),
    signatures: signers.map(() => signature),
  }
}

/** Of the block that is open just now, or of none. */
function openSubject(hands: WholeHands): Subject | null {
  const { state } = hands
  if (state === null) return null
  return recordOf(state, state.view).proposal?.vote.subject ?? null
}

export const impostor: WholeActor = {
  hear: (message, _from, hands) => {
    if (message.kind !== 'proposal' || hands.random.chance(0.8)) return
    const { proposal } = message
    const stolen = hands.remake(proposal, ({ time }) => ({ time: time + 2 }))
    for (const to of hands.others) hands.say(to, { kind: 'proposal', proposal: stolen })
  },
  act: (hands) => {
    const { random } = hands
    const subject = openSubject(hands)
    if (subject === null || random.chance(0.7)) return
    const to = random.pick(hands.others)
    const kind = random.pick(['notarize', 'finalize', 'nullify'] as const)
    const about = kind === 'nullify' ? hands.nullify(subject.epoch, subject.view).subject : subject
    if (random.chance(0.5)) {
      const certificates = [forge(hands, about, kind)]
      return hands.say(to, { kind: 'certificates', certificates })
    }
    const votes: Vote[] = hands.others.map((signer) => ({ ...hands.sign(kind, about), signer }))
    hands.say(to, { kind: 'votes', votes: [random.pick(votes)] })
  },
}
