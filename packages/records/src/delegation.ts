// What lets another key sign for a patient at one custodian: of a device, or of a representative.
//
// A delegation is signed by the key that gives, names one custodian, ends, and has a one-time handle on
// the chain by which it can be taken back. A representative (a parent, a guardian) may add devices of
// its own; a device may not delegate at all, so a stolen phone cannot make itself friends.

import {
  bytes,
  concatBytes,
  encode,
  equalBytes,
  type Infer,
  nullable,
  oneOf,
  refine,
  struct,
  text,
  uint,
  versioned,
} from '@mooring/codec'
import { domainBytes, type KeyPair, sign, verify } from '@mooring/crypto'
import { CLOCK_SKEW_MS } from './clock.ts'
import { RecordsError } from './errors.ts'

/** More than a representative's device needs. */
export const DELEGATIONS_MAX = 3
export const REPRESENTATIVE_ROLES = ['FAMRQT', 'PWATRNY'] as const

const delegationSchema = refine(
  versioned(1, {
    id: bytes(16),
    kind: oneOf('device', 'representative'),
    custodian: text(64),
    from: bytes(32),
    to: bytes(32),
    /** Of a representative, in v3-ActReason: of the family, or by power of attorney. */
    role: nullable(oneOf(...REPRESENTATIVE_ROLES)),
    notBefore: uint(),
    /** Exclusive. */
    expiresAt: uint(),
    /** Its one-time name on the chain. */
    handle: bytes(32),
  }),
  ({ kind, role }) => (kind === 'representative') === (role !== null),
  'a representative has a role, and a device has none',
)

export type Delegation = Infer<typeof delegationSchema>

export const signedDelegationSchema = struct({
  delegation: delegationSchema,
  signature: bytes(64),
})

export type SignedDelegation = Infer<typeof signedDelegationSchema>

export function signDelegation(from: KeyPair, delegation: Delegation): SignedDelegation {
  if (!equalBytes(from.publicKey, delegation.from)) {
    throw new RecordsError('out_of_range', 'from', 'a delegation is signed by the key that gives')
  }
  return { delegation, signature: sign(from, messageOf(delegation)) }
}

export function verifyDelegation({ delegation, signature }: SignedDelegation): boolean {
  return verify(delegation.from, messageOf(delegation), signature)
}

/** What a chain says of a handle: the part that matters here. */
export interface HandleStanding {
  readonly kind: string
  readonly expiresAt: number
  readonly revokedAt: number | null
}

export type DelegationRefusal =
  | 'delegation_forged'
  | 'delegation_not_valid_yet'
  | 'delegation_expired'
  | 'delegation_revoked'

export interface DelegationQuestion {
  readonly patientKey: Uint8Array
  readonly signerKey: Uint8Array
  readonly custodian: string
  readonly now: number
  /** At the own final height; undefined for a handle that never was opened. */
  readonly handleOf: (handle: Uint8Array) => HandleStanding | undefined
}

/** Why these do not lead from the patient's key to the signer's now; signatures are left to `verify…`. */
export function checkDelegations(
  delegations: readonly SignedDelegation[],
  question: DelegationQuestion,
): DelegationRefusal | undefined {
  if (!isChain(delegations, question)) return 'delegation_forged'
  for (const { delegation } of delegations) {
    const code = checkStanding(delegation, question)
    if (code !== undefined) return code
  }
  return undefined
}

function isChain(
  delegations: readonly SignedDelegation[],
  { patientKey, signerKey, custodian }: DelegationQuestion,
): boolean {
  let key = patientKey
  for (const [index, { delegation }] of delegations.entries()) {
    const isFirst = index === 0
    const isLast = index === delegations.length - 1
    if (delegation.custodian !== custodian || !equalBytes(delegation.from, key)) return false
    if (delegation.kind === 'representative' ? !isFirst : !isLast) return false
    key = delegation.to
  }
  return equalBytes(key, signerKey)
}

function checkStanding(
  { handle, notBefore, expiresAt }: Delegation,
  { now, handleOf }: DelegationQuestion,
): DelegationRefusal | undefined {
  const standing = handleOf(handle)
  if (standing?.kind !== 'delegation') return 'delegation_forged'
  if (standing.revokedAt !== null) return 'delegation_revoked'
  if (notBefore > now + CLOCK_SKEW_MS) return 'delegation_not_valid_yet'
  return expiresAt <= now || standing.expiresAt <= now ? 'delegation_expired' : undefined
}

function messageOf(delegation: Delegation): Uint8Array {
  return concatBytes(domainBytes('delegation'), encode(delegationSchema, delegation))
}
