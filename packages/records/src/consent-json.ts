// A consent as FHIR R4 JSON, in the subset of IHE PCF (Privacy Consent on FHIR).
//
// What PCF forbids or leaves unused is no member here, so it is refused with its path; so is all that
// this project has no meaning for, since a limit that is not understood is a limit that is not kept.
// FHIR's period ends with its last millisecond; the model's end is the first one after it.

import { canonicalJson, JsonError, type JsonNode, memberOf, parseJson, toHex } from '@mooring/codec'
import { formatDidKey } from '@mooring/crypto'
import { type Consent, levelOf, PROVISIONS_MAX } from './consent.ts'
import { readCode, readCodeable, readDid, readOrganisation } from './consent-members.ts'
import { formatProvision, parseProvision } from './consent-provision-json.ts'
import { RecordsError } from './errors.ts'
import { organisationDid } from './patient-keys.ts'
import { members, readHex, readList, readText, readTime } from './json-members.ts'

export const CONSENT_BYTES_MAX = 12 * 1024

const SCOPE = 'http://terminology.hl7.org/CodeSystem/consentscope'
const LOINC = 'http://loinc.org'
const ACT_CODE = 'http://terminology.hl7.org/CodeSystem/v3-ActCode'
const POLICY = 'https://profiles.ihe.net/ITI/PCF/StructureDefinition/IHE.PCF.consent'
const POLICIES = { basic: 'Basic', intermediate: 'Intermediate', advanced: 'Advanced' }
const LEVELS = Object.values(POLICIES)
const URI = 'urn:ietf:rfc:3986'
const GRANT_SYSTEM = 'urn:mooring:grant'
const HANDLE_SYSTEM = 'urn:mooring:handle'
const LOG_KEY_SYSTEM = 'urn:mooring:log-key'

const MEMBERS = [
  ...([
    'resourceType',
    'identifier',
    'status',
    'scope',
    'category',
    'patient',
    'dateTime',
  ] as const),
  ...(['performer', 'organization', 'policy', 'provision'] as const),
]

const utf8 = new TextEncoder()

const reference = (value: string) => ({ identifier: { system: URI, value } })

/** The bytes that are signed: RFC 8785, so that the same consent has the same text everywhere. */
export function formatConsent(consent: Consent): Uint8Array {
  const { id, handle, logKey, patientKey, signerKey, custodian, signedAt } = consent
  const resource = {
    resourceType: 'Consent',
    identifier: [
      { system: GRANT_SYSTEM, value: toHex(id) },
      { system: HANDLE_SYSTEM, value: toHex(handle) },
      { system: LOG_KEY_SYSTEM, value: toHex(logKey) },
    ],
    status: 'active',
    scope: { coding: [{ system: SCOPE, code: 'patient-privacy' }] },
    category: [
      { coding: [{ system: LOINC, code: '59284-0' }] },
      { coding: [{ system: ACT_CODE, code: 'IDSCL' }] },
    ],
    patient: reference(formatDidKey(patientKey)),
    dateTime: new Date(signedAt).toISOString(),
    performer: [reference(formatDidKey(signerKey))],
    organization: [reference(organisationDid(custodian))],
    policy: [{ uri: POLICY + POLICIES[levelOf(consent)] }],
    provision: {
      ...formatProvision(consent.root),
      ...(consent.provisions.length > 0 && { provision: consent.provisions.map(formatProvision) }),
    },
  }
  return utf8.encode(canonicalJson(resource))
}

/** Reads and does not judge. @throws RecordsError with the path of the member that is wrong. */
export function parseConsent(document: Uint8Array): Consent {
  const root = parseDocument(document)
  const member = members(root, '', MEMBERS)
  checkFixed(member)
  const [id, handle, logKey] = readIdentifiers(member('identifier'))
  const provision = member('provision')
  const consent: Consent = {
    id,
    handle,
    logKey,
    patientKey: readReferencedKey(member('patient'), 'patient'),
    signedAt: readTime(member('dateTime'), 'dateTime'),
    signerKey: only(readList(member('performer'), 'performer', 1, readReferencedKey), 'performer'),
    custodian: only(
      readList(member('organization'), 'organization', 1, readReferencedOrganisation),
      'organization',
    ),
    root: parseProvision(provision, 'provision', true),
    provisions: parseNested(provision),
  }
  checkLevel(consent, member('policy'))
  return consent
}

