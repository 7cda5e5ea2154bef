// An act of administration: who did what to a node, as the node says it. It stands in a batch of the access
// log beside the entries, so that who runs a node cannot take it back later.
//
// The parameters are there as a digest with the nonce: they may name a person, and who knows them can make
// the digest again.

import { bytes, encode, type Infer, struct, text, uint, versioned } from '@mooring/codec'
import { domainHash } from '@mooring/crypto'

const NONCE_BYTES = 16

export const adminActSchema = versioned(1, {
  /** Hides what the act says from who sees its commitment. */
  nonce: bytes(NONCE_BYTES),
  time: uint(),
  /** Whose node. */
  organisation: text(64),
  /** The socket, this computer, or the name of a token or a certificate. */
  caller: text(320),
  /** The operation of the HTTP contract. */
  act: text(64),
  parameters: bytes(32),
  /** HTTP status of the answer. */
  status: uint(),
})

export type AdminAct = Infer<typeof adminActSchema>

const parametersSchema = struct({ nonce: bytes(NONCE_BYTES), parameters: text(32 * 1024 * 1024) })

export function adminActCommit(act: AdminAct): Uint8Array {
  return domainHash('admin-act', encode(adminActSchema, act))
}

export function adminParametersDigest(nonce: Uint8Array, parameters: string): Uint8Array {
  return domainHash('admin-parameters', encode(parametersSchema, { nonce, parameters }))
}
