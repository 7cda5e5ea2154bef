import assert from 'node:assert/strict'
import { decode, encode } from '@mooring/codec'
import * as fc from 'fast-check'
import { test } from 'uvu'
import {
  formatGrant,
  grantSchema,
  parseGrant,
  RecordsError,
  signedGrantSchema,
  signGrant,
  verifyGrant,
} from '../src/index.ts'
import { bytesOf, grantOf, otherPatientKey, patientKey } from './access-world.ts'

const signed = signGrant(patientKey, grantOf())

function problemOf(file: string): [string, string] {
  try {
    parseGrant(file)
  } catch (error) {
    assert.ok(error instanceof RecordsError, String(error))
    return [error.code, error.path]
  }
  assert.fail('the file was read')
}

function fileWith(changes: Record<string, unknown>): string {
  return JSON.stringify({ ...JSON.parse(formatGrant(signed)), ...changes })
}

test('a grant is signed by the key that it names, and only so', () => {
  assert.ok(verifyGrant(signed))
  assert.ok(!verifyGrant({ ...signed, document: grantOf({ recipient: 'riverside' }) }))
  assert.ok(
    !verifyGrant({ ...signed, document: grantOf({ patientKey: otherPatientKey.publicKey }) }),
  )
  assert.throws(() => signGrant(otherPatientKey, grantOf()), RecordsError)
})

test('a grant comes back from its bytes and from its file', () => {
  const word = fc.stringMatching(/^[a-z][a-z:-]{0,20}$/)
  const grants = fc.record(
    {
      custodian: word,
      recipient: word,
      classes: fc.array(word, { maxLength: 32 }),
      purposes: fc.array(word, { maxLength: 16 }),
      notBefore: fc.nat({ max: 4e12 }),
      expiresAt: fc.nat({ max: 4e12 }),
      handle: fc.option(fc.uint8Array({ minLength: 32, maxLength: 32 })),
    },
    { noNullPrototype: true },
  )
  fc.assert(
    fc.property(grants, (changes) => {
      const made = signGrant(patientKey, grantOf(changes))
      const file = formatGrant(made)
      assert.deepEqual(parseGrant(file), made)
      assert.equal(formatGrant(parseGrant(file)), file)
      assert.ok(verifyGrant(parseGrant(file)))
      assert.deepEqual(decode(signedGrantSchema, encode(signedGrantSchema, made)), made)
    }),
    { numRuns: 50 },
  )
})

test('what is wrong with a file has a code and a place', () => {
  const cases: [Record<string, unknown>, string, string][] = [
    [{ version: 2 }, 'unknown_version', 'version'],
    [{ id: '00' }, 'wrong_length', 'id'],
    [{ id: 'Z'.repeat(32) }, 'bad_encoding', 'id'],
    [{ patient: 'did:web:example' }, 'bad_encoding', 'patient'],
    [{ logKey: 7 }, 'wrong_type', 'logKey'],
    [{ custodian: '' }, 'wrong_type', 'custodian'],
    [{ custodian: 'x'.repeat(65) }, 'too_large', 'custodian'],
    [{ classes: 'general' }, 'wrong_type', 'classes'],
    [{ classes: ['general', 'é'] }, 'wrong_type', 'classes[1]'],
    [{ classes: Array.from({ length: 33 }, () => 'x') }, 'too_large', 'classes'],
    [{ purposes: [1] }, 'wrong_type', 'purposes[0]'],
    [{ notBefore: '2026-11-20' }, 'bad_encoding', 'notBefore'],
    [{ notBefore: '2026-02-30T00:00:00.000Z' }, 'bad_encoding', 'notBefore'],
    [{ expiresAt: 1 }, 'wrong_type', 'expiresAt'],
    [{ handle: '' }, 'wrong_length', 'handle'],
    [{ signature: '00' }, 'wrong_length', 'signature'],
    [{ remark: 'please' }, 'unknown_member', 'remark'],
  ]
  for (const [changes, code, path] of cases) {
    assert.deepEqual(problemOf(fileWith(changes)), [code, path])
  }
  assert.deepEqual(problemOf('{'), ['not_json', ''])
  assert.deepEqual(problemOf('[]'), ['wrong_type', ''])
  assert.deepEqual(problemOf(`{"version":1${' '.repeat(70_000)}}`), ['too_large', ''])
  const { handle: _, ...rest } = JSON.parse(formatGrant(signed))
  assert.deepEqual(problemOf(JSON.stringify(rest)), ['missing_member', 'handle'])
})

test('the encoding has the limits of the file', () => {
  assert.throws(() =>
    encode(grantSchema, grantOf({ classes: Array.from({ length: 33 }, () => 'x') })),
  )
  assert.throws(() => encode(grantSchema, grantOf({ id: bytesOf('id') })))
})

test.run()
