// What an ambulance needs to know, as a FHIR document in the shape of an International Patient Summary.
//
// Out of all records it takes what is in force: allergies, medication, problems, implants, blood group, advance
// directives, contacts. Resources go in as the bytes that they came in, so a hospital can check them against
// its records. Of what is sensitive nothing is taken unless the patient wishes it. A section that has
// nothing says so: "none known here" is not "none".

import { type JsonNode, memberOf, parseJson, textMemberOf, toHex } from '@mooring/codec'
import { sha256 } from '@mooring/crypto'
import { organisationDid } from './patient-keys.ts'

export interface SummarySource {
  /** JSON, as it came. */
  readonly raw: Uint8Array
  readonly fullUrl: string | null
  /** Of the record. */
  readonly class: string
}

export interface SummaryOptions {
  readonly time: number
  /** The hospital, or the hospitals, whose records these are. */
  readonly organisations: readonly string[]
  /** Classes beside `sensitive:…`, which are only in by the patient's choice. */
  readonly withSensitive: boolean
}

interface SummaryLine {
  readonly section: string
  readonly lines: readonly string[]
}

const ITEMS_MAX = 64
const LOINC = 'http://loinc.org'
const IPS = 'http://hl7.org/fhir/uv/ips/StructureDefinition/Bundle-uv-ips'
const EMPTY_REASON = 'http://terminology.hl7.org/CodeSystem/list-empty-reason'
const BLOOD_GROUP = new Set(['882-1', '883-9', '10331-7', '34530-6'])
const DIRECTIVE = '42348-3'
const utf8 = new TextEncoder()
const text = new TextDecoder()

interface Section {
  readonly title: string
  readonly code: string
  /** Said even where there is nothing. */
  readonly isRequired: boolean
  readonly takes: (node: JsonNode, type: string) => boolean
}

const SECTIONS: readonly Section[] = [
  {
    title: 'Allergies',
    code: '48765-2',
    isRequired: true,
    takes: (node, type) => type === 'AllergyIntolerance' && isInForce(node),
  },
  {
    title: 'Medication',
    code: '10160-0',
    isRequired: true,
    takes: (node, type) =>
      (type === 'MedicationRequest' || type === 'MedicationStatement') &&
      ['active', 'intended'].includes(textMemberOf(node, 'status') ?? ''),
  },
  {
    title: 'Problems',
    code: '11450-4',
    isRequired: true,
    takes: (node, type) => type === 'Condition' && isInForce(node),
  },
  {
    title: 'Devices and implants',
    code: '46264-8',
    isRequired: false,
    takes: (node, type) =>
      (type === 'Device' || type === 'DeviceUseStatement') &&
      (textMemberOf(node, 'status') ?? 'active') === 'active',
  },
  {
    title: 'Blood group',
    code: '30954-2',
    isRequired: false,
    takes: (node, type) =>
      type === 'Observation' && codesOf(node, 'code').some((code) => BLOOD_GROUP.has(code)),
  },
  {
    title: 'Advance directives',
    code: DIRECTIVE,
    isRequired: false,
    takes: (node, type) =>
      type === 'Consent' &&
      textMemberOf(node, 'status') === 'active' &&
      codesOf(node, 'category').includes(DIRECTIVE),
  },
  {
    title: 'Contacts',
    code: '56864-2',
    isRequired: false,
    takes: (_node, type) => type === 'RelatedPerson',
  },
]

interface Item {
  readonly raw: string
  readonly node: JsonNode
  readonly type: string
  readonly url: string
  readonly isSensitive: boolean
}

