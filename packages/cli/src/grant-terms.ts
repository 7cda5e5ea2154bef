// What a patient says on the command line of a grant, as the terms of a consent.
//
// Everything beside time, reader and purpose narrows: of several kinds all must hold, of several values of
// one kind any. A deny has its own kinds of limits, and is an exception to the rest.

import { fromHex } from '@mooring/codec'
import { CryptoError, parseDidKey } from '@mooring/crypto'
import type { GrantKind } from '@mooring/ledger'
import { NodeError } from '@mooring/node/node-error'
import {
  GRANT_LIFETIME_MS_MAX,
  isConfidentiality,
  isPurpose,
  isRecordClass,
  isSensitivity,
  type Provision,
  provisionOf,
} from '@mooring/records'
import { type Command, Option } from 'commander'
import { countArgument } from './command-help.ts'

export type TermOptions = {
  to: string
  class?: string[]
  type?: string[]
  record?: string[]
  field?: string[]
  label?: string[]
  author?: string[]
  encounter?: string[]
  eventsFrom?: string
  eventsTo?: string
  purpose?: string[]
  practitioner?: string
  deny?: string[]
  days?: number
  until?: string
  appointment?: boolean
  standing?: boolean
  research?: boolean
}

export type Terms = {
  kind: GrantKind
  recipient: string
  practitioner: Uint8Array | null
  purposes: string[]
  expiresAt: number
  content: Limits
  provisions: Provision[]
}

type Limits = Partial<Omit<Provision, 'type'>>

const DAY_MS = 86_400_000
const DAYS = 30
const DAY = /^\d{4}-\d{2}-\d{2}$/
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2})$/

export function withTerms(command: Command): Command {
  return command
    .requiredOption('--to <organisation>', 'who may read')
    .option('--type <types...>', 'only resources of these types: AllergyIntolerance')
    .option('--class <classes...>', 'whole classes of records (general, when nothing else is said)')
    .option('--record <ids...>', 'only these records, by the commitment that names them')
    .option('--field <pointers...>', 'only these fields: /code')
    .option('--label <codes...>', 'only with these labels: N, R, PSY, HIV, …')
    .option('--author <references...>', 'only what they wrote: Practitioner/7')
    .option('--encounter <references...>', 'only of these encounters: Encounter/9')
    .option('--events-from <day>', 'only what happened on that day or later')
    .option('--events-to <day>', 'only what happened up to that day')
    .option('--purpose <codes...>', 'what for, as codes of v3-ActReason (TREAT)')
    .option('--practitioner <did>', 'only this person there, by did:key')
    .option('--deny <limits...>', 'except what matches: type:Claim or type:Observation,label:PSY')
    .addOption(new Option('--days <count>', 'for how long (30)').argParser(countArgument))
    .option('--until <time>', 'the last day, or the moment at which it ends')
    .option('--appointment', 'for 24 hours')
    .option('--standing', 'for a year: the care team')
    .option('--research', 'for research: purpose HRESCH')
}

export function termsOf(options: TermOptions, now: number): Terms {
  const { standing, research } = options
  if (standing === true && research === true) throw wrong('A grant is standing or for research.')
  const purposes = options.purpose ?? [research === true ? 'HRESCH' : 'TREAT']
  checkEach(purposes, isPurpose, 'purpose of v3-ActReason, like TREAT, HPAYMT or HRESCH')
  const content = contentOf(options)
  return {
    kind: standing === true ? 'standing' : research === true ? 'research' : 'share',
    recipient: options.to,
    practitioner: options.practitioner === undefined ? null : practitionerOf(options.practitioner),
    purposes,
    expiresAt: endOf(options, now),
    content: Object.keys(content).length === 0 ? { classes: ['general'] } : content,
    provisions: (options.deny ?? []).map((text) => denyOf(text, options.to)),
  }
}

function wrong(detail: string): NodeError {
  return new NodeError('grant_terms_wrong', { detail })
}

function checkEach(words: readonly string[], isKnown: (word: string) => boolean, what: string) {
  const unknown = words.find((word) => !isKnown(word))
  if (unknown !== undefined) throw wrong(`"${unknown}" is no ${what}.`)
}

function endOf({ days, until, appointment, standing }: TermOptions, now: number): number {
  const said = [days !== undefined, until !== undefined, appointment === true, standing === true]
  if (said.filter(Boolean).length > 1) {
    throw wrong('Say once how long it holds: --days, --until, --appointment or --standing.')
  }
  const last = now + GRANT_LIFETIME_MS_MAX
  if (until !== undefined) {
    const end = readEnd(until)
    if (end <= now) throw wrong(`${until} is over already.`)
    if (end > last) throw wrong('A grant holds for a year at most.')
    return end
  }
  if (appointment === true) return now + DAY_MS
  if (standing === true) return now + 365 * DAY_MS
  const count = days ?? DAYS
  if (count < 1 || count > 365) throw wrong('A grant holds for 1 to 365 days.')
  return now + count * DAY_MS
}

