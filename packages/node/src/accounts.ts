// The patients a custodian has records of, each with the keys it hosts for them.
//
// An account is found by the reference that the hospital's own system uses, or by its pairwise key,
// which is the only name that other members ever see. What belongs to no patient (an organisation, a
// practitioner) is in the institution's own account, whose reference is the empty text.

import type { SealKeyPair, SignedGrant } from '@mooring/records'

/** Seals the manifests of one class of records of one patient, until the epoch ends. */
export interface ClassKey {
  readonly class: string
  readonly epoch: number
  readonly key: Uint8Array
}

export interface Account {
  readonly reference: string
  /** Ed25519, of this patient at this custodian alone. */
  readonly patientKey: Uint8Array
  /** X25519: what only the patient shall read is sealed to it. */
  readonly logKey: Uint8Array
}

export interface GrantRequest {
  readonly reference: string
  /** The organisation that may read. */
  readonly recipient: string
  readonly classes: readonly string[]
  readonly purposes: readonly string[]
  readonly notBefore: number
  readonly expiresAt: number
}

export interface Accounts {
  find(reference: string): Account | undefined
  findByKey(patientKey: Uint8Array): Account | undefined
  /** Both halves of the log key: opens what was sealed to this patient. */
  logKeyPair(patientKey: Uint8Array): SealKeyPair | undefined
  /** All that exist, newest first. */
  classKeys(patientKey: Uint8Array): readonly ClassKey[]
  /**
   * Signs the grant, and hands the class keys that it covers, sealed to the recipient, to holders.
   * @throws Refusal unknown_patient, unknown_recipient
   */
  createGrant(request: GrantRequest): Promise<SignedGrant>
  /** Encoded key deposits of this patient in which one is for the recipient of a live grant. */
  wrapsFor(patientKey: Uint8Array, recipient: string): readonly Uint8Array[]
}
