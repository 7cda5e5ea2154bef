// One provision of a consent in JSON: who, what for, when, and which records.
//
// A member that limits nothing is left out, and an empty list is refused: it would look like a limit.
// Practitioners are named by key, with the organisation that they act for as the assigner of it.

import { fromHex, type JsonNode, memberOf, toHex } from '@mooring/codec'
import { formatDidKey } from '@mooring/crypto'
import { isRecordClass } from './classes.ts'
import { type Actor, type Provision, provisionOf } from './consent.ts'
import {
  readCode,
  readCodeable,
  readCoding,
  readDid,
  readOrganisation,
  readVisible,
} from './consent-members.ts'
import { RecordsError } from './errors.ts'
import { organisationDid } from './patient-keys.ts'
import { members, readList, readText, readTime } from './json-members.ts'
import { isConfidentiality, isSensitivity } from './labels.ts'
import { isPurpose } from './purpose.ts'

const ACTORS_MAX = 8
const CODES_MAX = 32
const RECORDS_MAX = 64
const REFERENCE_MAX = 256
const POINTER_MAX = 200

const PARTICIPATION = 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType'
const ACT_REASON = 'http://terminology.hl7.org/CodeSystem/v3-ActReason'
const ACT_CODE = 'http://terminology.hl7.org/CodeSystem/v3-ActCode'
const CONFIDENTIALITY = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality'
const URI = 'urn:ietf:rfc:3986'
const SCOPE_EXTENSION = 'urn:mooring:consent-scope'
const RECORD_PREFIX = 'urn:mooring:record:'

const TYPE = /^[A-Z][A-Za-z]{0,63}$/
const DAY = /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/
const RECORD = /^urn:mooring:record:[0-9a-f]{64}$/

const NESTED_MEMBERS = [
  ...(['type', 'period', 'actor', 'purpose', 'securityLabel', 'dataPeriod', 'data'] as const),
  'extension',
]

const coding = (system: string) => (code: string) => ({ system, code })

export function formatProvision(provision: Provision): object {
  const { type, actors, purposes, confidentialities, sensitivities } = provision
  const labels = [
    ...confidentialities.map(coding(CONFIDENTIALITY)),
    ...sensitivities.map(coding(ACT_CODE)),
  ]
  return {
    type,
    ...stated('extension', formatScope(provision)),
    ...periodOf('period', formatTime(provision.start, 0), formatTime(provision.end, 1)),
    ...stated('actor', actors.map(formatActor)),
    ...stated('purpose', purposes.map(coding(ACT_REASON))),
    ...stated('securityLabel', labels),
    ...periodOf('dataPeriod', provision.firstDay, provision.lastDay),
    ...stated('data', formatReferences(provision)),
  }
}

function stated(name: string, items: readonly object[]): object {
  return items.length === 0 ? {} : { [name]: items }
}

function periodOf(name: string, start: string | null, end: string | null): object {
  if (start === null && end === null) return {}
  return { [name]: { ...(start !== null && { start }), ...(end !== null && { end }) } }
}

function formatTime(time: number | null, before: number): string | null {
  return time === null ? null : new Date(time - before).toISOString()
}

function formatActor({ organisation, practitioner }: Actor): object {
  const identifier = { system: URI, value: organisationDid(organisation) }
  const who =
    practitioner === null
      ? identifier
      : { system: URI, value: formatDidKey(practitioner), assigner: { identifier } }
  return {
    role: { coding: [{ system: PARTICIPATION, code: 'IRCP' }] },
    reference: { identifier: who },
  }
}

const referred = (meaning: string) => (reference: string) => ({ meaning, reference: { reference } })

function formatReferences({ records, encounters, authors }: Provision): object[] {
  return [
    ...records.map((record) => referred('instance')(RECORD_PREFIX + toHex(record))),
    ...encounters.map(referred('related')),
    ...authors.map(referred('authoredby')),
  ]
}

function formatScope({ classes, types, fields }: Provision): object[] {
  const parts = [
    ...classes.map((valueCode) => ({ url: 'class', valueCode })),
    ...types.map((valueCode) => ({ url: 'type', valueCode })),
    ...fields.map((valueString) => ({ url: 'field', valueString })),
  ]
  return parts.length === 0 ? [] : [{ url: SCOPE_EXTENSION, extension: parts }]
}