// A day is meant to its end, in UTC.
function readEnd(text: string): number {
  if (DAY.test(text)) return Date.parse(readDay(text)) + DAY_MS
  const time = INSTANT.test(text) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(time)) return time
  throw wrong(`"${text}" is no day like 2026-11-27, and no time like 2026-11-27T16:00:00Z.`)
}

function readDay(text: string): string {
  const time = DAY.test(text) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(time) && new Date(time).toISOString().startsWith(text)) return text
  throw wrong(`"${text}" is no day like 2026-11-27.`)
}

function practitionerOf(did: string): Uint8Array {
  try {
    return parseDidKey(did)
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error
    throw wrong(`"${did}" is no did:key of a practitioner.`)
  }
}

// What was said of each kind of limit.
type Said = Partial<Record<(typeof KINDS)[number], readonly string[]>>

const KINDS = [
  ...(['class', 'type', 'record', 'field', 'label', 'author', 'encounter'] as const),
  ...(['from', 'to', 'purpose', 'practitioner'] as const),
]

function contentOf(options: TermOptions): Limits {
  const { class: classes, type, record, field, label, author, encounter } = options
  const { eventsFrom, eventsTo } = options
  return limitsOf({
    ...(classes && { class: classes }),
    ...(type && { type }),
    ...(record && { record }),
    ...(field && { field }),
    ...(label && { label }),
    ...(author && { author }),
    ...(encounter && { encounter }),
    ...(eventsFrom !== undefined && { from: [eventsFrom] }),
    ...(eventsTo !== undefined && { to: [eventsTo] }),
  })
}

function limitsOf(said: Said): Limits {
  const { class: classes, type: types, label: labels, field: fields } = said
  const { author: authors, encounter: encounters } = said
  if (classes) checkEach(classes, isRecordClass, 'class of records, like general or sensitive:psy')
  if (types) checkEach(types, (type) => TYPE.test(type), 'type of resource, like Observation')
  if (fields) checkEach(fields, (field) => POINTER.test(field), 'JSON pointer, like /code')
  if (authors) checkEach(authors, isReference, 'reference, like Practitioner/7')
  if (encounters) checkEach(encounters, isReference, 'reference, like Encounter/9')
  if (labels) {
    checkEach(labels, isLabel, 'label of confidentiality or sensitivity, like R or PSY')
  }
  const [from, to] = [said.from?.at(-1), said.to?.at(-1)]
  if (from !== undefined && to !== undefined && from > to) throw wrong(`${to} is before ${from}.`)
  return {
    ...(classes && { classes }),
    ...(types && { types }),
    ...(said.record && { records: said.record.map(readRecord) }),
    ...(fields && { fields }),
    ...(labels && {
      confidentialities: labels.filter(isConfidentiality),
      sensitivities: labels.filter((code) => !isConfidentiality(code)),
    }),
    ...(authors && { authors }),
    ...(encounters && { encounters }),
    ...(from !== undefined && { firstDay: readDay(from) }),
    ...(to !== undefined && { lastDay: readDay(to) }),
  }
}

const TYPE = /^[A-Z][A-Za-z]{0,63}$/
const POINTER = /^\/[\x21-\x7e]{0,199}$/

const isLabel = (code: string) => isConfidentiality(code) || isSensitivity(code)

function isReference(text: string): boolean {
  return /^[\x21-\x7e]{1,256}$/.test(text)
}

function readRecord(id: string): Uint8Array {
  if (/^[0-9a-f]{64}$/.test(id)) return fromHex(id)
  throw wrong(`"${id}" does not name a record: 64 digits, as in the timeline.`)
}

// "type:Observation,label:PSY": a record that is both.
function denyOf(text: string, recipient: string): Provision {
  const said: Record<string, string[]> = {}
  for (const part of text.split(',')) {
    const [, kind = '', value = ''] = /^([a-z]+):(.+)$/.exec(part) ?? []
    if (!KINDS.some((known) => known === kind) || kind === 'field') {
      const kinds = KINDS.filter((known) => known !== 'field').join(', ')
      throw wrong(`"${part}" in --deny is no limit like type:Claim. Kinds: ${kinds}.`)
    }
    said[kind] = [...(said[kind] ?? []), value]
  }
  const { practitioner, purpose, ...content }: Said = said
  if (purpose) checkEach(purpose, isPurpose, 'purpose of v3-ActReason, like TREAT')
  return provisionOf('deny', {
    ...limitsOf(content),
    ...(purpose && { purposes: purpose }),
    ...(practitioner && {
      actors: practitioner.map((did) => ({
        organisation: recipient,
        practitioner: practitionerOf(did),
      })),
    }),
  })
}
