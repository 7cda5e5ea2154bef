import assert from 'node:assert/strict'
import { concatBytes } from '@mooring/codec'
import * as fc from 'fast-check'
import { test } from 'uvu'
import {
  formatProblem,
  generatePatient,
  readSubmission,
  type Submission,
  type SubmissionOptions,
  trimJson,
} from '../src/index.ts'

const utf8 = new TextEncoder()
const text = new TextDecoder()

const PATIENT = '{"resourceType":"Patient","id":"p1","meta":{"versionId":"3"},"active":true}'
const BASIC = '{"resourceType": "Basic" , "n":1.50}'

function read(json: string, options?: SubmissionOptions): Submission {
  return readSubmission(utf8.encode(json), options)
}

function rawTexts({ resources }: Submission): string[] {
  return resources.map(({ raw }) => text.decode(raw))
}

function withId(id: string): string {
  return `{"resourceType":"Patient","id":"${id}"}`
}

function codes({ problems }: Submission): string[] {
  return problems.map(({ code }) => code)
}

function places({ problems }: Submission): unknown[] {
  return problems.map(({ code, entry, line, column }) => [code, entry, line, column])
}

test('a resource on its own is the whole file, with the white space around it', () => {
  const submission = read(`\n  ${PATIENT}\n`)
  assert.deepEqual(rawTexts(submission), [`\n  ${PATIENT}\n`])
  const [resource] = submission.resources
  assert.deepEqual(
    { ...resource, raw: undefined, node: undefined },
    {
      raw: undefined,
      resourceType: 'Patient',
      id: 'p1',
      versionId: '3',
      fullUrl: null,
      entry: 0,
      line: 2,
      node: undefined,
    },
  )
  assert.equal(submission.format, 'json')
  assert.deepEqual(submission.problems, [])
  assert.deepEqual(trimJson(utf8.encode(`\r\n\t ${PATIENT} \n`)), utf8.encode(PATIENT))
})

test('the bytes of a resource are a view of the submission, not a copy', () => {
  const bytes = utf8.encode(PATIENT)
  const [resource] = readSubmission(bytes).resources
  assert.equal(resource?.raw.buffer, bytes.buffer)
})

test('what is no JSON is named with its line and column', () => {
  const cases: [json: string, code: string, line: number, column: number][] = [
    ['{"resourceType":"Patient",\n "a" 1}', 'not_json', 2, 6],
    [`${PATIENT} true`, 'not_json', 1, 77],
    ['{"resourceType":"Patient",\n  "a":1,\n  "é":2, "a":3}', 'duplicate_key', 3, 10],
    ['{"resourceType":"Patient","a":"\\ud800"}', 'lone_surrogate', 1, 32],
    [`\ufeff${PATIENT}`, 'byte_order_mark', 1, 1],
    [`{"resourceType":"Patient","a":${'['.repeat(64)}`, 'too_deep', 1, 94],
    ['', 'empty', 1, 1],
    [' \n\n', 'empty', 1, 1],
    ['hello', 'not_json', 1, 1],
  ]
  for (const [json, code, line, column] of cases) {
    const submission = read(json)
    assert.deepEqual(places(submission), [[code, null, line, column]], json)
    assert.deepEqual(submission.resources, [])
    assert.equal(submission.problemCount, 1)
  }
})

test('invalid UTF-8 is named where it is', () => {
  const bytes = concatBytes(
    utf8.encode('{"resourceType":"Patient",\n"a":"'),
    Uint8Array.of(0xc3, 0x28),
    utf8.encode('"}'),
  )
  assert.deepEqual(places(readSubmission(bytes)), [['invalid_utf8', null, 2, 6]])
})

test('JSON that is no FHIR is named as such', () => {
  const cases = [
    '{}',
    '[]',
    'null',
    '"Patient"',
    '{"resourceType":5}',
    '{"resourceType":"patient"}',
    '{"resourceType":""}',
    '{"resourceType":"Patient","id":7}',
    '{"resourceType":"Patient","id":""}',
    `{"resourceType":"Patient","id":"${'x'.repeat(257)}"}`,
    '{"resourceType":"Patient","meta":{"versionId":1}}',
  ]
  for (const json of cases) assert.deepEqual(codes(read(json)), ['not_fhir'], json)
})

test('an id may have 256 bytes and not one more, however many characters they are', () => {
  assert.deepEqual(codes(read(withId('é'.repeat(128)))), [])
  assert.deepEqual(codes(read(withId('é'.repeat(129)))), ['not_fhir'])
})

test('limits are the caller’s to set, and are named when they are passed', () => {
  const limits = { bytesMax: 80, resourcesMax: 2, depthMax: 5 }
  assert.deepEqual(codes(read(PATIENT, { limits })), [])
  assert.deepEqual(codes(read(`${PATIENT}${' '.repeat(20)}`, { limits })), ['too_large'])
  assert.deepEqual(codes(read(`${BASIC}\n${BASIC}\n`, { limits })), [])
  const four = '{"resourceType":"A"}\n'.repeat(4)
  const submission = read(four, { limits: { ...limits, bytesMax: 200 } })
  assert.deepEqual(places(submission), [['too_many', 2, 3, 1]])
  assert.deepEqual(codes(read('{"resourceType":"A","a":[[[[[1]]]]]}', { limits })), ['too_deep'])
})

