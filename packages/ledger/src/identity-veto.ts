// `identity.veto`: a recovery is stopped, by the key in control, by a device, or by a minority of the
// guardians. A device's key is shown by it and spent: a stolen telephone stops one recovery and no other.

import { bytes, equalBytes, type Infer, struct, variant } from '@mooring/codec'
import { type KeyPair, sign, verify } from '@mooring/crypto'
import {
  deviceKeyDigest,
  findIdentity,
  type Identity,
  identityMessage,
  type IdentityPlace,
  type IdentityProblem,
  pendingAt,
  placeFields,
  setIdentity,
} from './identity.ts'
import { approvalsSchema, checkApprovals, countGuardians } from './identity-guardians.ts'
import { checkAnchorSigner } from './anchor-signer.ts'
import { identifierSchema } from './organisation.ts'
import type { StateDraft } from './state.ts'
import type { Facts, InvalidTransaction, TransactionKind } from './transaction-kind.ts'

const contentSchema = struct(placeFields)
const signedSchema = struct({ key: bytes(32), signature: bytes(64) })
const fields = {
  ...placeFields,
  by: variant({ control: signedSchema, device: signedSchema, guardians: approvalsSchema }),
}
/** `organisation` relays it, and pays. */
const schema = struct({ organisation: identifierSchema, ...fields })
/** As its author signs it, before anybody relays it. */
export const vetoEventSchema = struct(fields)

export type IdentityVeto = Infer<typeof schema>
export type Objection = IdentityVeto['by']

export const identityVeto: TransactionKind<IdentityVeto> = {
  schema,
  payerOf: (body) => body.organisation,
  placeOf: () => null,
  quota: 'data',
  check,
  checkContent(body, genesisDigest) {
    const message = vetoMessage(genesisDigest, body)
    const { by } = body
    if (by.kind === 'guardians') return checkApprovals(by.body, message)
    return verify(by.body.key, message, by.body.signature)
      ? undefined
      : { code: 'identity_forged', detail: 'the key of the veto did not sign it' }
  },
  apply({ draft }, { identity, sequence, by }) {
    const found = findIdentity(draft, { identity, sequence })
    if ('code' in found) throw new Error('vetoed what was refused')
    const spent = by.kind === 'device' ? deviceKeyDigest(by.body.key) : undefined
    const devices = found.devices.filter((digest) => !(spent && equalBytes(digest, spent)))
    setIdentity(draft, identity, { ...found, devices, sequence, pending: null })
  },
}

/** What is signed: by a key of the owner, or by each of the guardians. */
export function vetoMessage(
  genesisDigest: Uint8Array,
  { identity, sequence }: IdentityPlace,
): Uint8Array {
  const content = { identity, sequence }
  return identityMessage('veto', genesisDigest, { schema: contentSchema, content })
}

/** The owner's own objection, with the key in control or that of a device. */
export function signObjection(
  genesisDigest: Uint8Array,
  place: IdentityPlace,
  { kind, keyPair }: { kind: 'control' | 'device'; keyPair: KeyPair },
): Objection {
  const signature = sign(keyPair, vetoMessage(genesisDigest, place))
  return { kind, body: { key: keyPair.publicKey, signature } }
}

function check(facts: Facts, body: IdentityVeto): InvalidTransaction | undefined {
  const refused = checkAnchorSigner(facts)
  if (refused !== undefined) return refused
  const found = findIdentity(facts.draft, body)
  if ('code' in found) return found
  const { identity, by } = body
  const pending = pendingAt(found, facts.time)
  if (pending === undefined) return { code: 'no_recovery_pending', identity }
  if (by.kind !== 'guardians' && pending.isAttested)
    return { code: 'veto_needs_guardians', identity }
  return checkStanding(facts.draft, found, body)
}

function checkStanding(
  draft: StateDraft,
  { controlKey, devices, recovery: policy }: Identity,
  { identity, by }: IdentityVeto,
): IdentityProblem | undefined {
  const unknown = { code: 'veto_key_unknown', identity } as const
  if (by.kind === 'control') return equalBytes(by.body.key, controlKey) ? undefined : unknown
  if (by.kind === 'device') {
    const digest = deviceKeyDigest(by.body.key)
    return devices.some((each) => equalBytes(each, digest)) ? undefined : unknown
  }
  if (policy === null) return { code: 'no_guardians', identity }
  const given = countGuardians(draft, by.body, { policy, except: undefined })
  if (typeof given !== 'number') return given
  const needed = policy.vetoes
  return given < needed ? { code: 'too_few_guardians', needed, given } : undefined
}
