// An entry of the access log: an audit event that the patient alone can open, and its commitment.
//
// The reader makes it before it reads anything, and every holder that is to serve puts it in its own
// log. The commitment is a leaf of a batch of `access.log`; the text ends in spaces up to a whole KiB,
// so that the size does not say what was read.

import { bytes, bytesMax, encode, type Infer, struct, text, versioned } from '@mooring/codec'
import { domainHash, sha256 } from '@mooring/crypto'

export const ACCESS_ENTRY_BYTES_MAX = 96 * 1024

const NONCE_BYTES = 16

export const accessEntrySchema = versioned(1, {
  nonce: bytes(NONCE_BYTES),
  /** Organisation whose records are read: the patient knows by it which key opens this. */
  custodian: text(64),
  sealed: bytesMax(ACCESS_ENTRY_BYTES_MAX),
})

export type AccessEntry = Infer<typeof accessEntrySchema>

const contextSchema = struct({ nonce: bytes(NONCE_BYTES), custodian: text(64) })

/** What the request commits to, and what stands in the batch. */
export function accessEntryCommit({ nonce, custodian, sealed }: AccessEntry): Uint8Array {
  return domainHash('access-entry', encode(contextSchema, { nonce, custodian }), sha256(sealed))
}
