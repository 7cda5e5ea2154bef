// The handle of a grant: all that the chain knows of it.
//
// A patient makes a key for one grant and never again. Its digest is the handle; its signature opens the
// handle and, whenever the patient likes, revokes it. Neither says whose grant it is, for whom, or for
// what: any member may relay both against its own quota, and a signature that somebody else relays has
// the same effect. A revocation can be signed when the grant is made, and kept by a guardian.

import {
  concatBytes,
  encode,
  type Infer,
  nullable,
  oneOf,
  refine,
  struct,
  uint,
  versioned,
} from '@mooring/codec'
import { domainBytes, domainHash, type KeyPair, sign, verify } from '@mooring/crypto'
import { timeSchema, type UnixMs } from './parameters.ts'
import { once, type StateDraft, type StateReader } from './state.ts'
import { grantKey } from './state-keys.ts'

export const GRANT_KINDS = ['share', 'standing', 'research', 'delegation'] as const
export type GrantKind = (typeof GRANT_KINDS)[number]

const DAY_MS = 24 * 60 * 60_000
/** From block time: a year, and room to round it up to a day. */
export const HANDLE_LIVES_MAX_MS = 400 * DAY_MS

export const grantKindSchema = oneOf(...GRANT_KINDS)

/** Whole days, so that the moment at which a grant ends does not tell one from another. */
export const wholeDaySchema = refine(
  timeSchema,
  (time) => time % DAY_MS === 0,
  'a time that is no start of a day in UTC',
)

const handleSchema = versioned(1, {
  kind: grantKindSchema,
  expiresAt: timeSchema,
  /** Height of the block. */
  openedAt: uint(),
  revokedAt: nullable(uint()),
})

export type GrantHandle = Infer<typeof handleSchema>
export type GrantTerms = { expiresAt: UnixMs; kind: GrantKind }

const termsSchema = struct({ expiresAt: wholeDaySchema, kind: grantKindSchema })

const readHandle = once(handleSchema)

/** The first start of a day that is not before the moment. */
export function wholeDayAfter(moment: UnixMs): UnixMs {
  return Math.ceil(moment / DAY_MS) * DAY_MS
}

/** The handle that belongs to a one-time key. */
export function handleOfKey(publicKey: Uint8Array): Uint8Array {
  return domainHash('grant-handle', publicKey)
}

/** What a grant's handle is on the chain; undefined when it was never opened. */
export function grantHandleOf(state: StateReader, handle: Uint8Array): GrantHandle | undefined {
  const value = state.get(grantKey(handle))
  return value === undefined ? undefined : readHandle(value)
}

/** Of the state, where the handle of a one-time key stands. */
export function grantKeysOf({ publicKey }: { publicKey: Uint8Array }): Uint8Array[] {
  return [grantKey(handleOfKey(publicKey))]
}

export function setGrantHandle(draft: StateDraft, handle: Uint8Array, value: GrantHandle): void {
  draft.set(grantKey(handle), encode(handleSchema, value))
}

/** Whether what the handle stands for may still be used. */
export function isLiveHandle(handle: GrantHandle, time: UnixMs): boolean {
  return handle.revokedAt === null && handle.expiresAt > time
}

export function signGrantOpen(
  genesisDigest: Uint8Array,
  terms: GrantTerms,
  keyPair: KeyPair,
): Uint8Array {
  return sign(keyPair, openBytes(genesisDigest, terms))
}

export function isGrantOpenSigned(
  genesisDigest: Uint8Array,
  { publicKey, signature, ...terms }: GrantTerms & { publicKey: Uint8Array; signature: Uint8Array },
): boolean {
  return verify(publicKey, openBytes(genesisDigest, terms), signature)
}

export function signGrantRevoke(genesisDigest: Uint8Array, keyPair: KeyPair): Uint8Array {
  return sign(keyPair, revokeBytes(genesisDigest, keyPair.publicKey))
}

export function isGrantRevokeSigned(
  genesisDigest: Uint8Array,
  { publicKey, signature }: { publicKey: Uint8Array; signature: Uint8Array },
): boolean {
  return verify(publicKey, revokeBytes(genesisDigest, publicKey), signature)
}

function openBytes(genesisDigest: Uint8Array, { expiresAt, kind }: GrantTerms): Uint8Array {
  const terms = encode(termsSchema, { expiresAt, kind })
  return concatBytes(domainBytes('grant-open'), genesisDigest, terms)
}

function revokeBytes(genesisDigest: Uint8Array, publicKey: Uint8Array): Uint8Array {
  return concatBytes(domainBytes('grant-revoke'), genesisDigest, handleOfKey(publicKey))
}
