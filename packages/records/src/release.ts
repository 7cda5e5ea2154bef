// Are there enough witnesses for a set? They count once per legal group, and only as holders of it.

import { type AccessWitness, verifyWitness } from './access-witness.ts'

export interface ReleaseInput {
  readonly requestDigest: Uint8Array
  readonly witnesses: readonly AccessWitness[]
  /** Holders of the set, as far as this holder knows, itself among them. */
  readonly holders: readonly string[]
  /** Of the set. */
  readonly k: number
  readonly memberOf: (
    organisation: string,
  ) => { anchorKey: Uint8Array; legalGroup: string } | undefined
}

export type ReleaseRefusal = 'too_few_witnesses' | 'witness_forged'

/** Undefined when the set may be served. */
export function checkRelease(input: ReleaseInput): ReleaseRefusal | undefined {
  const { requestDigest, witnesses, holders, k, memberOf } = input
  const groups = new Set<string>()
  for (const witness of witnesses) {
    const member = memberOf(witness.holder)
    if (member === undefined || !holders.includes(witness.holder)) continue
    if (!verifyWitness(witness, member.anchorKey, requestDigest)) return 'witness_forged'
    groups.add(member.legalGroup)
  }
  return groups.size >= k ? undefined : 'too_few_witnesses'
}