test('a submission of more than 16 MiB is not even looked at', () => {
  const submission = readSubmission(new Uint8Array(16 * 1024 * 1024 + 1))
  assert.deepEqual(places(submission), [['too_large', null, 1, 1]])
})

test('a resource with absurdly many fields or an absurdly long path is refused', () => {
  const many = `{"resourceType":"A","a":[${'0,'.repeat(65_536)}0]}`
  assert.deepEqual(codes(read(many)), ['too_many_fields'])
  const long = `{"resourceType":"A","${'k'.repeat(1_100)}":0}`
  assert.deepEqual(codes(read(long)), ['path_too_long'])
})

test('the fields of all lines together are bounded, and that is said once', () => {
  const line = `{"resourceType":"A","a":[${'0,'.repeat(60_000)}0]}\n`
  const submission = read(line.repeat(18))
  assert.deepEqual(places(submission), [['too_many', 16, 17, 1]])
  assert.equal(submission.resources.length, 16)
})

test('lines of resources are told from one document without being asked', () => {
  const ndjson = read(`${PATIENT}\r\n\n  ${BASIC}  \n`)
  assert.equal(ndjson.format, 'ndjson')
  assert.deepEqual(rawTexts(ndjson), [PATIENT, BASIC])
  assert.deepEqual(
    ndjson.resources.map(({ entry, line }) => [entry, line]),
    [
      [0, 1],
      [1, 3],
    ],
  )
  // A document whose first line looks like a whole one.
  const document = '{"resourceType":"Basic","a":{}\n,"b":{}\n}'
  assert.equal(read(document).format, 'json')
  assert.deepEqual(rawTexts(read(document)), [document])
  assert.equal(read(PATIENT).format, 'json')
  assert.equal(read(PATIENT, { format: 'ndjson' }).format, 'ndjson')
})

test('lines stand alone: the good ones come with the problems of the others', () => {
  const lines = [PATIENT, '{"resourceType":"Basic",', '{"a":1}', BASIC, `${PATIENT.slice(0, -1)}}}`]
  const submission = read(lines.join('\n'))
  assert.deepEqual(rawTexts(submission), [PATIENT, BASIC])
  assert.deepEqual(places(submission), [
    ['not_json', 1, 2, 25],
    ['not_fhir', 2, 3, 1],
    ['not_json', 4, 5, 76],
  ])
})

test('a broken second line does not hide that the first was a whole resource', () => {
  const submission = read(`${PATIENT}\noops\n${BASIC}\n`)
  assert.equal(submission.format, 'ndjson')
  assert.deepEqual(rawTexts(submission), [PATIENT, BASIC])
  assert.deepEqual(places(submission), [['not_json', 1, 2, 1]])
})

test('one line of a document is not taken for another format', () => {
  const json = `${PATIENT}\n${PATIENT}`
  assert.deepEqual(codes(read(json, { format: 'json' })), ['not_json'])
})

test('a bundle on a line is refused, since a line is one resource', () => {
  const bundle = `{"resourceType":"Bundle","type":"collection","entry":[{"resource":${BASIC}}]}`
  const submission = read(`${PATIENT}\n${bundle}\n`)
  assert.deepEqual(places(submission), [['nested_bundle', 1, 2, 1]])
  assert.deepEqual(rawTexts(submission), [PATIENT])
})

test('the same version of a resource on two lines is a problem of the second', () => {
  const submission = read(`${PATIENT}\n${BASIC}\n${PATIENT}\n`)
  assert.deepEqual(places(submission), [['duplicate_id', 2, 3, 1]])
  assert.match(submission.problems[0]?.detail ?? '', /entry 0 is "Patient\/p1" in version "3"/)
})

test('the first hundred problems are kept and all are counted', () => {
  const submission = read('{"a":1}\n'.repeat(250))
  assert.equal(submission.problems.length, 100)
  assert.equal(submission.problemCount, 250)
})

test('columns count characters, so that an editor finds them', () => {
  const submission = read('{"resourceType":"Patient","name":"Zoë 😀","x":}')
  assert.deepEqual(places(submission), [['not_json', null, 1, 46]])
})

test('a problem reads as a line of text', () => {
  const [problem] = read(`${PATIENT}\n{"a":1}`).problems
  assert.ok(problem !== undefined)
  assert.equal(formatProblem(problem), '2:1  entry 1  there is no resourceType (not_fhir)')
  const [whole] = read('[]').problems
  assert.ok(whole !== undefined)
  assert.equal(formatProblem(whole), '1:1  a resource is an object, not an array (not_fhir)')
})

test('any bytes give an answer and never an exception', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const { resources, problemCount } = readSubmission(bytes)
      assert.equal(resources.length, 0)
      assert.ok(problemCount > 0)
    }),
  )
})

test('any damage to a good submission is found or leaves whole resources', () => {
  const good = generatePatient(4)
  const before = readSubmission(good).resources.length
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.nat(255), (at, byte) => {
      const { resources, problemCount } = readSubmission(good.with(at, byte))
      // With another name of a type in front, the bundle is one resource of that type.
      const isRenamed = resources[0]?.raw.length === good.length
      const expected = isRenamed ? 1 : before
      assert.equal(resources.length, problemCount === 0 ? expected : 0)
      for (const { raw } of resources) JSON.parse(text.decode(raw))
    }),
    { numRuns: 300 },
  )
})

test.run()
