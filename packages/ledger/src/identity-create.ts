// `identity.create`: a root key, the digest of the one after it, and who may recover it, begin.

import { bytes, type Infer, struct } from '@mooring/codec'
import { type KeyPair, sign } from '@mooring/crypto'
import {
  checkControlKey,
  identityIdOf,
  identityMessage,
  identityOf,
  type IdentitySettings,
  setIdentity,
  settingsSchema,
} from './identity.ts'
import { checkAnchorSigner } from './anchor-signer.ts'
import { identifierSchema } from './organisation.ts'
import type { TransactionKind } from './transaction-kind.ts'

const fields = {
  settings: settingsSchema,
  signature: bytes(64),
}
/** `organisation` relays it, and pays. */
const schema = struct({ organisation: identifierSchema, ...fields })
/** As its author signs it, before anybody relays it. */
export const createEventSchema = struct(fields)

export type IdentityCreate = Infer<typeof schema>

export const identityCreate: TransactionKind<IdentityCreate> = {
  schema,
  payerOf: (body) => body.organisation,
  placeOf: () => null,
  quota: 'data',
  check(facts, { settings }) {
    const refused = checkAnchorSigner(facts)
    if (refused !== undefined) return refused
    const identity = identityIdOf(settings.controlKey)
    return identityOf(facts.draft, identity) === undefined
      ? undefined
      : { code: 'identity_exists', identity }
  },
  checkContent({ settings, signature }, genesisDigest) {
    return checkControlKey(settings.controlKey, messageOf(settings, genesisDigest), signature)
  },
  apply({ draft }, { settings }) {
    const id = identityIdOf(settings.controlKey)
    setIdentity(draft, id, { ...settings, sequence: 1, pending: null })
  },
}

/** What a member relays. */
export function signIdentityCreate(
  genesisDigest: Uint8Array,
  settings: Omit<IdentitySettings, 'controlKey'>,
  controlKey: KeyPair,
): Omit<IdentityCreate, 'organisation'> {
  const whole = { ...settings, controlKey: controlKey.publicKey }
  return { settings: whole, signature: sign(controlKey, messageOf(whole, genesisDigest)) }
}

function messageOf(content: IdentitySettings, genesisDigest: Uint8Array): Uint8Array {
  return identityMessage('create', genesisDigest, { schema: settingsSchema, content })
}
