// How a wallet comes back to a hospital without its desk: the identity that guardians recovered vouches for
// the new key.
//
// When a wallet enrols it leaves a commitment to its identity, salted for this hospital alone; nobody learns
// anything by it. After a recovery it opens the commitment, once, and the key that is in control on the chain
// signs the new pairwise key. The hospital then knows which identity that was, and no other hospital does.

import { bytes, concatBytes, encode, type Infer, struct } from '@mooring/codec'
import { domainBytes, domainHash, type KeyPair, sign, verify } from '@mooring/crypto'
import { organisationDid, patientSecret } from './patient-keys.ts'
import { organisationIdSchema } from './placement.ts'

const rebindingSchema = struct({
  organisation: organisationIdSchema,
  identity: bytes(32),
  /** By which the hospital knows the patient so far. */
  former: bytes(32),
  /** That shall take its place, and what is sealed to it. */
  patientKey: bytes(32),
  sealKey: bytes(32),
})

type Rebinding = Infer<typeof rebindingSchema>

/** Of one wallet at one hospital; follows from the seed. */
export function recoverySalt(seed: Uint8Array, organisation: string): Uint8Array {
  return patientSecret(seed, `recovery-salt/v1|${organisationDid(organisation)}`)
}

export function recoveryCommit(salt: Uint8Array, identity: Uint8Array): Uint8Array {
  return domainHash('recovery-commit', salt, identity)
}

export function signRebinding(
  genesisDigest: Uint8Array,
  rebinding: Rebinding,
  controlKey: KeyPair,
): Uint8Array {
  return sign(controlKey, messageOf(genesisDigest, rebinding))
}

export function verifyRebinding(
  genesisDigest: Uint8Array,
  rebinding: Rebinding,
  { controlKey, signature }: { controlKey: Uint8Array; signature: Uint8Array },
): boolean {
  return verify(controlKey, messageOf(genesisDigest, rebinding), signature)
}

function messageOf(genesisDigest: Uint8Array, rebinding: Rebinding): Uint8Array {
  return concatBytes(domainBytes('rebinding'), genesisDigest, encode(rebindingSchema, rebinding))
}
