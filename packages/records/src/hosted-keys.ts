// The keys of a patient at one hospital, derived from one seed (health.md, key hierarchy).
//
// Pairwise: two hospitals hold different keys of the same person and cannot link them. The labels are
// fixed by vectors that others reproduce, hence without the domain prefix of the ledger's formats.

import { hkdfSha256, type KeyPair, keyPairFromSeed, x25519PublicKey } from '@mooring/crypto'

export interface SealKeyPair {
  readonly secretKey: Uint8Array
  readonly publicKey: Uint8Array
}

const utf8 = new TextEncoder()
const NO_SALT = new Uint8Array(0)

/** The name of a member organisation in a derivation; any string derives keys. */
export function organisationDid(organisation: string): string {
  return `did:mooring:org:${organisation}`
}

/** Signs what the patient permits at this hospital. */
export function pairwiseSignKey(seed: Uint8Array, hospitalDid: string): KeyPair {
  return keyPairFromSeed(derive(seed, `pairwise-sign/v1|${hospitalDid}`))
}

/** Opens what is sealed to the patient at this hospital: class keys and access entries. */
export function pairwiseSealKey(seed: Uint8Array, hospitalDid: string, epoch: number): SealKeyPair {
  const secretKey = derive(seed, `pairwise-kem/v1|${hospitalDid}|${epoch}`)
  return { secretKey, publicKey: x25519PublicKey(secretKey) }
}

function derive(seed: Uint8Array, info: string): Uint8Array {
  return hkdfSha256(seed, NO_SALT, utf8.encode(info), 32)
}
