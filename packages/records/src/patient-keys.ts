// The keys of a patient, derived from one seed (health.md, key hierarchy).
//
// Pairwise: two hospitals hold different keys of the same person and cannot link them, and no key of
// a patient stands on the chain, but for those that are used once. The labels are fixed by vectors
// that others reproduce, hence without the domain prefix of the ledger's formats.
//
// A device has a secret of its own in place of the seed, and pairwise keys that follow from it; the
// key of the seed delegates to them, so that a stolen phone is revoked and the seed stays.

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
  return signKey(seed, `pairwise-sign/v1|${hospitalDid}`)
}

/** Opens what is sealed to the patient at this hospital: class keys and access entries. */
export function pairwiseSealKey(seed: Uint8Array, hospitalDid: string, epoch: number): SealKeyPair {
  return sealKey(seed, `pairwise-kem/v1|${hospitalDid}|${epoch}`)
}

/** Signs for the patient at this hospital, by delegation; from the secret of the device. */
export function deviceSignKey(deviceSecret: Uint8Array, hospitalDid: string): KeyPair {
  return signKey(deviceSecret, `device-sign/v1|${hospitalDid}`)
}

/** Controls the identity that exists for recovery; the next one is committed to beforehand. */
export function rootSignKey(seed: Uint8Array, index: number): KeyPair {
  return signKey(seed, `root/v1|${index}`)
}

/** Names one grant or delegation on the chain: opens and revokes it, and nothing else. */
export function handleKey(seed: Uint8Array, index: number): KeyPair {
  return signKey(seed, `grant/v1|${index}`)
}

/** Approves the recovery of somebody else; one index for each person, so that nobody links them. */
export function guardianSignKey(seed: Uint8Array, index: number): KeyPair {
  return signKey(seed, `guardian-sign/v1|${index}`)
}

/** Opens the share that a guardian keeps for somebody else. */
export function guardianSealKey(seed: Uint8Array, index: number): SealKeyPair {
  return sealKey(seed, `guardian-kem/v1|${index}`)
}

/**
 * Seals the backup of the wallet; what guardians have shares of. Each naming of guardians has another
 * key, so that those who were replaced do not open later backups.
 */
export function backupKey(seed: Uint8Array, generation: number): Uint8Array {
  return patientSecret(seed, `backup/v1|${generation}`)
}

/** With which a device may stop a recovery, once; from the secret of the device. */
export function deviceVetoKey(deviceSecret: Uint8Array): KeyPair {
  return signKey(deviceSecret, 'device-veto/v1|')
}

/** Opens what is handed to a device that acts for a patient; from the secret of the device. */
export function deviceSealKey(deviceSecret: Uint8Array): SealKeyPair {
  return sealKey(deviceSecret, 'device-kem/v1|')
}

/** 32 bytes that follow from the seed and a label, of the form `<what>/v1|<which>`. */
export function patientSecret(seed: Uint8Array, label: string): Uint8Array {
  return hkdfSha256(seed, NO_SALT, utf8.encode(label), 32)
}

function signKey(seed: Uint8Array, label: string): KeyPair {
  return keyPairFromSeed(patientSecret(seed, label))
}

function sealKey(seed: Uint8Array, label: string): SealKeyPair {
  const secretKey = patientSecret(seed, label)
  return { secretKey, publicKey: x25519PublicKey(secretKey) }
}
