// `identity.finalize`: after its time lock a recovery that nobody stopped takes effect. The new key signs
// it, and thereby shows that somebody has it. No device of before may veto any more: it may be the one
// that was lost.

import { bytes, equalBytes, type Infer, struct } from '@mooring/codec'
import { type KeyPair, sign } from '@mooring/crypto'
import {
  checkControlKey,
  findIdentity,
  identityMessage,
  type IdentityPlace,
  pendingAt,
  placeFields,
  setIdentity,
} from './identity.ts'
import { checkAnchorSigner } from './anchor-signer.ts'
import { identifierSchema } from './organisation.ts'
import type { Facts, InvalidTransaction, TransactionKind } from './transaction-kind.ts'

const contentSchema = struct(placeFields)
const fields = {
  ...placeFields,
  /** Of the recovery; signs. */
  controlKey: bytes(32),
  signature: bytes(64),
}
/** `organisation` relays it, and pays. */
const schema = struct({ organisation: identifierSchema, ...fields })
/** As its author signs it, before anybody relays it. */
export const finalizeEventSchema = struct(fields)

export type IdentityFinalize = Infer<typeof schema>

export const identityFinalize: TransactionKind<IdentityFinalize> = {
  schema,
  payerOf: (body) => body.organisation,
  placeOf: () => null,
  quota: 'data',
  check,
  checkContent: (body, genesisDigest) =>
    checkControlKey(body.controlKey, messageOf(body, genesisDigest), body.signature),
  apply({ draft, time }, body) {
    const found = findIdentity(draft, body)
    if ('code' in found) throw new Error('finished a recovery that was refused')
    const pending = pendingAt(found, time)
    if (pending === undefined) throw new Error('finished a recovery that there is not')
    const { controlKey, nextKeyDigest } = pending
    const { identity, sequence } = body
    const { recovery } = found
    const taken = { controlKey, nextKeyDigest, recovery, devices: [] }
    setIdentity(draft, identity, { ...taken, sequence, pending: null })
  },
}

/** What a member relays. */
export function signIdentityFinalize(
  genesisDigest: Uint8Array,
  { identity, sequence }: IdentityPlace,
  controlKey: KeyPair,
): Omit<IdentityFinalize, 'organisation'> {
  const place = { identity, sequence }
  const signature = sign(controlKey, messageOf(place, genesisDigest))
  return { ...place, controlKey: controlKey.publicKey, signature }
}

function check(facts: Facts, body: IdentityFinalize): InvalidTransaction | undefined {
  const { draft, time } = facts
  const refused = checkAnchorSigner(facts)
  if (refused !== undefined) return refused
  const found = findIdentity(draft, body)
  if ('code' in found) return found
  const { identity, controlKey } = body
  const pending = pendingAt(found, time)
  if (pending === undefined) return { code: 'no_recovery_pending', identity }
  if (!equalBytes(controlKey, pending.controlKey)) {
    return { code: 'identity_key_not_announced', identity }
  }
  const { unlocksAt } = pending
  return time < unlocksAt ? { code: 'recovery_locked', unlocksAt, time } : undefined
}

function messageOf({ identity, sequence }: IdentityPlace, genesisDigest: Uint8Array): Uint8Array {
  const content = { identity, sequence }
  return identityMessage('finalize', genesisDigest, { schema: contentSchema, content })
}
