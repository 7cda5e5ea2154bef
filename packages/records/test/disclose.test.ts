import assert from 'node:assert/strict'
import { parseJson, toHex } from '@mooring/codec'
import * as fc from 'fast-check'
import { test } from 'uvu'
import {
  batchPath,
  buildBatch,
  checkShownField,
  commitRecord,
  discloseFields,
  type Field,
  type FieldsRecordProof,
  fieldsOf,
  formatRecordProof,
  generatePatient,
  parseRecordProof,
  readSubmission,
  RecordsError,
  recordSecrets,
  verifyRecordProof,
} from '../src/index.ts'
import { seededRandom, text } from './seal-world.ts'

const decoder = new TextDecoder()

/** A record of these bytes, anchored among dummies. */
function anchored(raw: Uint8Array, rec = new Uint8Array(32).fill(2)) {
  const fields = fieldsOf(parseJson(raw))
  const commitment = commitRecord(fields, raw, recordSecrets(rec))
  const batch = buildBatch([commitment.recordCommit], seededRandom(1))
  assert.ok(!('code' in batch))
  const [index = 0] = batch.positions
  const place = {
    index,
    size: batch.bucket,
    path: batchPath(batch.leaves, index),
    root: batch.root,
  }
  const record = { rec, fields, rawCommit: commitment.rawCommit }
  const show = (...pointers: string[]): FieldsRecordProof => ({
    version: 2,
    network: new Uint8Array(32),
    record: { commit: commitment.recordCommit, opening: discloseFields(record, pointers) },
    batch: place,
    anchor: Uint8Array.of(1),
  })
  return { commitment, fields, record, show }
}

function failureOf(proof: FieldsRecordProof): string | undefined {
  const result = verifyRecordProof(proof, null)
  return result.ok ? undefined : `${result.failed.number} ${result.failed.code}`
}

function flipped(bytes: Uint8Array): Uint8Array {
  return bytes.with(0, (bytes[0] ?? 0) ^ 1)
}

const VECTOR = text.encode(
  '{"resourceType":"AllergyIntolerance","code":{"coding":[{"code":"1191"}]},"criticality":"high","onsetDateTime":"2011-05-03"}',
)

test('the published vector: a field is shown with its salt, and leads to the commitment', () => {
  const { show, commitment } = anchored(VECTOR)
  const proof = show('/code/coding/0/code')
  const { opening } = proof.record
  assert.equal(
    toHex(commitment.recordCommit),
    '8d9412e93d317ecabdb54a22cca36b22b3e4a42ceb01c842ddc63a1b44523bb5',
  )
  const [field] = opening.fields
  assert.ok(field)
  assert.equal(decoder.decode(field.value), '"1191"')
  assert.equal(toHex(field.salt), '68fa7e0a2c0d43f01f28a9baa4f8239b')
  const sibling = 'cd1f71da6fe4afa2cd39c3817c63a4382235a1e621f9a9fb8ac21c1201bc415d'
  assert.equal(toHex(field.path[0] ?? VECTOR), sibling)
  assert.equal(opening.size, 4)
  assert.equal(
    toHex(opening.fieldRoot),
    '066667e69b42dbeb16922c8fe4a3dbe6fe15d15e5f00d4fabc011910afdea86c',
  )
  assert.equal(failureOf(proof), undefined)
})

test('what is shown is what was asked for, and a pointer to an object is all below it', () => {
  const { show } = anchored(VECTOR)
  const pointersOf = (...pointers: string[]) =>
    show(...pointers).record.opening.fields.map(({ pointer }) => pointer)
  assert.deepEqual(pointersOf('/code'), ['/code/coding/0/code'])
  assert.deepEqual(pointersOf('/criticality', '/resourceType', '/criticality'), [
    '/criticality',
    '/resourceType',
  ])
  assert.equal(pointersOf('').length, 4)
})

test('a field that is not there is refused by name', () => {
  const { show } = anchored(VECTOR)
  for (const pointer of ['/cod', '/code/', 'code', '/code/coding/1', '/resourceType/x']) {
    assert.throws(
      () => show('/code', pointer),
      (error) =>
        error instanceof RecordsError && error.code === 'no_such_field' && error.path === pointer,
    )
  }
})

test('any fields of any resource of a patient verify from the document alone', () => {
  const { resources } = readSubmission(generatePatient(5))
  const anyResource = fc.constantFrom(...resources)
  fc.assert(
    fc.property(anyResource, fc.infiniteStream(fc.nat()), ({ raw }, numbers) => {
      const { show, fields } = anchored(raw)
      const chosen = [...numbers.take(3)].map((number) => fields[number % fields.length])
      const proof = show(...chosen.map((field) => field?.pointer ?? ''))
      const read = parseRecordProof(formatRecordProof(proof))
      assert.deepEqual(read, proof)
      assert.ok(read.version === 2)
      assert.equal(failureOf(read), undefined)
      const shown = new Map(read.record.opening.fields.map((field) => [field.pointer, field.value]))
      for (const field of chosen) assert.deepEqual(shown.get(field?.pointer ?? ''), field?.value)
    }),
    { numRuns: 60 },
  )
})

