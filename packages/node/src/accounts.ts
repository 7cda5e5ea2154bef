// The patients a custodian has records of, each with the keys that govern them.
//
// An account is found by the reference that the hospital's own system uses, or by one of its pairwise
// keys, which are the only names that other members ever see. What belongs to no patient (an
// organisation, a practitioner) is in the institution's own account, whose reference is the empty text.

import { Refusal } from '@mooring/api'
import type { KeyPair } from '@mooring/crypto'
import type { SealKeyPair } from '@mooring/records'

/** Seals the manifests of one class of records of one patient, until the epoch ends. */
export interface ClassKey {
  readonly class: string
  readonly epoch: number
  readonly key: Uint8Array
  /** The patient's key under which its records stand. */
  readonly patientKey: Uint8Array
}

export interface Account {
  readonly reference: string
  /** Ed25519, of this patient at this custodian alone; the one in force. */
  readonly patientKey: Uint8Array
  /** X25519: what only the patient shall read is sealed to it. */
  readonly logKey: Uint8Array
  /** Whether the secret halves are here, or in a wallet of the patient's own. */
  readonly custody: 'hosted' | 'own'
  /** Keys that were retired, oldest first; records under them stay where they are. */
  readonly former: readonly Uint8Array[]
  /** That a recovered identity opens to come back; null for none. */
  readonly recoveryCommit: Uint8Array | null
}

/** What a wallet of the patient's own brings. */
export interface WalletKeys {
  readonly patientKey: Uint8Array
  readonly logKey: Uint8Array
  /** What a later recovery shows the opening of; null for none. */
  readonly recoveryCommit: Uint8Array | null
}

/** A grant of whole classes that is in force on the chain. */
export interface WideGrant {
  /** Its own, and those of the delegations that it rests on. */
  readonly handles: readonly Uint8Array[]
  /** The organisation that may read. */
  readonly recipient: string
  readonly classes: readonly string[]
  readonly expiresAt: number
}

export interface Accounts {
  find(reference: string): Account | undefined
  /** By the key in force or a former one. */
  findByKey(patientKey: Uint8Array): Account | undefined
  /** What signs for a patient without a wallet; undefined for others and for a key that was retired. */
  signKeyPair(patientKey: Uint8Array): KeyPair | undefined
  /** Of a grant that was made here, by the number that it was made with. */
  handleKeyPair(patientKey: Uint8Array, number: number): KeyPair | undefined
  /** Both halves of the log key, where they are hosted: opens what was sealed to this patient. */
  logKeyPair(patientKey: Uint8Array): SealKeyPair | undefined
  /** All that exist, newest first. */
  classKeys(patientKey: Uint8Array): readonly ClassKey[]
  /** Encoded key deposits of this patient in which one is for the recipient of a live grant. */
  wrapsFor(patientKey: Uint8Array, recipient: string): readonly Uint8Array[]
  /** Of a patient of whom no record has come in; the one that is there, if there is one. Durable. */
  create(reference: string): Promise<Account>
  /**
   * Hands the class keys that the grant covers, sealed to its recipient, to holders. Durable when it
   * resolves; doing it again does no harm.
   * @throws Refusal unknown_patient, unknown_recipient
   */
  open(patientKey: Uint8Array, granted: WideGrant): Promise<void>
  /** The next record of this class is sealed with another key. */
  rotate(patientKey: Uint8Array, recordClass: string): Promise<void>
  /**
   * From now on these keys govern the account; those before them are retired, and whatever they signed is
   * over. Durable when it resolves. @throws Refusal unknown_patient, patient_key_taken
   */
  adopt(reference: string, keys: WalletKeys): Promise<Account>
}

export function unknownPatient(): Refusal {
  return new Refusal('unknown_patient', 'No record of this patient has come in.')
}

export function unknownRecipient(name: string): Refusal {
  return new Refusal('unknown_recipient', `${name} is no member of the network.`)
}
