import assert from 'node:assert/strict'
import { parseJson } from '@mooring/codec'
import { test } from 'uvu'
import {
  generatePatient,
  NO_PATIENT,
  patientNamesOf,
  patientOf,
  readSubmission,
} from '../src/index.ts'

const utf8 = new TextEncoder()

function node(resource: object) {
  return parseJson(utf8.encode(JSON.stringify(resource)))
}

function ownerOf(resource: object, names?: ReadonlyMap<string, string>): string {
  return patientOf(node(resource), names)
}

const to = (reference: string, more: object = {}) => ({ reference, ...more })

test('a patient is found wherever the resource names one', () => {
  const cases: object[] = [
    { resourceType: 'Patient', id: '23' },
    { resourceType: 'Observation', subject: to('Patient/23') },
    { resourceType: 'Claim', patient: to('Patient/23') },
    { resourceType: 'Coverage', beneficiary: to('https://a.example/fhir/Patient/23') },
    { resourceType: 'Task', for: to('Patient/23/_history/4') },
    { resourceType: 'Condition', subject: to('urn:uuid:23') },
    { resourceType: 'Claim', patient: to('urn:uuid:23') },
    { resourceType: 'ResearchSubject', individual: to('urn:uuid:23', { type: 'Patient' }) },
    { resourceType: 'Account', subject: [to('Practitioner/9'), to('Patient/23')] },
    {
      resourceType: 'Appointment',
      participant: [{ actor: to('Location/1') }, { actor: to('Patient/23') }],
    },
    { resourceType: 'Provenance', target: [to('Observation/1'), to('Patient/23')] },
    { resourceType: 'AuditEvent', entity: [{ what: to('Patient/23') }] },
  ]
  for (const resource of cases) assert.equal(ownerOf(resource), '23', JSON.stringify(resource))
})

test("what is about nobody, or about something else, is the institution's own", () => {
  const cases: object[] = [
    { resourceType: 'Organization', id: '23' },
    { resourceType: 'Patient' },
    { resourceType: 'Observation', subject: to('Group/23') },
    { resourceType: 'Observation', subject: to('urn:uuid:23', { type: 'Group' }) },
    { resourceType: 'Observation', subject: to('urn:uuid:') },
    { resourceType: 'Observation', subject: to('#contained') },
    { resourceType: 'Observation', subject: { display: 'Patient/23' } },
    { resourceType: 'Observation', subject: to('Patients/23') },
    { resourceType: 'Provenance', target: [to('urn:uuid:23')] },
    { resourceType: 'Observation', performer: [to('Patient/23')] },
  ]
  for (const resource of cases)
    assert.equal(ownerOf(resource), NO_PATIENT, JSON.stringify(resource))
})

test('in a bundle the address and the id of a patient are one account', () => {
  const patient = { resourceType: 'Patient', id: '23' }
  const names = patientNamesOf([
    { node: node(patient), resourceType: 'Patient', id: '23', fullUrl: 'urn:uuid:aa' },
    { node: node({}), resourceType: 'Group', id: '24', fullUrl: 'urn:uuid:bb' },
  ])
  assert.equal(ownerOf(patient, names), '23')
  assert.equal(ownerOf({ resourceType: 'Observation', subject: to('urn:uuid:aa') }, names), '23')
  assert.equal(
    ownerOf({ resourceType: 'Provenance', target: [to('urn:uuid:bb'), to('urn:uuid:aa')] }, names),
    '23',
  )
  assert.equal(ownerOf({ resourceType: 'Observation', subject: to('Patient/23') }, names), '23')
  assert.equal(ownerOf({ resourceType: 'Observation', subject: to('Patient/7') }, names), '7')
})

test('a patient without an id has the name of its entry', () => {
  const patient = { resourceType: 'Patient' }
  const names = patientNamesOf([
    { node: node(patient), resourceType: 'Patient', id: null, fullUrl: 'urn:uuid:aa' },
  ])
  assert.equal(ownerOf(patient, names), 'aa')
  assert.equal(ownerOf({ resourceType: 'Claim', patient: to('urn:uuid:aa') }, names), 'aa')
})

test('everything clinical of a made-up patient belongs to one account', () => {
  for (let seed = 0; seed < 10; seed += 1) {
    const { resources } = readSubmission(generatePatient(seed))
    const names = patientNamesOf(resources)
    const owners = new Map<string, Set<string>>()
    for (const { node: each, resourceType } of resources) {
      const owner = patientOf(each, names)
      owners.set(owner, (owners.get(owner) ?? new Set()).add(resourceType))
    }
    assert.equal(owners.size, 2)
    assert.deepEqual([...(owners.get(NO_PATIENT) ?? [])], ['Organization'])
  }
})

test.run()
