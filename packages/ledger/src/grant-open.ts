// `grant.open`: a one-time key says until when its handle lives. The member that relays it pays.

import { bytes, type Infer, struct } from '@mooring/codec'
import { checkAnchorSigner } from './anchor-signer.ts'
import {
  grantHandleOf,
  grantKeysOf,
  grantKindSchema,
  HANDLE_LIVES_MAX_MS,
  handleOfKey,
  isGrantOpenSigned,
  setGrantHandle,
  wholeDaySchema,
} from './grant-handle.ts'
import { identifierSchema } from './organisation.ts'
import type { Facts, InvalidTransaction, TransactionKind } from './transaction-kind.ts'

const schema = struct({
  /** Relays it, and pays. */
  organisation: identifierSchema,
  publicKey: bytes(32),
  expiresAt: wholeDaySchema,
  kind: grantKindSchema,
  signature: bytes(64),
})

export type GrantOpen = Infer<typeof schema>

export const grantOpen: TransactionKind<GrantOpen> = {
  schema,
  payerOf: (body) => body.organisation,
  placeOf: () => null,
  ownKeys: grantKeysOf,
  quota: 'data',
  check,
  checkContent: (body, genesisDigest) =>
    isGrantOpenSigned(genesisDigest, body) ? undefined : { code: 'bad_signature' },
  apply({ draft, height }, { publicKey, expiresAt, kind }) {
    const handle = { kind, expiresAt, openedAt: height, revokedAt: null }
    setGrantHandle(draft, handleOfKey(publicKey), handle)
  },
}

function check(facts: Facts, { publicKey, expiresAt }: GrantOpen): InvalidTransaction | undefined {
  const { draft, time } = facts
  const refused = checkAnchorSigner(facts)
  if (refused !== undefined) return refused
  const handle = handleOfKey(publicKey)
  if (grantHandleOf(draft, handle) !== undefined) return { code: 'handle_seen', handle }
  if (expiresAt <= time) return { code: 'handle_expired', handle, expiresAt, time }
  const latest = time + HANDLE_LIVES_MAX_MS
  return expiresAt > latest ? { code: 'handle_expires_too_late', expiresAt, latest } : undefined
}