/** A Bundle of type document, as JSON. @throws JsonError for a source that is no JSON */
export function emergencySummary(
  sources: readonly SummarySource[],
  { time, organisations, withSensitive }: SummaryOptions,
): Uint8Array {
  const items = sources.map(itemOf).filter(({ isSensitive }) => withSensitive || !isSensitive)
  const sections = SECTIONS.map((section) => ({
    section,
    found: items.filter(({ node, type }) => section.takes(node, type)).slice(0, ITEMS_MAX),
  }))
  const patient = items.find(({ type }) => type === 'Patient')
  const composition = compositionOf(sections, { time, organisations, patient })
  const included = [
    ...(patient === undefined ? [] : [patient]),
    ...sections.flatMap(({ found }) => found),
  ]
  const entries = [
    `{"fullUrl":"urn:uuid:${uuidOf(utf8.encode(composition))}","resource":${composition}}`,
    ...included.map(({ url, raw }) => `{"fullUrl":${JSON.stringify(url)},"resource":${raw}}`),
  ]
  const head = JSON.stringify({
    resourceType: 'Bundle',
    meta: { profile: [IPS] },
    type: 'document',
    timestamp: new Date(time).toISOString(),
  })
  return utf8.encode(`${head.slice(0, -1)},"entry":[\n${entries.join(',\n')}\n]}\n`)
}

function itemOf({ raw, fullUrl, class: recordClass }: SummarySource): Item {
  const node = parseJson(raw)
  return {
    raw: text.decode(raw).trim(),
    node,
    type: textMemberOf(node, 'resourceType') ?? '',
    url: fullUrl ?? `urn:uuid:${uuidOf(raw)}`,
    isSensitive: recordClass.startsWith('sensitive:'),
  }
}

function compositionOf(
  sections: readonly { section: Section; found: readonly Item[] }[],
  {
    time,
    organisations,
    patient,
  }: { time: number; organisations: readonly string[]; patient: Item | undefined },
): string {
  return JSON.stringify({
    resourceType: 'Composition',
    status: 'final',
    type: { coding: [{ system: LOINC, code: '60591-5', display: 'Patient summary Document' }] },
    ...(patient === undefined ? {} : { subject: { reference: patient.url } }),
    date: new Date(time).toISOString(),
    author: organisations.map((id) => ({
      identifier: { system: 'urn:ietf:rfc:3986', value: organisationDid(id) },
      display: id,
    })),
    title: 'Emergency set',
    section: sections.flatMap(({ section, found }) =>
      found.length > 0 || section.isRequired ? [sectionOf(section, found)] : [],
    ),
  })
}

function sectionOf({ title, code }: Section, found: readonly Item[]): object {
  const head = { title, code: { coding: [{ system: LOINC, code }] } }
  if (found.length > 0) return { ...head, entry: found.map(({ url }) => ({ reference: url })) }
  return { ...head, emptyReason: { coding: [{ system: EMPTY_REASON, code: 'unavailable' }] } }
}

/** What a person reads of a summary, section by section. @throws JsonError */
export function readSummary(bundle: Uint8Array): SummaryLine[] {
  const root = parseJson(bundle)
  const resources = new Map<string, JsonNode>()
  for (const entry of itemsOf(memberOf(root, 'entry'))) {
    const resource = memberOf(entry, 'resource')
    const url = textMemberOf(entry, 'fullUrl')
    if (resource !== undefined && url !== undefined) resources.set(url, resource)
  }
  const all = [...resources.values()]
  const composition = all.find((node) => textMemberOf(node, 'resourceType') === 'Composition')
  const patient = all.find((node) => textMemberOf(node, 'resourceType') === 'Patient')
  const sections = composition === undefined ? [] : itemsOf(memberOf(composition, 'section'))
  return [
    ...(patient === undefined ? [] : [{ section: 'Patient', lines: patientLines(patient) }]),
    ...sections.map((section) => ({
      section: textMemberOf(section, 'title') ?? '',
      lines: itemsOf(memberOf(section, 'entry')).flatMap((entry) => {
        const resource = resources.get(textMemberOf(entry, 'reference') ?? '')
        return resource === undefined ? [] : [lineOf(resource)]
      }),
    })),
  ]
}

