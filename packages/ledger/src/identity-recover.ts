// `identity.recover`: enough guardians say that a new key shall control the identity. It does not yet: a
// time lock begins, in which the owner, a device or other guardians can stop it.
//
// A member that has seen the person may attest it, which shortens the lock, and takes the veto from the
// keys that may be stolen: a thief with the old key cannot stop the guardians and a desk together. Its
// legal group does not count among the guardians then.

import { bytes, equalBytes, type Infer, nullable, struct } from '@mooring/codec'
import { checkPublicKey, type KeyPair, sign, verify } from '@mooring/crypto'
import {
  findIdentity,
  identityMessage,
  type IdentityPlace,
  pendingAt,
  placeFields,
  setIdentity,
} from './identity.ts'
import { approvalsSchema, checkApprovals, countGuardians } from './identity-guardians.ts'
import { checkAnchorSigner } from './anchor-signer.ts'
import { identifierSchema } from './organisation.ts'
import type { Facts, InvalidTransaction, TransactionKind } from './transaction-kind.ts'

const contentFields = {
  ...placeFields,
  /** That shall control the identity, and the digest of the one after it. */
  controlKey: bytes(32),
  nextKeyDigest: bytes(32),
}
const contentSchema = struct(contentFields)
const attestationSchema = struct({
  organisation: identifierSchema,
  /** Its anchor key. */
  key: bytes(32),
  signature: bytes(64),
})
const fields = {
  ...contentFields,
  approvals: approvalsSchema,
  desk: nullable(attestationSchema),
}
/** `organisation` relays it, and pays. */
const schema = struct({ organisation: identifierSchema, ...fields })
/** As its author signs it, before anybody relays it. */
export const recoverEventSchema = struct(fields)

export type IdentityRecover = Infer<typeof schema>
/** What guardians and a desk sign. */
export type RecoveryContent = Infer<typeof contentSchema>
export type DeskAttestation = Infer<typeof attestationSchema>

export const identityRecover: TransactionKind<IdentityRecover> = {
  schema,
  payerOf: (body) => body.organisation,
  placeOf: () => null,
  quota: 'data',
  check,
  checkContent(body, genesisDigest) {
    const { controlKey, approvals, desk } = body
    if (checkPublicKey(controlKey) !== undefined) {
      return { code: 'identity_key_invalid', detail: 'the new key is none that an owner may have' }
    }
    const forged = checkApprovals(approvals, recoveryMessage(body, genesisDigest))
    if (forged !== undefined || desk === null) return forged
    return verify(desk.key, deskMessage(body, genesisDigest), desk.signature)
      ? undefined
      : { code: 'desk_forged', organisation: desk.organisation }
  },
  apply,
}

/** What each guardian signs. */
export function recoveryMessage(content: RecoveryContent, genesisDigest: Uint8Array): Uint8Array {
  return messageOf('recover', content, genesisDigest)
}

/** That a member has seen the person whose new key this is. */
export function attestRecovery(
  genesisDigest: Uint8Array,
  content: RecoveryContent,
  { organisation, anchorKey }: { organisation: string; anchorKey: KeyPair },
): DeskAttestation {
  const signature = sign(anchorKey, deskMessage(content, genesisDigest))
  return { organisation, key: anchorKey.publicKey, signature }
}

/** Whether a desk signed this; whose key it is, the chain says. */
export function verifyAttestation(
  genesisDigest: Uint8Array,
  content: RecoveryContent,
  { key, signature }: DeskAttestation,
): boolean {
  return verify(key, deskMessage(content, genesisDigest), signature)
}

function check(facts: Facts, body: IdentityRecover): InvalidTransaction | undefined {
  const { draft, time } = facts
  const refused = checkAnchorSigner(facts)
  if (refused !== undefined) return refused
  const found = findIdentity(draft, body)
  if ('code' in found) return found
  const pending = pendingAt(found, time)
  if (pending !== undefined) return { code: 'recovery_pending', unlocksAt: pending.unlocksAt }
  const { recovery: policy } = found
  if (policy === null) return { code: 'no_guardians', identity: body.identity }
  const { desk, approvals } = body
  const attesting = desk === null ? undefined : draft.organisation(desk.organisation)
  if (desk !== null && !(attesting && equalBytes(attesting.keys.anchor, desk.key))) {
    return { code: 'desk_unknown', organisation: desk.organisation }
  }
  const given = countGuardians(draft, approvals, { policy, except: attesting?.legalGroup })
  if (typeof given !== 'number') return given
  const needed = policy.threshold
  return given < needed ? { code: 'too_few_guardians', needed, given } : undefined
}

function apply({ draft, time }: Facts, body: IdentityRecover): void {
  const found = findIdentity(draft, body)
  if ('code' in found || found.recovery === null) throw new Error('recovered what was refused')
  const { identity, sequence, controlKey, nextKeyDigest, desk } = body
  const { lockMs, deskLockMs } = found.recovery
  const isAttested = desk !== null
  const unlocksAt = time + (isAttested ? deskLockMs : lockMs)
  const pending = { controlKey, nextKeyDigest, openedAt: time, unlocksAt, isAttested }
  setIdentity(draft, identity, { ...found, sequence, pending })
}

function deskMessage(content: RecoveryContent, genesisDigest: Uint8Array): Uint8Array {
  return messageOf('desk', content, genesisDigest)
}

function messageOf(
  what: 'recover' | 'desk',
  { identity, sequence, controlKey, nextKeyDigest }: RecoveryContent & IdentityPlace,
  genesisDigest: Uint8Array,
): Uint8Array {
  const content = { identity, sequence, controlKey, nextKeyDigest }
  return identityMessage(what, genesisDigest, { schema: contentSchema, content })
}