test('a changed pointer, value, salt, place or path is no field of the record', () => {
  const { show } = anchored(VECTOR)
  const { opening } = show('/criticality').record
  const [field] = opening.fields
  assert.ok(field)
  assert.equal(checkShownField(opening, field), undefined)
  const [first, second] = field.path
  assert.ok(first && second)
  const changes = [
    { pointer: '/criticalitz' },
    { value: text.encode('"low"') },
    { value: text.encode('high') },
    { salt: flipped(field.salt) },
    { index: 0 },
    { path: [first] },
    { path: [first, flipped(second)] },
    { path: [first, second, second] },
  ]
  for (const change of changes) {
    assert.notEqual(checkShownField(opening, { ...field, ...change }), undefined)
  }
})

test('a document with a changed field fails at the fields', () => {
  const document = formatRecordProof(anchored(VECTOR).show('/criticality'))
  const changed = parseRecordProof(document.replace('\\"high', '\\"low'))
  assert.ok(changed.version === 2)
  assert.equal(failureOf(changed), '1 field_not_in_record')
})

test('an opening of another record fails at the record, and a file has nothing to be checked with', () => {
  const one = anchored(VECTOR).show('/criticality')
  const two = anchored(VECTOR, new Uint8Array(32).fill(3)).show('/criticality')
  const mixed = { ...one, record: { commit: one.record.commit, opening: two.record.opening } }
  assert.equal(failureOf(mixed), '2 record_commitment_differs')
  const result = verifyRecordProof(one, VECTOR)
  assert.ok(!result.ok)
  assert.deepEqual(result.failed, { number: 1, code: 'no_opening' })
})

test('nothing in the document helps to guess what is hidden', () => {
  const { show, fields } = anchored(VECTOR)
  const document = formatRecordProof(show('/criticality'))
  const { fieldSeed, rawSalt } = recordSecrets(new Uint8Array(32).fill(2))
  assert.ok(!document.includes('\\"1191') && !document.includes('2011-05'))
  for (const secret of [fieldSeed, rawSalt]) assert.ok(!document.includes(toHex(secret)))
  const shown = show('/criticality').record.opening.fields
  const hidden = fields.filter(({ pointer }) => pointer !== '/criticality')
  const saltOf = (field: Field) => show(field.pointer).record.opening.fields[0]?.salt
  for (const field of hidden) {
    const salt = saltOf(field)
    assert.ok(salt && !document.includes(toHex(salt)))
  }
  assert.equal(shown.length, 1)
})

test('any document with a byte changed is read, or refused with a code', () => {
  const document = text.encode(formatRecordProof(anchored(VECTOR).show('/code', '/criticality')))
  fc.assert(
    fc.property(fc.nat(document.length - 1), fc.nat(255), (at, byte) => {
      try {
        verifyRecordProof(parseRecordProof(document.with(at, byte)), null)
      } catch (error) {
        assert.ok(error instanceof RecordsError, String(error))
      }
    }),
    { numRuns: 1000 },
  )
})

test('more than a document shows is refused, and so is a document of another kind', () => {
  const many = `{"resourceType":"Basic","x":[${Array.from({ length: 300 }, (_, at) => at).join()}]}`
  const { show } = anchored(text.encode(many))
  assert.throws(
    () => show('/x'),
    (error) => error instanceof RecordsError && error.code === 'too_large',
  )
  assert.equal(show('/x/1').record.opening.fields.length, 1)
  const document = formatRecordProof(show('/x/7'))
  const cases: [from: string | RegExp, to: string, code: string][] = [
    ['"version": 2', '"version": 1', 'unknown_member'],
    ['"version": 2', '"version": 3', 'unknown_version'],
    ['"pointer": "/x/7"', '"pointer": "x/7"', 'bad_encoding'],
    [/"index": [0-9]+,\n\s+"path"/, '"index": 99999, "path"', 'out_of_range'],
    [/"opening": \{/, '"opening": null, "x": {', 'unknown_member'],
  ]
  for (const [from, to, code] of cases) {
    const changed = document.replace(from, to)
    assert.notEqual(changed, document)
    assert.throws(
      () => parseRecordProof(changed),
      (error) => error instanceof RecordsError && error.code === code,
      code,
    )
  }
})

test.run()
