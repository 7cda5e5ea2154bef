// A holder's word that the entry of a request is durable in its access log: made before anything of
// the record leaves anybody. Whoever shows enough of them, of different owners, is served.

import { bytes, concatBytes, type Infer, struct, text } from '@mooring/codec'
import { domainBytes, type KeyPair, sign, verify } from '@mooring/crypto'

export const accessWitnessSchema = struct({
  /** Organisation. */
  holder: text(64),
  signature: bytes(64),
})

export type AccessWitness = Infer<typeof accessWitnessSchema>

/** With the holder's anchor key; `requestDigest` is that of `accessRequestDigest`. */
export function signWitness(
  anchorKey: KeyPair,
  holder: string,
  requestDigest: Uint8Array,
): AccessWitness {
  return { holder, signature: sign(anchorKey, messageOf(requestDigest)) }
}

export function verifyWitness(
  { signature }: AccessWitness,
  anchorKey: Uint8Array,
  requestDigest: Uint8Array,
): boolean {
  return verify(anchorKey, messageOf(requestDigest), signature)
}

function messageOf(requestDigest: Uint8Array): Uint8Array {
  return concatBytes(domainBytes('access-witness'), requestDigest)
}
