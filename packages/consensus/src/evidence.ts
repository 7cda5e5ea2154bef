/**
 * Two signed votes that convict an authority, and nothing else does.
 *
 * An offence needs no context: whoever has the keys of the epoch checks two signatures and compares two
 * subjects. So evidence can be kept, passed on and shown to people who were not there. Its two votes
 * have one order, so that the same offence is the same bytes whoever saw which vote first.
 *
 * A notarize of one block beside a finalize of another is none: an authority finalizes what a quorum
 * has notarized, also where it had voted for something else (R7).
 */
import { type Evidence, sameSubject, type Subject, type Vote } from './types.ts'
import { type AuthorityKeys, checkVote } from './votes.ts'

export type InvalidEvidence = { code: 'no_offence' | 'bad_signature' }

/** The evidence that the two votes are, in the order in which it is encoded; null when both are allowed. */
export function evidenceOf(first: Vote, second: Vote): Evidence | null {
  const { subject } = first
  if (first.signer !== second.signer) return null
  if (subject.epoch !== second.subject.epoch || subject.view !== second.subject.view) return null
  if (first.kind === second.kind) return conflictOf(first, second)
  const nullify = [first, second].find(({ kind }) => kind === 'nullify')
  const finalize = [first, second].find(({ kind }) => kind === 'finalize')
  if (nullify === undefined || finalize === undefined) return null
  return { kind: 'nullify_finalize', first: nullify, second: finalize }
}

/** @param authorities the keys of the epoch that the votes name. */
export function checkEvidence(
  { kind, first, second }: Evidence,
  authorities: AuthorityKeys,
): InvalidEvidence | undefined {
  if (evidenceOf(first, second)?.kind !== kind) return { code: 'no_offence' }
  const areSigned = checkVote(first, authorities) && checkVote(second, authorities)
  return areSigned ? undefined : { code: 'bad_signature' }
}

function conflictOf(a: Vote, b: Vote): Evidence | null {
  if (a.kind === 'nullify' || sameSubject(a.subject, b.subject)) return null
  const kind = a.kind === 'notarize' ? 'conflicting_notarize' : 'conflicting_finalize'
  const [first, second] = compare(a.subject, b.subject) < 0 ? [a, b] : [b, a]
  return { kind, first, second }
}

function compare(a: Subject, b: Subject): number {
  if (a.digest !== b.digest) return a.digest < b.digest ? -1 : 1
  return a.parentView - b.parentView || a.height - b.height
}
