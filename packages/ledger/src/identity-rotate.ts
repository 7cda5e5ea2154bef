// `identity.rotate`: the key announced before takes over, announces the next one, and says anew who the
// guardians and the devices are. Who has the key in use alone cannot do it.

import { bytes, equalBytes, type Infer, struct } from '@mooring/codec'
import { type KeyPair, sign } from '@mooring/crypto'
import {
  checkControlKey,
  controlKeyDigest,
  findIdentity,
  identityMessage,
  type IdentityPlace,
  type IdentitySettings,
  pendingAt,
  placeFields,
  setIdentity,
  settingsSchema,
} from './identity.ts'
import { checkAnchorSigner } from './anchor-signer.ts'
import { identifierSchema } from './organisation.ts'
import type { Facts, InvalidTransaction, TransactionKind } from './transaction-kind.ts'

const contentSchema = struct({ ...placeFields, settings: settingsSchema })
const fields = {
  ...placeFields,
  settings: settingsSchema,
  /** By the key that takes over. */
  signature: bytes(64),
}
/** `organisation` relays it, and pays. */
const schema = struct({ organisation: identifierSchema, ...fields })
/** As its author signs it, before anybody relays it. */
export const rotateEventSchema = struct(fields)

export type IdentityRotate = Infer<typeof schema>
type Content = Infer<typeof contentSchema>

export const identityRotate: TransactionKind<IdentityRotate> = {
  schema,
  payerOf: (body) => body.organisation,
  placeOf: () => null,
  quota: 'data',
  check,
  checkContent: (body, genesisDigest) =>
    checkControlKey(body.settings.controlKey, messageOf(body, genesisDigest), body.signature),
  apply({ draft }, { identity, sequence, settings }) {
    setIdentity(draft, identity, { ...settings, sequence, pending: null })
  },
}

/** What a member relays. */
export function signIdentityRotate(
  genesisDigest: Uint8Array,
  { settings, ...place }: IdentityPlace & { settings: Omit<IdentitySettings, 'controlKey'> },
  controlKey: KeyPair,
): Omit<IdentityRotate, 'organisation'> {
  const content = { ...place, settings: { ...settings, controlKey: controlKey.publicKey } }
  return { ...content, signature: sign(controlKey, messageOf(content, genesisDigest)) }
}

function check(facts: Facts, body: IdentityRotate): InvalidTransaction | undefined {
  const refused = checkAnchorSigner(facts)
  if (refused !== undefined) return refused
  const found = findIdentity(facts.draft, body)
  if ('code' in found) return found
  const pending = pendingAt(found, facts.time)
  if (pending !== undefined) return { code: 'recovery_pending', unlocksAt: pending.unlocksAt }
  const { identity, settings } = body
  return equalBytes(controlKeyDigest(settings.controlKey), found.nextKeyDigest)
    ? undefined
    : { code: 'identity_key_not_announced', identity }
}

function messageOf({ identity, sequence, settings }: Content, genesisDigest: Uint8Array) {
  const content = { identity, sequence, settings }
  return identityMessage('rotate', genesisDigest, { schema: contentSchema, content })
}
