// What a patient permits and forbids, as a value: FHIR's Consent in the subset that IHE's Privacy
// Consent on FHIR (PCF) allows, with one extension for class, type and field.
//
// A consent has a root provision and at most one level of provisions in it. A list that is empty limits
// nothing. In what the root leaves open a permit below it follows the root: who may read, what for, and
// what. Where it says one of the three itself, that stands in the root's place, as in PCF's own
// examples, in which one practitioner gets what the root keeps from all. A deny follows nothing: what it
// does not limit it denies. No provision outlives the period of the root.

export interface Actor {
  readonly organisation: string
  /** Public key of one practitioner there; null for whoever the organisation sends. */
  readonly practitioner: Uint8Array | null
}

export interface Provision {
  readonly type: 'permit' | 'deny'
  /** In milliseconds; null for no limit. */
  readonly start: number | null
  /** Exclusive. */
  readonly end: number | null
  readonly actors: readonly Actor[]
  /** Codes of v3-ActReason. */
  readonly purposes: readonly string[]
  /** First and last day of the events, YYYY-MM-DD. */
  readonly firstDay: string | null
  readonly lastDay: string | null
  /** Record commitments. */
  readonly records: readonly Uint8Array[]
  /** References as the resources have them. */
  readonly encounters: readonly string[]
  readonly authors: readonly string[]
  /** Codes of v3-Confidentiality. */
  readonly confidentialities: readonly string[]
  /** Codes of v3-ActCode. */
  readonly sensitivities: readonly string[]
  readonly classes: readonly string[]
  /** Types of resources. */
  readonly types: readonly string[]
  /** JSON pointers; each means what stands there and below. */
  readonly fields: readonly string[]
}

export interface Consent {
  readonly id: Uint8Array
  /** Its one-time name on the chain, by which it can be revoked. */
  readonly handle: Uint8Array
  /** The patient's pairwise signing key at the custodian. */
  readonly patientKey: Uint8Array
  /** Who signs: the patient's key, or one that it delegated to. */
  readonly signerKey: Uint8Array
  /** The patient's pairwise sealing key: access entries are sealed to it. */
  readonly logKey: Uint8Array
  /** Organisation whose records these are. */
  readonly custodian: string
  readonly signedAt: number
  readonly root: Provision
  readonly provisions: readonly Provision[]
}

export type ConsentLevel = 'basic' | 'intermediate' | 'advanced'

export const PROVISIONS_MAX = 16

const NOTHING_LIMITED = {
  start: null,
  end: null,
  actors: [],
  purposes: [],
  firstDay: null,
  lastDay: null,
  records: [],
  encounters: [],
  authors: [],
  confidentialities: [],
  sensitivities: [],
  classes: [],
  types: [],
  fields: [],
}

/** A provision that limits only this. */
export function provisionOf(
  type: Provision['type'],
  limits: Partial<Omit<Provision, 'type'>> = {},
): Provision {
  return { ...NOTHING_LIMITED, ...limits, type }
}

/** The least of PCF's three levels that has all that the consent uses. */
export function levelOf({ root, provisions }: Consent): ConsentLevel {
  const all = [root, ...provisions]
  if (all.some(hasLabels)) return 'advanced'
  if (provisions.length > 0 || isBeyondBasic(root)) return 'intermediate'
  return 'basic'
}

function isBeyondBasic(root: Provision): boolean {
  return (
    hasDays(root) ||
    root.records.length + root.encounters.length + root.authors.length > 0 ||
    !root.purposes.every((purpose) => BASIC_PURPOSES.has(purpose))
  )
}

const BASIC_PURPOSES = new Set(['TREAT', 'HPAYMT', 'HOPERAT'])

export function hasLabels({ confidentialities, sensitivities }: Provision): boolean {
  return confidentialities.length + sensitivities.length > 0
}

export function hasDays({ firstDay, lastDay }: Provision): boolean {
  return firstDay !== null || lastDay !== null
}

/** True when it says which records, and not only who and what for. */
export function hasContent(provision: Provision): boolean {
  return provision.classes.length > 0 || isNarrow(provision)
}

/** True when it says more of the records than their class. */
export function isNarrow(provision: Provision): boolean {
  const { types, records, encounters, authors, fields } = provision
  const lists = [types, records, encounters, authors, fields]
  return hasLabels(provision) || hasDays(provision) || lists.some((items) => items.length > 0)
}
