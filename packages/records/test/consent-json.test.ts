import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { test } from 'uvu'
import { CONSENT_BYTES_MAX, formatConsent, parseConsent } from '../src/consent-json.ts'
import { RecordsError } from '../src/errors.ts'
import { consentOf } from '../src/grant.ts'
import { DAY_MS, deny, RECORD, specialist, START, termsOf } from './consent-world.ts'

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

const CONSENT = consentOf(
  termsOf({
    practitioner: specialist.publicKey,
    purposes: ['TREAT', 'BTG'],
    content: {
      classes: ['general'],
      types: ['AllergyIntolerance'],
      fields: ['/code'],
      records: [RECORD],
      encounters: ['Encounter/1'],
      authors: ['Practitioner/1'],
      firstDay: '2026-01-01',
      lastDay: '2026-12-31',
      confidentialities: ['N'],
      sensitivities: ['PSY'],
    },
    provisions: [deny({ types: ['Claim'], start: START, end: START + DAY_MS })],
  }),
)
const TEXT = new TextDecoder().decode(formatConsent(CONSENT))

function problemOf(read: () => unknown): string {
  try {
    read()
  } catch (error) {
    assert.ok(error instanceof RecordsError, String(error))
    return `${error.code} ${error.path}`
  }
  return 'read'
}

/** The document with this member set, or removed for undefined. */
function changed(path: string, value: Json | undefined): string {
  const root: Json = JSON.parse(TEXT)
  const keys = path.split('.')
  const last = keys.pop() ?? ''
  let at: Json | undefined = root
  for (const key of keys) at = memberOf(at, key)
  assert.ok(typeof at === 'object' && at !== null)
  if (Array.isArray(at)) at[Number(last)] = value ?? null
  else if (value === undefined) delete at[last]
  else at[last] = value
  return JSON.stringify(root)
}

function memberOf(node: Json | undefined, key: string): Json | undefined {
  if (Array.isArray(node)) return node[Number(key)]
  return typeof node === 'object' && node !== null ? node[key] : undefined
}

const parse = (text: string) => parseConsent(new TextEncoder().encode(text))

test('a consent is FHIR R4 that others read', () => {
  const resource = JSON.parse(TEXT)
  assert.equal(resource.resourceType, 'Consent')
  assert.equal(resource.provision.period.end, '2026-12-20T08:59:59.999Z')
  assert.deepEqual(resource.scope.coding[0].code, 'patient-privacy')
  assert.match(resource.patient.identifier.value, /^did:key:z6Mk/)
  assert.equal(resource.organization[0].identifier.value, 'did:mooring:org:st-agnes')
  assert.match(resource.policy[0].uri, /consentAdvanced$/)
  assert.deepEqual(parse(TEXT), CONSENT)
})

test('what PCF forbids, and what nobody here understands, is refused with its path', () => {
  const coding = { system: 'http://terminology.hl7.org/CodeSystem/consentaction', code: 'access' }
  const nested: Json = { type: 'permit' }
  const cases: [path: string, value: Json | undefined, problem: string][] = [
    ['policyRule', { coding: [coding] }, 'unknown_member policyRule'],
    ['verification', [], 'unknown_member verification'],
    ['provision.action', [{ coding: [coding] }], 'unknown_member provision.action'],
    ['provision.class', [coding], 'unknown_member provision.class'],
    ['provision.code', [{ coding: [coding] }], 'unknown_member provision.code'],
    ['provision.provision.0.action', [], 'unknown_member provision.provision[0].action'],
    [
      'provision.provision.0.provision',
      [nested],
      'unknown_member provision.provision[0].provision',
    ],
    ['meta', {}, 'unknown_member meta'],
    ['text', {}, 'unknown_member text'],
    ['extension', [], 'unknown_member extension'],
    ['contained', [], 'unknown_member contained'],
    ['implicitRules', 'urn:x', 'unknown_member implicitRules'],
    ['provision.modifierExtension', [], 'unknown_member provision.modifierExtension'],
  ]
  for (const [path, value, problem] of cases) {
    assert.equal(
      problemOf(() => parse(changed(path, value))),
      problem,
    )
  }
})