/** @throws RecordsError with the path of the member that is wrong. */
export function parseProvision(node: JsonNode, path: string, isRoot: boolean): Provision {
  const member = members(node, path, isRoot ? [...NESTED_MEMBERS, 'provision'] : NESTED_MEMBERS)
  const type = readText(member('type'), `${path}.type`)
  if (type !== 'permit' && type !== 'deny') {
    throw new RecordsError('out_of_range', `${path}.type`, 'expected permit or deny')
  }
  const at = <T, N>(
    name: string,
    read: (found: JsonNode, foundPath: string) => T,
    none: N,
  ): T | N => {
    const found = memberOf(node, name)
    return found === undefined ? none : read(found, `${path}.${name}`)
  }
  const scope = at('extension', parseScope, NO_SCOPE)
  if (type === 'deny' && scope.fields.length > 0) {
    throw new RecordsError('out_of_range', `${path}.extension`, 'a deny closes records, not fields')
  }
  return provisionOf(type, {
    ...at('period', parsePeriod, {}),
    ...at('dataPeriod', parseDays, {}),
    ...at('securityLabel', parseLabels, {}),
    ...at('data', parseReferences, {}),
    actors: at('actor', (found, actorsPath) => some(found, actorsPath, ACTORS_MAX, parseActor), []),
    purposes: at('purpose', parsePurposes, []),
    ...scope,
  })
}

function some<T>(
  node: JsonNode,
  path: string,
  max: number,
  read: (item: JsonNode, itemPath: string) => T,
): T[] {
  const items = readList(node, path, max, read)
  if (items.length === 0) throw new RecordsError('missing_member', path, 'an empty list')
  return items
}

function parsePeriod(node: JsonNode, path: string): Pick<Provision, 'start' | 'end'> {
  members(node, path, ['start', 'end'])
  const [from, until] = [memberOf(node, 'start'), memberOf(node, 'end')]
  const start = from === undefined ? null : readTime(from, `${path}.start`)
  const end = until === undefined ? null : readTime(until, `${path}.end`) + 1
  if (start === null && end === null) throw new RecordsError('missing_member', path, 'empty')
  if (start !== null && end !== null && end <= start) {
    throw new RecordsError('out_of_range', path, 'ends before it starts')
  }
  return { start, end }
}

function parseDays(node: JsonNode, path: string): Pick<Provision, 'firstDay' | 'lastDay'> {
  members(node, path, ['start', 'end'])
  const [from, until] = [memberOf(node, 'start'), memberOf(node, 'end')]
  const firstDay = from === undefined ? null : readDay(from, `${path}.start`)
  const lastDay = until === undefined ? null : readDay(until, `${path}.end`)
  if (firstDay === null && lastDay === null) throw new RecordsError('missing_member', path, 'empty')
  if (firstDay !== null && lastDay !== null && lastDay < firstDay) {
    throw new RecordsError('out_of_range', path, 'ends before it starts')
  }
  return { firstDay, lastDay }
}

function readDay(node: JsonNode, path: string): string {
  const day = readText(node, path)
  const time = DAY.test(day) ? Date.parse(day) : Number.NaN
  if (Number.isNaN(time) || new Date(time).toISOString().slice(0, 10) !== day) {
    throw new RecordsError('bad_encoding', path, 'not a day like 2026-11-20')
  }
  return day
}

function parseActor(node: JsonNode, path: string): Actor {
  const member = members(node, path, ['role', 'reference'])
  readCodeable(member('role'), `${path}.role`, PARTICIPATION, ['IRCP'])
  const who = `${path}.reference.identifier`
  const identifier = members(member('reference'), `${path}.reference`, ['identifier'])('identifier')
  const assigner = memberOf(identifier, 'assigner')
  if (assigner === undefined) {
    return { organisation: readNamed(identifier, who, readOrganisation), practitioner: null }
  }
  const house = members(assigner, `${who}.assigner`, ['identifier'])('identifier')
  return {
    organisation: readNamed(house, `${who}.assigner.identifier`, readOrganisation),
    practitioner: readNamed(identifier, who, readDid),
  }
}

function readNamed<T>(node: JsonNode, path: string, read: (value: JsonNode, at: string) => T): T {
  const member = members(node, path, ['system', 'value', 'assigner'])
  readCode(member('system'), `${path}.system`, (system) => system === URI, URI)
  return read(member('value'), `${path}.value`)
}

