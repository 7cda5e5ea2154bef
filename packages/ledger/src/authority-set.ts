// The authorities in force, in the order in which they lead and in which certificates count them.

import { bytes, decode, encode, type Infer, list, refine, versioned } from '@mooring/codec'
import { domainHash } from '@mooring/crypto'
import { identifierSchema, type Organisation } from './organisation.ts'

/** As many as the bitmap of a certificate may have bits. */
export const AUTHORITIES_MAX = 256

export const authoritySetSchema = refine(
  versioned(1, {
    organisations: list(identifierSchema, AUTHORITIES_MAX),
    keys: list(bytes(32), AUTHORITIES_MAX),
  }),
  ({ organisations, keys }) => organisations.length === keys.length && keys.length > 0,
  'one consensus key per organisation, at least one',
)

/** Organisation ids and their consensus keys, in one order. */
export type AuthoritySet = Infer<typeof authoritySetSchema>

export function authoritySetOf(organisations: Organisation[]): AuthoritySet {
  const authorities = organisations.filter(({ roles }) => roles.includes('authority'))
  return {
    organisations: authorities.map(({ id }) => id),
    keys: authorities.map(({ keys }) => keys.consensus),
  }
}

export function encodeAuthoritySet(set: AuthoritySet): Uint8Array {
  return encode(authoritySetSchema, set)
}

/** @throws CodecError */
export function decodeAuthoritySet(encoded: Uint8Array): AuthoritySet {
  return decode(authoritySetSchema, encoded)
}

export function authoritySetDigest(set: AuthoritySet): Uint8Array {
  return domainHash('authority-set', encode(authoritySetSchema, set))
}
