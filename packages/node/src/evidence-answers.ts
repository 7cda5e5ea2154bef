// Evidence as the API tells of it.

import type { ApiHandlers, Evidence as EvidenceAnswer } from '@mooring/api'
import { toHex } from '@mooring/codec'
import type { Vote } from '@mooring/consensus'
import type { AuthoritySets } from './authority-sets.ts'
import type { Offence, Offences } from './offences.ts'

export function createEvidenceAnswers(
  offences: Pick<Offences, 'list'>,
  sets: Pick<AuthoritySets, 'of'>,
): Pick<ApiHandlers, 'listEvidence' | 'evidence'> {
  return {
    listEvidence: ({ before, limit }) => {
      const below = offences.list().filter(({ arrival }) => before === null || arrival < before)
      const shown = below.slice(0, limit)
      const next = below.length > shown.length ? (shown.at(-1)?.arrival ?? null) : null
      return { items: shown.map((offence) => answerOf(offence, sets)), next }
    },
    evidence: (id) => {
      const offence = offences.list().find((each) => each.id === id)
      return offence && { evidence: answerOf(offence, sets), bytes: offence.bytes }
    },
  }
}

export function answerOf(
  { id, evidence, authority, seenAt }: Offence,
  sets: Pick<AuthoritySets, 'of'>,
): EvidenceAnswer {
  const { kind, first, second } = evidence
  const { epoch, view } = first.subject
  const key = sets.of(epoch)?.keys[first.signer]
  return {
    id,
    kind,
    authority,
    key: key === undefined ? null : toHex(key),
    epoch,
    view,
    seenAt: new Date(seenAt).toISOString(),
    votes: [voteOf(first), voteOf(second)],
  }
}

function voteOf({ kind, subject, signature }: Vote): EvidenceAnswer['votes'][number] {
  const { parentView, height, digest } = subject
  return { kind, parentView, height, digest, signature: toHex(signature) }
}