test('what is wrong with a consent has a code and a place', () => {
  const extension = 'provision.extension.0.extension'
  const cases: [path: string, value: Json | undefined, problem: string][] = [
    ['resourceType', 'Contract', 'out_of_range resourceType'],
    ['status', 'inactive', 'out_of_range status'],
    ['status', undefined, 'missing_member status'],
    ['scope.coding.0.code', 'research', 'out_of_range scope.coding[0].code'],
    ['category', [], 'missing_member category'],
    ['identifier', [], 'missing_member identifier[0]'],
    ['identifier.0.system', 'urn:mooring:handle', 'out_of_range identifier[0].system'],
    ['identifier.1.value', '00', 'wrong_length identifier[1].value'],
    ['identifier.2.value', 'Z', 'bad_encoding identifier[2].value'],
    ['patient.identifier.value', 'did:web:x', 'bad_encoding patient.identifier.value'],
    ['patient.reference', 'Patient/1', 'unknown_member patient.reference'],
    ['dateTime', '2026-11-20', 'bad_encoding dateTime'],
    ['performer', [], 'missing_member performer'],
    ['organization.0.identifier.value', 'x', 'bad_encoding organization[0].identifier.value'],
    ['policy.0.uri', 'urn:mine', 'out_of_range policy[0].uri'],
    ['provision.type', 'allow', 'out_of_range provision.type'],
    ['provision.type', undefined, 'missing_member provision.type'],
    ['provision.period', {}, 'missing_member provision.period'],
    ['provision.period.end', '2026-11-20T08:00:00.000Z', 'out_of_range provision.period'],
    ['provision.actor', [], 'missing_member provision.actor'],
    [
      'provision.actor.0.role.coding.0.code',
      'PRCP',
      'out_of_range provision.actor[0].role.coding[0].code',
    ],
    ['provision.purpose', [], 'missing_member provision.purpose'],
    ['provision.purpose.0.code', 'TREATS', 'out_of_range provision.purpose[0].code'],
    ['provision.purpose.0.display', 'x', 'unknown_member provision.purpose[0].display'],
    ['provision.securityLabel.0.code', 'X', 'out_of_range provision.securityLabel[0].code'],
    ['provision.securityLabel.1.code', 'TBOO', 'out_of_range provision.securityLabel[1].code'],
    ['provision.dataPeriod.start', '2026-02-30', 'bad_encoding provision.dataPeriod.start'],
    ['provision.dataPeriod.end', '2025-01-01', 'out_of_range provision.dataPeriod'],
    ['provision.data.0.meaning', 'dependents', 'out_of_range provision.data[0].meaning'],
    [
      'provision.data.0.reference.reference',
      'Observation/1',
      'bad_encoding provision.data[0].reference',
    ],
    [
      'provision.data.1.reference.reference',
      'x y',
      'wrong_type provision.data[1].reference.reference',
    ],
    ['provision.extension.0.url', 'urn:x', 'out_of_range provision.extension[0].url'],
    [
      `${extension}.0.valueCode`,
      'secret',
      'out_of_range provision.extension[0].extension[0].valueCode',
    ],
    [
      `${extension}.1.valueCode`,
      'allergy',
      'out_of_range provision.extension[0].extension[1].valueCode',
    ],
    [
      `${extension}.2.valueString`,
      'code',
      'bad_encoding provision.extension[0].extension[2].valueString',
    ],
    [`${extension}.2.url`, 'class', 'out_of_range provision.extension[0].extension[2].url'],
    [
      'provision.provision',
      Array.from({ length: 17 }, () => ({ type: 'deny' })),
      'too_large provision.provision',
    ],
  ]
  for (const [path, value, problem] of cases) {
    assert.equal(
      problemOf(() => parse(changed(path, value))),
      problem,
    )
  }
  const field = {
    url: 'urn:mooring:consent-scope',
    extension: [{ url: 'field', valueString: '/a' }],
  }
  const denied = changed('provision.provision.0.extension', [field])
  assert.equal(
    problemOf(() => parse(denied)),
    'out_of_range provision.provision[0].extension',
  )
})

test('a level below what the consent uses is refused', () => {
  const uri = 'https://profiles.ihe.net/ITI/PCF/StructureDefinition/IHE.PCF.consentIntermediate'
  assert.equal(
    problemOf(() => parse(changed('policy.0.uri', uri))),
    'out_of_range policy[0].uri',
  )
})

test('two readers could not read it differently', () => {
  const twice = TEXT.replace('"status":"active"', '"status":"active","status":"active"')
  assert.equal(
    problemOf(() => parse(twice)),
    'not_json ',
  )
  assert.equal(
    problemOf(() => parse(`${TEXT}{}`)),
    'not_json ',
  )
  assert.equal(
    problemOf(() => parse(TEXT + ' '.repeat(CONSENT_BYTES_MAX))),
    'too_large ',
  )
  assert.equal(
    problemOf(() => parse('['.repeat(40))),
    'not_json ',
  )
})

test('no bytes make the reader fail in another way, and what it reads is what it writes', () => {
  const original = new TextEncoder().encode(TEXT)
  const edits = fc.array(fc.tuple(fc.nat(original.length - 1), fc.nat(255)), {
    minLength: 1,
    maxLength: 4,
  })
  const cut = fc.tuple(fc.nat(original.length), fc.nat(60))
  fc.assert(
    fc.property(edits, fc.option(cut), (changes, removed) => {
      let bytes = original.slice()
      for (const [index, byte] of changes) bytes[index] = byte
      if (removed !== null) {
        const [start, length] = removed
        bytes = Uint8Array.from([...bytes.slice(0, start), ...bytes.slice(start + length)])
      }
      if (problemOf(() => parseConsent(bytes)) !== 'read') return
      const read = parseConsent(bytes)
      assert.deepEqual(parseConsent(formatConsent(read)), read)
    }),
    { numRuns: 3_000 },
  )
})

test.run()
