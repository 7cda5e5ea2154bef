// Does this consent permit this reading of this record?
//
// Of the provisions below the root that match, one is more specific than another when it limits all that
// the other limits, and something more. A permit counts when it is more specific than every deny that
// matches; so deny wins between equals, and between two of which neither is more specific. Where
// permits match and none counts, or only denies match, the answer is no. Where nothing below matches,
// the root decides; where that does not match either, nothing is permitted: whoever holds no consent
// has none.
//
// A facet that the consent limits has to be shown, or the answer is no: what is hidden could be denied.
// For the same reason a practitioner has to say who it is where the consent denies one of its house.
// A record without a day falls under a deny of days, and under no permit of them. A sensitive class
// opens only to a permit that names it, by class, by label, or by the record.

import { equalBytes } from '@mooring/codec'
import { CLOCK_SKEW_MS } from './clock.ts'
import { type Consent, hasContent, hasDays, hasLabels, type Provision } from './consent.ts'
import { FACET_NAMES, type FacetName, type ShownFacts } from './facts.ts'
import { closesLabels, opensLabels } from './labels.ts'
import { coversPurpose } from './purpose.ts'

export interface ConsentQuestion {
  readonly time: number
  /** Who reads. */
  readonly organisation: string
  /** Key of the practitioner who proved to be the one; null for none. */
  readonly practitioner: Uint8Array | null
  readonly purpose: string
  readonly facts: ShownFacts
}

type ConsentDecision =
  | {
      readonly permit: true
      readonly provision: Provision
      /** JSON pointers of what may be read; empty for the whole record. */
      readonly fields: readonly string[]
    }
  | { readonly permit: false; readonly code: ConsentRefusal }

/** In the order in which a permit is checked: of several that fail, the one that got furthest counts. */
const CONSENT_REFUSALS = [
  'facts_missing',
  'denied',
  'grant_not_valid_yet',
  'grant_expired',
  'not_the_recipient',
  'practitioner_missing',
  'purpose_not_covered',
  'class_not_covered',
  'type_not_covered',
  'record_not_covered',
  'encounter_not_covered',
  'author_not_covered',
  'date_not_covered',
  'label_not_covered',
] as const

export type ConsentRefusal = (typeof CONSENT_REFUSALS)[number]

export function decideConsent(consent: Consent, question: ConsentQuestion): ConsentDecision {
  const { root } = consent
  const early = checkPeriod(root, question.time) ?? checkShown(consent, question)
  if (early !== undefined) return refuse(early)
  const denies: number[] = []
  for (const provision of consent.provisions) {
    if (provision.type === 'deny' && isDenied(provision, question)) {
      denies.push(specificityOf(provision))
    }
  }
  return decidePermits(consent, question, denies)
}

function decidePermits(
  { root, provisions }: Consent,
  question: ConsentQuestion,
  denies: readonly number[],
): ConsentDecision {
  let permit: ConsentDecision | undefined
  let code: ConsentRefusal = 'denied'
  for (const provision of provisions) {
    if (provision.type === 'deny') continue
    const failed = checkPermit(provision, root, question)
    if (failed !== undefined) {
      code = later(code, failed)
    } else if (denies.every((deny) => isMoreSpecific(specificityOf(provision), deny))) {
      permit = widerOf(permit, provision, root)
    }
  }
  if (permit?.permit === true && permit.fields.length === 0) return permit
  if (denies.length === 0 && root.type === 'permit') {
    const failed = checkPermit(root, root, question)
    if (failed === undefined) return widerOf(permit, root, root)
    code = later(code, failed)
  }
  if (permit !== undefined) return permit
  return refuse(denies.length > 0 ? 'denied' : code)
}

/** The facets that have to be shown for a decision, in no order that means anything. */
export function factsNeeded({ root, provisions }: Consent): FacetName[] {
  const all = [root, ...provisions]
  return FACET_NAMES.filter((facet) => all.some((each) => limits(each, facet)))
}

function limits(provision: Provision, facet: FacetName): boolean {
  if (facet === 'type') return provision.types.length > 0
  if (facet === 'record') return provision.records.length > 0
  if (facet === 'date') return hasDays(provision)
  if (facet === 'author') return provision.authors.length > 0
  if (facet === 'encounter') return provision.encounters.length > 0
  return hasLabels(provision)
}

function refuse(code: ConsentRefusal): ConsentDecision {
  return { permit: false, code }
}

function later(one: ConsentRefusal, other: ConsentRefusal): ConsentRefusal {
  return CONSENT_REFUSALS.indexOf(one) >= CONSENT_REFUSALS.indexOf(other) ? one : other
}

/** Two permits for fields open the fields of both; one without opens the record. */
function widerOf(
  permit: ConsentDecision | undefined,
  provision: Provision,
  root: Provision,
): ConsentDecision {
  const { fields } = contentOf(provision, root)
  if (permit?.permit !== true || fields.length === 0) return { permit: true, provision, fields }
  if (permit.fields.length === 0) return permit
  return { ...permit, fields: [...new Set([...permit.fields, ...fields])] }
}

/** The provision that says which records a permit opens, and which fields of them. */
function contentOf(permit: Provision, root: Provision): Provision {
  return hasContent(permit) ? permit : root
}

function checkPeriod({ start, end }: Provision, time: number): ConsentRefusal | undefined {
  if (start !== null && start > time + CLOCK_SKEW_MS) return 'grant_not_valid_yet'
  return end !== null && end <= time ? 'grant_expired' : undefined
}

