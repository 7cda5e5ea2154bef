import assert from 'node:assert/strict'
import { CodecError, decode, encode, parseJson } from '@mooring/codec'
import { test } from 'uvu'
import { classOf, isRecordClass, recordClassSchema } from '../src/index.ts'

const ACT_CODE = 'http://terminology.hl7.org/CodeSystem/v3-ActCode'

function classIn(resource: object, mediaType = 'application/fhir+json'): string {
  return classOf(parseJson(new TextEncoder().encode(JSON.stringify(resource))), mediaType)
}

function labelled(resourceType: string, ...security: unknown[]) {
  return { resourceType, meta: { security } }
}

test('the kind of a resource gives its class', () => {
  assert.equal(classIn({ resourceType: 'AllergyIntolerance' }), 'emergency')
  assert.equal(classIn({ resourceType: 'ImagingStudy' }), 'imaging')
  assert.equal(classIn({ resourceType: 'Observation' }), 'general')
  assert.equal(classIn({}), 'general')
})

test('bytes that are no resource go by their media type', () => {
  assert.equal(classOf(null, 'application/dicom'), 'imaging')
  assert.equal(classOf(null, 'image/png'), 'imaging')
  assert.equal(classOf(null, 'application/pdf'), 'general')
  assert.equal(classOf(null, 'text/image/png'), 'general')
})

test('a label of sensitivity comes before the kind', () => {
  assert.equal(
    classIn(labelled('AllergyIntolerance', { system: ACT_CODE, code: 'HIV' })),
    'sensitive:hiv',
  )
  assert.equal(classIn(labelled('Observation', { code: 'PSY' })), 'sensitive:psy')
  const two = [
    { system: ACT_CODE, code: 'SUD' },
    { system: ACT_CODE, code: 'ETH' },
  ]
  assert.equal(classIn(labelled('Condition', ...two)), 'sensitive:eth')
  assert.equal(classIn(labelled('Condition', ...two.toReversed())), 'sensitive:eth')
})

test('other labels, and labels of other systems, change nothing', () => {
  assert.equal(classIn(labelled('Observation', { system: ACT_CODE, code: 'HTEST' })), 'general')
  assert.equal(
    classIn(labelled('Observation', { system: 'http://example.org/a', code: 'PSY' })),
    'general',
  )
  assert.equal(
    classIn(labelled('Observation', { system: ACT_CODE, code: 'R' }, 7, null)),
    'general',
  )
  assert.equal(classIn({ resourceType: 'Observation', meta: { security: 'PSY' } }), 'general')
})

test('a class has one of these names', () => {
  const names = ['emergency', 'general', 'imaging', 'stream', 'research', 'sensitive:psy']
  for (const name of names) {
    assert.ok(isRecordClass(name))
    assert.equal(decode(recordClassSchema, encode(recordClassSchema, name)), name)
  }
  for (const name of ['', 'General', 'sensitive', 'sensitive:', 'sensitive:PSY', 'general ', 'x']) {
    assert.ok(!isRecordClass(name))
    assert.throws(() => encode(recordClassSchema, name), CodecError)
  }
})

test.run()