function parsePurposes(node: JsonNode, path: string): string[] {
  return some(node, path, CODES_MAX, (item, at) => readCoding(item, at, ACT_REASON, isPurpose))
}

function parseLabels(
  node: JsonNode,
  path: string,
): Pick<Provision, 'confidentialities' | 'sensitivities'> {
  const labels = some(node, path, CODES_MAX, (item, at) => {
    const systemNode = memberOf(item, 'system')
    const system = systemNode?.kind === 'string' ? systemNode.value : ''
    if (system === CONFIDENTIALITY) {
      return { system, code: readCoding(item, at, CONFIDENTIALITY, isConfidentiality) }
    }
    return { system: ACT_CODE, code: readCoding(item, at, ACT_CODE, isSensitivity) }
  })
  const codesOf = (system: string) =>
    labels.filter((label) => label.system === system).map(({ code }) => code)
  return { confidentialities: codesOf(CONFIDENTIALITY), sensitivities: codesOf(ACT_CODE) }
}

function parseReferences(
  node: JsonNode,
  path: string,
): Pick<Provision, 'records' | 'encounters' | 'authors'> {
  const items = some(node, path, RECORDS_MAX, (item, at) => {
    const member = members(item, at, ['meaning', 'reference'])
    const reference = members(member('reference'), `${at}.reference`, ['reference'])('reference')
    return {
      meaning: readMeaning(member('meaning'), `${at}.meaning`),
      value: readVisible(reference, `${at}.reference.reference`, REFERENCE_MAX),
      path: at,
    }
  })
  const of = (meaning: string) => items.filter((item) => item.meaning === meaning)
  return {
    records: of('instance').map(({ value, path: at }) => readRecord(value, `${at}.reference`)),
    encounters: of('related').map(({ value }) => value),
    authors: of('authoredby').map(({ value }) => value),
  }
}

function readMeaning(node: JsonNode, path: string): string {
  const known = ['instance', 'related', 'authoredby']
  return readCode(node, path, (code) => known.includes(code), known.join(', '))
}

function readRecord(reference: string, path: string): Uint8Array {
  if (!RECORD.test(reference)) {
    throw new RecordsError('bad_encoding', path, `not ${RECORD_PREFIX}<commitment of a record>`)
  }
  return fromHex(reference.slice(RECORD_PREFIX.length))
}

const NO_SCOPE: Pick<Provision, 'classes' | 'types' | 'fields'> = {
  classes: [],
  types: [],
  fields: [],
}

function parseScope(node: JsonNode, path: string): typeof NO_SCOPE {
  const [scope] = some(node, path, 1, (item, at) => {
    const member = members(item, at, ['url', 'extension'])
    readCode(member('url'), `${at}.url`, (url) => url === SCOPE_EXTENSION, SCOPE_EXTENSION)
    return some(member('extension'), `${at}.extension`, 3 * CODES_MAX, readScopePart)
  })
  const valuesOf = (name: string) => {
    const values = (scope ?? []).filter((part) => part.name === name).map(({ value }) => value)
    if (values.length <= CODES_MAX) return values
    throw new RecordsError('too_large', path, `more than ${CODES_MAX} of ${name}`)
  }
  return { classes: valuesOf('class'), types: valuesOf('type'), fields: valuesOf('field') }
}

function readScopePart(node: JsonNode, path: string): { name: string; value: string } {
  const isField = memberOf(node, 'valueString') !== undefined
  const valueName = isField ? 'valueString' : 'valueCode'
  const member = members(node, path, ['url', valueName])
  const at = `${path}.${valueName}`
  const names = isField ? ['field'] : ['class', 'type']
  const known = (code: string) => names.includes(code)
  const name = readCode(member('url'), `${path}.url`, known, names.join(' or '))
  if (isField) return { name, value: readPointer(member(valueName), at) }
  const isKnown = name === 'class' ? isRecordClass : (type: string) => TYPE.test(type)
  return { name, value: readCode(member(valueName), at, isKnown, `a ${name} of records`) }
}

function readPointer(node: JsonNode, path: string): string {
  const pointer = readVisible(node, path, POINTER_MAX)
  if (pointer.startsWith('/')) return pointer
  throw new RecordsError('bad_encoding', path, 'not a JSON pointer to a member')
}
