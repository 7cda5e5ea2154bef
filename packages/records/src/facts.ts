// What a holder may learn of a record, and only when somebody reads it: whose it is, and its class.
//
// The header of a shard set has a gate instead of these facts. Whoever opened the manifest knows the
// tag that opens the gate, and shows it with the facts: a holder hashes both and compares. So facts
// cannot be made up to fit a grant, and before a read nobody but the custodian knows them.

import { bytes, encode, type Infer, struct, text } from '@mooring/codec'
import { hkdfSha256, sha256 } from '@mooring/crypto'

export const factsSchema = struct({
  /** The patient's pairwise signing key at the custodian. */
  patientKey: bytes(32),
  class: text(64),
})

export type RecordFacts = Infer<typeof factsSchema>

const utf8 = new TextEncoder()
const GATE_INFO = utf8.encode('gate/v1')
const GATE_PREFIX = utf8.encode('gate/v1\0')
const NO_SALT = new Uint8Array(0)

export function gateTagOf(rec: Uint8Array): Uint8Array {
  return hkdfSha256(rec, NO_SALT, GATE_INFO, 32)
}

export function gateOf(gateTag: Uint8Array, facts: RecordFacts): Uint8Array {
  return sha256(GATE_PREFIX, gateTag, encode(factsSchema, facts))
}