function checkShown(consent: Consent, question: ConsentQuestion): ConsentRefusal | undefined {
  const { facts, organisation, practitioner } = question
  const hidden = FACET_NAMES.filter((facet) => facts[facet] === undefined)
  if (hidden.length > 0 && factsNeeded(consent).some((facet) => hidden.includes(facet))) {
    return 'facts_missing'
  }
  const couldBeDenied = consent.provisions.some(
    ({ type, actors }) =>
      type === 'deny' &&
      actors.some((actor) => actor.practitioner !== null && actor.organisation === organisation),
  )
  return couldBeDenied && practitioner === null ? 'practitioner_missing' : undefined
}

function checkPermit(
  provision: Provision,
  root: Provision,
  question: ConsentQuestion,
): ConsentRefusal | undefined {
  const who = provision.actors.length > 0 ? provision : root
  const why = provision.purposes.length > 0 ? provision : root
  const what = contentOf(provision, root)
  return (
    checkPeriod(provision, question.time) ??
    checkActors(who, question) ??
    checkPurposes(why, question) ??
    checkContent(what, question.facts)
  )
}

function checkActors(
  { actors }: Provision,
  { organisation, practitioner }: ConsentQuestion,
): ConsentRefusal | undefined {
  if (actors.length === 0) return undefined
  const there = actors.filter((actor) => actor.organisation === organisation)
  if (there.length === 0) return 'not_the_recipient'
  const isOne = there.some((actor) => isPractitioner(actor.practitioner, practitioner))
  return isOne ? undefined : 'practitioner_missing'
}

/** Null in a provision stands for everybody. */
function isPractitioner(named: Uint8Array | null, asking: Uint8Array | null): boolean {
  if (named === null) return true
  return asking !== null && equalBytes(named, asking)
}

function checkPurposes({ purposes }: Provision, { purpose }: ConsentQuestion) {
  if (purposes.length === 0 || coversPurpose(purposes, purpose)) return undefined
  return 'purpose_not_covered'
}

function checkContent(provision: Provision, facts: ShownFacts): ConsentRefusal | undefined {
  const { classes, types, records, encounters, authors } = provision
  if (!opensClass(provision, facts.class)) return 'class_not_covered'
  if (!isEmptyOrHas(classes, facts.class)) return 'class_not_covered'
  if (!isEmptyOrHas(types, facts.type)) return 'type_not_covered'
  if (records.length > 0 && !hasRecord(records, facts.record)) return 'record_not_covered'
  if (!isEmptyOrHas(encounters, facts.encounter)) return 'encounter_not_covered'
  if (!isEmptyOrHas(authors, facts.author)) return 'author_not_covered'
  if (hasDays(provision) && !isWithin(provision, facts.date)) return 'date_not_covered'
  if (hasLabels(provision) && !opensLabels(provision, facts.labels ?? [])) {
    return 'label_not_covered'
  }
  return undefined
}

function opensClass(provision: Provision, recordClass: string): boolean {
  if (!recordClass.startsWith('sensitive:')) return true
  const { classes, records } = provision
  return classes.includes(recordClass) || records.length > 0 || hasLabels(provision)
}

function isEmptyOrHas(named: readonly string[], value: string | undefined): boolean {
  return named.length === 0 || (value !== undefined && named.includes(value))
}

function hasRecord(records: readonly Uint8Array[], record: Uint8Array | undefined): boolean {
  return record !== undefined && records.some((named) => equalBytes(named, record))
}

function isWithin({ firstDay, lastDay }: Provision, day: string | undefined): boolean {
  if (day === undefined || day === '') return false
  return (firstDay ?? day) <= day && day <= (lastDay ?? day)
}

function isDenied(deny: Provision, { time, facts, ...question }: ConsentQuestion): boolean {
  const { actors, purposes, classes, types, records, encounters, authors } = deny
  const isReader =
    actors.length === 0 ||
    actors.some(
      ({ organisation, practitioner }) =>
        organisation === question.organisation &&
        isPractitioner(practitioner, question.practitioner),
    )
  return (
    isReader &&
    checkPeriod(deny, time) === undefined &&
    (purposes.length === 0 || coversPurpose(purposes, question.purpose)) &&
    isEmptyOrHas(classes, facts.class) &&
    isEmptyOrHas(types, facts.type) &&
    (records.length === 0 || hasRecord(records, facts.record)) &&
    isEmptyOrHas(encounters, facts.encounter) &&
    isEmptyOrHas(authors, facts.author) &&
    (!hasDays(deny) || facts.date === '' || isWithin(deny, facts.date)) &&
    (!hasLabels(deny) || closesLabels(deny, facts.labels ?? []))
  )
}

/**
 * What a provision limits, as a set of bits. One that names records has said all that is true of them;
 * one that names practitioners has named their organisations.
 */
export function specificityOf(provision: Provision): number {
  const { actors, purposes, classes, types, records, encounters, authors, fields } = provision
  const isOfRecords = records.length > 0
  return (
    bitIf(actors.length > 0, 1) |
    bitIf(actors.length > 0 && actors.every(({ practitioner }) => practitioner !== null), 2) |
    bitIf(purposes.length > 0, 4) |
    bitIf(isOfRecords || classes.length > 0, 8) |
    bitIf(isOfRecords || types.length > 0, 16) |
    bitIf(isOfRecords || encounters.length > 0, 32) |
    bitIf(isOfRecords || authors.length > 0, 64) |
    bitIf(isOfRecords || hasDays(provision), 128) |
    bitIf(isOfRecords || hasLabels(provision), 256) |
    bitIf(isOfRecords, 512) |
    bitIf(fields.length > 0, 1024)
  )
}

function bitIf(condition: boolean, bit: number): number {
  return condition ? bit : 0
}

function isMoreSpecific(one: number, other: number): boolean {
  return one !== other && (one & other) === other
}
