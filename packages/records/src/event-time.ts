// When what a resource tells of happened, as the resource writes it: a FHIR date, dateTime or instant, of any
// precision. And whether it says of itself that it was entered in error.
//
// The element that counts is the first that is there, in the order of what says most about the event and
// least about the paper. A time is kept in its own words, since a year is not its first of January; where
// it must be compared, it stands for the moment at which it begins.

import { type JsonNode, memberOf, textMemberOf } from '@mooring/codec'

export const EVENT_TIME_BYTES_MAX = 40

const MOMENTS = [
  'effectiveDateTime',
  'effectiveInstant',
  'performedDateTime',
  'occurrenceDateTime',
  'onsetDateTime',
  'recordedDate',
  'authoredOn',
  'whenHandedOver',
  'dateAsserted',
  'dateWritten',
  'date',
  'started',
  'issued',
  'created',
  'recorded',
]
const PERIODS = [
  'effectivePeriod',
  'performedPeriod',
  'occurrencePeriod',
  'period',
  'onsetPeriod',
  'billablePeriod',
]
const TIME =
  /^(?<year>\d{4})(?:-(?<month>0[1-9]|1[0-2])(?:-(?<day>0[1-9]|[12]\d|3[01])(?<clock>T(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d|:60)?(?:\.\d{1,9})?(?:Z|[+-](?:0\d|1[0-4]):[0-5]\d)?)?)?)?$/
const MISTAKE = 'entered-in-error'

/** Empty where the resource does not say it, or says it in no form of FHIR. */
export function eventTimeOf(node: JsonNode): string {
  for (const name of MOMENTS) {
    const found = textMemberOf(node, name)
    if (found !== undefined && isEventTime(found)) return found
  }
  for (const name of PERIODS) {
    const period = memberOf(node, name)
    const start = period === undefined ? undefined : textMemberOf(period, 'start')
    if (start !== undefined && isEventTime(start)) return start
  }
  return ''
}

export function isEventTime(text: string): boolean {
  return eventStart(text) !== undefined
}

/** Unix milliseconds at which it begins; a time without a zone is one of UTC. Undefined when it is none. */
export function eventStart(text: string): number | undefined {
  const parts = text.length > EVENT_TIME_BYTES_MAX ? null : TIME.exec(text)
  if (parts === null) return undefined
  const { year = '', month = '01', day = '01', clock } = parts.groups ?? {}
  const midnight = Date.parse(`${year}-${month}-${day}T00:00:00Z`)
  // 31 February is rolled over by who parses dates, and is none.
  if (!Number.isFinite(midnight) || new Date(midnight).getUTCDate() !== Number(day))
    return undefined
  if (clock === undefined) return midnight
  const zone = /(?:Z|[+-]\d\d:\d\d)$/.test(clock) ? '' : 'Z'
  const ms = Date.parse(`${year}-${month}-${day}${clock.replace(':60', ':59')}${zone}`)
  return Number.isFinite(ms) ? ms : undefined
}

export function isEnteredInError(node: JsonNode): boolean {
  if (textMemberOf(node, 'status') === MISTAKE) return true
  const verification = memberOf(node, 'verificationStatus')
  const coding = verification === undefined ? undefined : memberOf(verification, 'coding')
  if (coding?.kind !== 'array') return false
  return coding.items.some((item) => textMemberOf(item, 'code') === MISTAKE)
}
