// The facts of a record that its resource states: type, day, author, encounter, and labels.
//
// Elements differ by resource; the first of a list that is there counts, and the lists are in the order
// of what says most about the event itself. A day that is given no closer than to a month is none: who
// limits a grant to a period means days.

import { type JsonNode, memberOf, textMemberOf } from '@mooring/codec'
import { REFERENCE_BYTES_MAX, type RecordFacts } from './facts.ts'
import { isConfidentiality, isSensitivity } from './labels.ts'

export type ClinicalFacts = Omit<RecordFacts, 'patientKey' | 'class' | 'record'>

/** Of bytes that are no resource. */
export const NO_CLINICAL_FACTS: ClinicalFacts = {
  type: '',
  date: '',
  author: '',
  encounter: '',
  labels: [],
}

const DAY = /^\d{4}-\d{2}-\d{2}(?:T|$)/
const LABEL_SYSTEM = /(?:^|[/:])(?:v3-)?(?:ActCode|Confidentiality)$/

const DAYS =
  'effectiveDateTime effectiveInstant performedDateTime occurrenceDateTime onsetDateTime recordedDate ' +
  'authoredOn dateAsserted dateWritten date started issued created'
const PERIODS = 'effectivePeriod performedPeriod occurrencePeriod period onsetPeriod billablePeriod'
const AUTHORS = 'author recorder performer requester asserter informationSource provider'

/** `fullUrl` is the address of the resource in its bundle, by which others there refer to it. */
export function clinicalFactsOf(node: JsonNode, fullUrl: string | null): ClinicalFacts {
  const type = textMemberOf(node, 'resourceType') ?? ''
  return {
    type,
    date: dayOf(node),
    author: firstOf(AUTHORS.split(' '), (name) => referenceIn(memberOf(node, name))),
    encounter: type === 'Encounter' ? ownAddress(node, fullUrl) : encounterOf(node),
    labels: labelsOf(node),
  }
}

/**
 * Codes in `meta.security` that a consent may name. All of them together are fewer than a gate has room
 * for, so none is left out.
 */
function labelsOf(node: JsonNode): string[] {
  const meta = memberOf(node, 'meta')
  const security = meta === undefined ? undefined : memberOf(meta, 'security')
  if (security?.kind !== 'array') return []
  const codes = security.items.flatMap((label) => {
    const code = textMemberOf(label, 'code')
    const system = textMemberOf(label, 'system')
    const isLabel = system === undefined || LABEL_SYSTEM.test(system)
    return code !== undefined && isLabel && isNamed(code) ? [code] : []
  })
  return [...new Set(codes)].toSorted()
}

function isNamed(code: string): boolean {
  return isConfidentiality(code) || isSensitivity(code)
}

function dayOf(node: JsonNode): string {
  const day = firstOf(DAYS.split(' '), (name) => dayIn(textMemberOf(node, name)))
  if (day !== '') return day
  return firstOf(PERIODS.split(' '), (name) => {
    const period = memberOf(node, name)
    return period === undefined ? '' : dayIn(textMemberOf(period, 'start'))
  })
}

function dayIn(time: string | undefined): string {
  return time !== undefined && DAY.test(time) ? time.slice(0, 10) : ''
}

function encounterOf(node: JsonNode): string {
  const direct = referenceIn(memberOf(node, 'encounter'))
  if (direct !== '') return direct
  const context = memberOf(node, 'context')
  if (context === undefined) return ''
  const inside = referenceIn(memberOf(context, 'encounter'))
  const own = referenceIn(context)
  return inside !== '' ? inside : /(?:^|\/)Encounter\//.test(own) ? own : ''
}

function ownAddress(node: JsonNode, fullUrl: string | null): string {
  const id = textMemberOf(node, 'id')
  return bounded(fullUrl ?? (id === undefined ? '' : `Encounter/${id}`))
}

/** Of a Reference, of a list of them, or of what has one as its actor. */
function referenceIn(node: JsonNode | undefined): string {
  if (node === undefined) return ''
  if (node.kind === 'array') return firstOf(node.items, referenceIn)
  const reference = textMemberOf(node, 'reference')
  if (reference !== undefined) return bounded(reference)
  const actor = memberOf(node, 'actor')
  return actor === undefined ? '' : bounded(textMemberOf(actor, 'reference') ?? '')
}

/** A longer one is no reference that anybody would write into a grant. */
function bounded(reference: string): string {
  return new TextEncoder().encode(reference).length <= REFERENCE_BYTES_MAX ? reference : ''
}

function firstOf<T>(items: readonly T[], read: (item: T) => string): string {
  for (const item of items) {
    const found = read(item)
    if (found !== '') return found
  }
  return ''
}