function patientLines(node: JsonNode): string[] {
  const name = itemsOf(memberOf(node, 'name'))[0]
  const given = itemsOf(name && memberOf(name, 'given')).map(stringOf)
  const family = name === undefined ? undefined : textMemberOf(name, 'family')
  const born = textMemberOf(node, 'birthDate')
  const contacts = itemsOf(memberOf(node, 'contact')).map(
    (contact) => `contact ${telecomOf(contact)}`,
  )
  const who = [...given, ...(family === undefined ? [] : [family])].join(' ')
  return [`${who}${born === undefined ? '' : `, born ${born}`}`, ...contacts]
}

function telecomOf(node: JsonNode): string {
  const values = itemsOf(memberOf(node, 'telecom')).map((each) => textMemberOf(each, 'value'))
  return values.filter((value) => value !== undefined).join(', ')
}

function lineOf(node: JsonNode): string {
  const named =
    ['code', 'medicationCodeableConcept', 'type'].flatMap((element) => {
      const concept = memberOf(node, element)
      const words = concept === undefined ? undefined : conceptText(concept)
      return words === undefined ? [] : [words]
    })[0] ?? textMemberOf(node, 'resourceType')
  const value = memberOf(node, 'valueCodeableConcept')
  const result = value === undefined ? undefined : conceptText(value)
  const severity = textMemberOf(node, 'criticality')
  const dosage = itemsOf(memberOf(node, 'dosageInstruction'))[0]
  const dose = dosage === undefined ? undefined : textMemberOf(dosage, 'text')
  const since = textMemberOf(node, 'onsetDateTime')?.slice(0, 10)
  const notes = [
    result,
    severity === undefined ? undefined : `criticality ${severity}`,
    dose,
    since === undefined ? undefined : `since ${since}`,
  ].filter((note) => note !== undefined)
  return notes.length === 0 ? `${named}` : `${named} (${notes.join(', ')})`
}

function conceptText(concept: JsonNode): string | undefined {
  const coding = itemsOf(memberOf(concept, 'coding'))[0]
  const display = coding === undefined ? undefined : textMemberOf(coding, 'display')
  return textMemberOf(concept, 'text') ?? display ?? codesIn(concept)[0]
}

/** Not resolved, not inactive, not a mistake. */
function isInForce(node: JsonNode): boolean {
  const clinical = codesOf(node, 'clinicalStatus')
  const verified = codesOf(node, 'verificationStatus')
  const isActive =
    clinical.length === 0 ||
    clinical.some((code) => ['active', 'recurrence', 'relapse'].includes(code))
  return isActive && !verified.some((code) => ['entered-in-error', 'refuted'].includes(code))
}

function codesOf(node: JsonNode, element: string): string[] {
  const concept = memberOf(node, element)
  if (concept === undefined) return []
  return concept.kind === 'array' ? concept.items.flatMap(codesIn) : codesIn(concept)
}

function codesIn(concept: JsonNode): string[] {
  return itemsOf(memberOf(concept, 'coding')).flatMap((coding) => {
    const code = textMemberOf(coding, 'code')
    return code === undefined ? [] : [code]
  })
}

function itemsOf(node: JsonNode | undefined): readonly JsonNode[] {
  return node?.kind === 'array' ? node.items : []
}

function stringOf(node: JsonNode): string {
  return node.kind === 'string' ? node.value : ''
}

/** Of the bytes, so that the same record has the same name in every summary. */
function uuidOf(bytes: Uint8Array): string {
  const hex = toHex(sha256(bytes))
  const parts = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `a${hex.slice(17, 20)}`,
  ]
  return [...parts, hex.slice(20, 32)].join('-')
}

/** What a summary was made of: for one over several hospitals. @throws JsonError */
export function summarySources(bundle: Uint8Array): SummarySource[] {
  return itemsOf(memberOf(parseJson(bundle), 'entry')).flatMap((entry) => {
    const resource = memberOf(entry, 'resource')
    if (resource === undefined || textMemberOf(resource, 'resourceType') === 'Composition')
      return []
    const raw = bundle.slice(resource.start, resource.end)
    // What is sensitive was chosen, or left out, where the summary was made.
    return [{ raw, fullUrl: textMemberOf(entry, 'fullUrl') ?? null, class: 'general' }]
  })
}
