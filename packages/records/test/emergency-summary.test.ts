import assert from 'node:assert/strict'
import { parseJson } from '@mooring/codec'
import { test } from 'uvu'
import { emergencySummary, readSummary, type SummarySource } from '../src/index.ts'

const utf8 = new TextEncoder()
const options = { time: 1_795_082_400_000, organisations: ['fir'], withSensitive: false }

function source(resource: object | string, recordClass = 'general'): SummarySource {
  const raw = typeof resource === 'string' ? resource : JSON.stringify(resource)
  return { raw: utf8.encode(raw), fullUrl: null, class: recordClass }
}

function coded(system: string, code: string, display: string): object {
  return { coding: [{ system, code, display }] }
}

const patient = {
  resourceType: 'Patient',
  name: [{ family: 'Quinn', given: ['Nora'] }],
  birthDate: '1951-03-04',
  contact: [{ telecom: [{ value: '+49 30 1234' }] }],
}
const status = (code: string) => ({ coding: [{ code }] })
const allergy = {
  resourceType: 'AllergyIntolerance',
  clinicalStatus: status('active'),
  code: coded('http://snomed.info/sct', '91936005', 'Penicillin allergy'),
  criticality: 'high',
}
const problem = (display: string, clinical: string) => ({
  resourceType: 'Condition',
  clinicalStatus: status(clinical),
  code: { text: display },
  onsetDateTime: '2019-05-01T10:00:00Z',
})

function linesOf(
  sources: SummarySource[],
  changes: object = {},
): Record<string, readonly string[]> {
  const summary = readSummary(emergencySummary(sources, { ...options, ...changes }))
  return Object.fromEntries(summary.map(({ section, lines }) => [section, lines]))
}

test('what is in force is in, what is over or a mistake is not', () => {
  const refuted = { ...allergy, verificationStatus: status('refuted'), code: { text: 'Latex' } }
  const lines = linesOf([
    source(patient),
    source(allergy, 'emergency'),
    source(refuted, 'emergency'),
    source(problem('Diabetes', 'active')),
    source(problem('Sprain', 'resolved')),
    source({
      resourceType: 'MedicationRequest',
      status: 'active',
      medicationCodeableConcept: { text: 'Metformin' },
      dosageInstruction: [{ text: 'twice a day' }],
    }),
    source({ resourceType: 'MedicationRequest', status: 'stopped' }),
    source({
      resourceType: 'Observation',
      code: coded('http://loinc.org', '882-1', 'ABO and Rh group'),
      valueCodeableConcept: { text: 'O negative' },
    }),
    source({
      resourceType: 'Observation',
      code: coded('http://loinc.org', '8867-4', 'Heart rate'),
    }),
    source({ resourceType: 'Device', type: { text: 'Pacemaker' } }),
    source({ resourceType: 'Device', status: 'inactive', type: { text: 'Old pacemaker' } }),
  ])
  assert.deepEqual(lines, {
    Patient: ['Nora Quinn, born 1951-03-04', 'contact +49 30 1234'],
    Allergies: ['Penicillin allergy (criticality high)'],
    Medication: ['Metformin (twice a day)'],
    Problems: ['Diabetes (since 2019-05-01)'],
    'Devices and implants': ['Pacemaker'],
    'Blood group': ['ABO and Rh group (O negative)'],
  })
})

test('what is sensitive is in by choice only', () => {
  const sources = [source(problem('Depression', 'active'), 'sensitive:psy')]
  assert.deepEqual(linesOf(sources)['Problems'], [])
  assert.deepEqual(linesOf(sources, { withSensitive: true })['Problems'], [
    'Depression (since 2019-05-01)',
  ])
})

test('a section without entries says that nothing is known here, not that there is nothing', () => {
  const bundle = new TextDecoder().decode(emergencySummary([], options))
  assert.equal(bundle.match(/"code":"unavailable"/g)?.length, 3)
  assert.deepEqual(linesOf([]), { Allergies: [], Medication: [], Problems: [] })
})

test('resources keep their bytes, with the lexemes of their numbers', () => {
  const raw = '{ "resourceType":"AllergyIntolerance","note":[{"text":"a"}],"x":1.500e0 }'
  const bundle = emergencySummary([source(raw)], options)
  assert.ok(new TextDecoder().decode(bundle).includes(raw))
  assert.equal(parseJson(bundle).kind, 'object')
  assert.deepEqual(bundle, emergencySummary([source(raw)], options))
})

test('what is no summary has no lines', () => {
  assert.deepEqual(readSummary(utf8.encode('{}')), [])
  assert.throws(() => readSummary(utf8.encode('{')))
})

test.run()
