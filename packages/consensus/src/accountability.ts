/**
 * Who broke safety, by signatures alone: from whatever certificates two nodes hold that do not agree, the
 * authorities that signed what an honest one never signs together.
 *
 * Let b be final in view v and another block b' final in w >= v, neither above the other, and let each
 * chain come with the notarizations and nullifications by which it was built. Either v = w, and two
 * quorums have finalized in one view; or the chain of b' holds another block that was notarized in v,
 * beside the notarization of b; or it skips v, with a nullification of what a quorum has finalized. In
 * each case two quorums share 2q - n >= f + 1 signers, and each of them is convicted by two votes.
 */
import type { AuthorityIndex, Certificate, Evidence, Vote } from './types.ts'
import { sameSubject } from './types.ts'
import { votesOf } from './votes.ts'

/**
 * @param certificates checked ones of any epochs, from any number of nodes, in any order
 * @returns one offence for each kind, epoch, view and signer
 */
export function convict(certificates: readonly Certificate[]): Evidence[] {
  const seen = new Map<string, Vote>()
  const offences = new Map<string, Evidence>()
  for (const certificate of certificates)
    for (const vote of votesOf(certificate)) {
      const key = keyOf(vote)
      const known = seen.get(key)
      if (known === undefined) seen.set(key, vote)
      else if (vote.kind !== 'nullify' && !sameSubject(known.subject, vote.subject))
        offences.set(key, {
          kind: vote.kind === 'notarize' ? 'conflicting_notarize' : 'conflicting_finalize',
          first: known,
          second: vote,
        })
      const opposite = vote.kind === 'nullify' ? 'finalize' : 'nullify'
      const other =
        vote.kind === 'notarize' ? undefined : seen.get(keyOf({ ...vote, kind: opposite }))
      if (other === undefined) continue
      const [first, second] = vote.kind === 'nullify' ? [vote, other] : [other, vote]
      offences.set(`both ${keyOf(first)}`, { kind: 'nullify_finalize', first, second })
    }
  return [...offences.values()]
}

/** The authorities of one epoch that are convicted, ascending. */
export function culpritsOf(evidence: readonly Evidence[], epoch: number): AuthorityIndex[] {
  const signers = evidence.flatMap(({ first }) =>
    first.subject.epoch === epoch ? [first.signer] : [],
  )
  return [...new Set(signers)].toSorted((a, b) => a - b)
}

function keyOf({ kind, signer, subject }: Omit<Vote, 'signature'>): string {
  return `${kind} ${subject.epoch} ${subject.view} ${signer}`
}