function parseDocument(document: Uint8Array): JsonNode {
  try {
    return parseJson(document, { bytesMax: CONSENT_BYTES_MAX, depthMax: 16, itemsMax: 2_000 })
  } catch (cause) {
    if (!(cause instanceof JsonError)) throw cause
    const code = cause.code === 'too_large' ? 'too_large' : 'not_json'
    throw new RecordsError(code, '', cause.message, { cause })
  }
}

type Member = (name: (typeof MEMBERS)[number]) => JsonNode

/** What is the same in every consent. */
function checkFixed(member: Member): void {
  checkText(member('resourceType'), 'resourceType', 'Consent')
  checkText(member('status'), 'status', 'active')
  readCodeable(member('scope'), 'scope', SCOPE, ['patient-privacy'])
  const categories = readList(member('category'), 'category', 2, (node) => node)
  const [first, second] = categories
  if (first === undefined || second === undefined) {
    throw new RecordsError('missing_member', 'category', 'not LOINC 59284-0 and ActCode IDSCL')
  }
  readCodeable(first, 'category[0]', LOINC, ['59284-0'])
  readCodeable(second, 'category[1]', ACT_CODE, ['IDSCL'])
}

function checkText(node: JsonNode, path: string, expected: string): void {
  readCode(node, path, (code) => code === expected, expected)
}

function readIdentifiers(node: JsonNode): [Uint8Array, Uint8Array, Uint8Array] {
  const items = readList(node, 'identifier', 3, (item, path) => ({ item, path }))
  const read = (index: number, system: string, bytes: number): Uint8Array => {
    const found = items[index]
    if (found === undefined) {
      throw new RecordsError('missing_member', `identifier[${index}]`, `not that of ${system}`)
    }
    const member = members(found.item, found.path, ['system', 'value'])
    checkText(member('system'), `${found.path}.system`, system)
    return readHex(member('value'), `${found.path}.value`, bytes)
  }
  return [read(0, GRANT_SYSTEM, 16), read(1, HANDLE_SYSTEM, 32), read(2, LOG_KEY_SYSTEM, 32)]
}

function readReferencedKey(node: JsonNode, path: string): Uint8Array {
  return readDid(...identifierValue(node, path))
}

function readReferencedOrganisation(node: JsonNode, path: string): string {
  return readOrganisation(...identifierValue(node, path))
}

function identifierValue(node: JsonNode, path: string): [JsonNode, string] {
  const identifier = members(node, path, ['identifier'])('identifier')
  const member = members(identifier, `${path}.identifier`, ['system', 'value'])
  checkText(member('system'), `${path}.identifier.system`, URI)
  return [member('value'), `${path}.identifier.value`]
}

function only<T>(items: readonly T[], path: string): T {
  const [first] = items
  if (first === undefined) throw new RecordsError('missing_member', path, 'not one')
  return first
}

function parseNested(root: JsonNode): Consent['provisions'] {
  const nested = memberOf(root, 'provision')
  if (nested === undefined) return []
  return readList(nested, 'provision.provision', PROVISIONS_MAX, (node, path) =>
    parseProvision(node, path, false),
  )
}

/** Nobody who reads the level may be surprised by what stands below it. */
function checkLevel(consent: Consent, node: JsonNode): void {
  const uri = only(
    readList(node, 'policy', 1, (item, path) =>
      readText(members(item, path, ['uri'])('uri'), `${path}.uri`),
    ),
    'policy',
  )
  const stated = LEVELS.findIndex((level) => uri === POLICY + level)
  const used = LEVELS.indexOf(POLICIES[levelOf(consent)])
  if (stated < 0) throw new RecordsError('out_of_range', 'policy[0].uri', 'no level of IHE PCF')
  if (stated < used) {
    throw new RecordsError('out_of_range', 'policy[0].uri', `the consent is ${LEVELS[used]}`)
  }
}
