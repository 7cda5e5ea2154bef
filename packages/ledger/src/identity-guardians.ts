// Guardians: persons, each with a key made for this patient alone, and members, which sign with the
// anchor key that they have at the time. The chain has one root of them. Leaves are salted and the tree
// has one size, so that it shows no social graph; those who sign a recovery show their own leaf.
//
// What counts is independence: a person counts once, and so do all members of one legal group.

import {
  bytes,
  encode,
  equalBytes,
  type Infer,
  list,
  nullable,
  struct,
  toHex,
  uint,
} from '@mooring/codec'
import {
  checkInclusion,
  inclusionProof,
  leafHash,
  merkleRootOfHashes,
  verify,
} from '@mooring/crypto'
import { GUARDIANS_MAX, type IdentityProblem, type RecoveryPolicy } from './identity.ts'
import { identifierSchema } from './organisation.ts'
import type { StateDraft } from './state.ts'

export const GUARDIAN_LEAVES = 16
const PATH_NODES = 4

const guardianSchema = struct({
  salt: bytes(32),
  /** Null for a person, who is known by the key. */
  organisation: nullable(identifierSchema),
  /** Null for a member, whose anchor key changes. */
  key: nullable(bytes(32)),
})

/** One leaf of the tree. */
export type Guardian = Infer<typeof guardianSchema>

const approvalSchema = struct({
  index: uint(GUARDIAN_LEAVES - 1),
  salt: bytes(32),
  organisation: nullable(identifierSchema),
  /** That signed: the person's own, or the anchor key of the member. */
  key: bytes(32),
  path: list(bytes(32), PATH_NODES),
  signature: bytes(64),
})

export const approvalsSchema = list(approvalSchema, GUARDIANS_MAX)

/** A guardian's signature, with the proof that it is one. */
export type GuardianApproval = Infer<typeof approvalSchema>

function guardianLeaf(guardian: Guardian): Uint8Array {
  return leafHash(encode(guardianSchema, guardian))
}

/** `padding` gives the leaves that are nobody: 32 random bytes each, the same whenever it is asked. */
function leavesOf(guardians: readonly Guardian[], padding: readonly Uint8Array[]): Uint8Array[] {
  if (guardians.length > GUARDIANS_MAX || padding.length !== GUARDIAN_LEAVES - guardians.length) {
    throw new RangeError(`${guardians.length} guardians and ${padding.length} others are no tree`)
  }
  return [...guardians.map((guardian) => guardianLeaf(guardian)), ...padding]
}

export function guardiansRoot(
  guardians: readonly Guardian[],
  padding: readonly Uint8Array[],
): Uint8Array {
  return merkleRootOfHashes(leavesOf(guardians, padding))
}

/** The way from one guardian to the root. */
export function guardianPath(
  guardians: readonly Guardian[],
  padding: readonly Uint8Array[],
  index: number,
): Uint8Array[] {
  return inclusionProof(leavesOf(guardians, padding), index)
}

/** How many independent guardians there are among these; `except` is a legal group that does not count. */
export function countGuardians(
  draft: StateDraft,
  approvals: readonly GuardianApproval[],
  { policy, except }: { policy: RecoveryPolicy; except: string | undefined },
): number | IdentityProblem {
  const counted = new Set<string>()
  const seen = new Set<number>()
  for (const approval of approvals) {
    const { index, organisation, key } = approval
    if (seen.has(index)) return { code: 'guardian_repeated', index }
    seen.add(index)
    if (!isGuardian(approval, policy.guardians)) return { code: 'guardian_unknown', index }
    if (organisation === null) {
      counted.add(`key ${toHex(key)}`)
      continue
    }
    const member = draft.organisation(organisation)
    if (member === undefined || !equalBytes(member.keys.anchor, key)) {
      return { code: 'guardian_key_differs', organisation }
    }
    if (member.legalGroup !== except) counted.add(`group ${member.legalGroup}`)
  }
  return counted.size
}

/** Their signatures under one message. */
export function checkApprovals(
  approvals: readonly GuardianApproval[],
  message: Uint8Array,
): IdentityProblem | undefined {
  for (const { index, key, signature } of approvals) {
    if (!verify(key, message, signature)) return { code: 'guardian_forged', index }
  }
  return undefined
}

/** Whether the root has this guardian in this place. */
export function isGuardian(
  approval: Omit<GuardianApproval, 'signature'>,
  root: Uint8Array,
): boolean {
  const { index, salt, organisation, key, path } = approval
  const leaf = guardianLeaf({ salt, organisation, key: organisation === null ? key : null })
  const inclusion = { index, size: GUARDIAN_LEAVES, leafHash: leaf, path, root }
  return checkInclusion(inclusion) === undefined
}
