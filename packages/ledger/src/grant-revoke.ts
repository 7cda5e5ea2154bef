// `grant.revoke`: a one-time key takes its handle back. From that block on nobody serves anything for it.

import { bytes, type Infer, struct } from '@mooring/codec'
import { checkAnchorSigner } from './anchor-signer.ts'
import {
  grantHandleOf,
  grantKeysOf,
  handleOfKey,
  isGrantRevokeSigned,
  setGrantHandle,
} from './grant-handle.ts'
import { identifierSchema } from './organisation.ts'
import type { Facts, InvalidTransaction, TransactionKind } from './transaction-kind.ts'

const schema = struct({
  /** Relays it, and pays. */
  organisation: identifierSchema,
  publicKey: bytes(32),
  signature: bytes(64),
})

export type GrantRevoke = Infer<typeof schema>

export const grantRevoke: TransactionKind<GrantRevoke> = {
  schema,
  payerOf: (body) => body.organisation,
  placeOf: () => null,
  ownKeys: grantKeysOf,
  quota: 'data',
  check,
  checkContent: (body, genesisDigest) =>
    isGrantRevokeSigned(genesisDigest, body) ? undefined : { code: 'bad_signature' },
  apply({ draft, height }, { publicKey }) {
    const handle = handleOfKey(publicKey)
    const found = grantHandleOf(draft, handle)
    if (found === undefined) throw new Error('revoked a handle that the state does not have')
    setGrantHandle(draft, handle, { ...found, revokedAt: height })
  },
}

function check(facts: Facts, { publicKey }: GrantRevoke): InvalidTransaction | undefined {
  const { draft, time, acceptsGap } = facts
  const refused = checkAnchorSigner(facts)
  if (refused !== undefined) return refused
  const handle = handleOfKey(publicKey)
  const found = grantHandleOf(draft, handle)
  if (found === undefined) return acceptsGap ? undefined : { code: 'unknown_handle', handle }
  const { revokedAt, expiresAt } = found
  if (revokedAt !== null) return { code: 'handle_revoked', handle, height: revokedAt }
  return expiresAt <= time ? { code: 'handle_expired', handle, expiresAt, time } : undefined
}
