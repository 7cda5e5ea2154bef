import assert from 'node:assert/strict'
import { test } from 'uvu'
import { RecordsError } from '../src/errors.ts'
import { consentOf, readGrant, signGrant, verifyGrant } from '../src/grant.ts'
import { formatGrant, parseGrant } from '../src/grant-text.ts'
import {
  deny,
  DAY_MS,
  patient,
  permit,
  RECORD,
  specialist,
  START,
  termsOf,
} from './consent-world.ts'

test('a grant is read back as it was signed, from the wire and from a file', () => {
  const consent = consentOf(
    termsOf({
      practitioner: specialist.publicKey,
      purposes: ['TREAT', 'BTG'],
      content: {
        classes: ['general'],
        types: ['AllergyIntolerance'],
        records: [RECORD],
        encounters: ['Encounter/1'],
        authors: ['Practitioner/1'],
        firstDay: '2026-01-01',
        lastDay: '2026-12-31',
        confidentialities: ['N'],
        sensitivities: ['PSY'],
        fields: ['/code'],
      },
      provisions: [deny({ types: ['Claim'] }), permit({ start: START, end: START + DAY_MS })],
    }),
  )
  const signed = signGrant(patient, consent)
  const grant = readGrant(signed)
  assert.deepEqual(grant.consent, consent)
  assert.ok(verifyGrant(grant))
  assert.deepEqual(parseGrant(formatGrant(signed)), signed)
  assert.equal(grant.recipient, 'harbor-clinic')
  assert.deepEqual(grant.practitioner, specialist.publicKey)
  assert.deepEqual(grant.classes, ['general'])
  assert.deepEqual(grant.types, ['AllergyIntolerance'])
  assert.deepEqual(grant.purposes, ['TREAT', 'BTG'])
  assert.equal(grant.expiresAt, START + 30 * DAY_MS)
  assert.equal(grant.isNarrow, true)
})

test('a grant of whole classes is wide', () => {
  const grant = readGrant(signGrant(patient, consentOf(termsOf())))
  assert.equal(grant.isNarrow, false)
  assert.deepEqual(grant.classes, ['general', 'emergency'])
  assert.deepEqual(grant.fields, [])
})

test('another key does not sign, and a changed byte does not verify', () => {
  assert.throws(() => signGrant(specialist, consentOf(termsOf())), isRecordsError('out_of_range'))
  const signed = signGrant(patient, consentOf(termsOf()))
  const forged = signGrant(specialist, consentOf(termsOf({ patientKey: specialist.publicKey })))
  const [header, payload] = signed.jws.split('.')
  const [, , signature] = forged.jws.split('.')
  assert.equal(
    verifyGrant(readGrant({ ...signed, jws: `${header}.${payload}.${signature}` })),
    false,
  )
})

function isRecordsError(code: string) {
  return (error: unknown) => error instanceof RecordsError && error.code === code
}

test.run()
