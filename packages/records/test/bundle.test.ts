import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { test } from 'uvu'
import { readSubmission, type Submission } from '../src/index.ts'

const utf8 = new TextEncoder()
const text = new TextDecoder()

const A = 'urn:uuid:6f1c0a52-0a3e-4f0e-9a8e-000000000001'
const B = 'urn:uuid:6f1c0a52-0a3e-4f0e-9a8e-000000000002'

function read(json: unknown): Submission {
  return readSubmission(utf8.encode(JSON.stringify(json)))
}

function bundle(type: unknown, ...entry: unknown[]): Submission {
  return read({ resourceType: 'Bundle', type, entry })
}

function codes({ problems }: Submission): string[] {
  return problems.map(({ code }) => code)
}

function patient(id: string, versionId?: string): unknown {
  return {
    resourceType: 'Patient',
    id,
    ...(versionId === undefined ? {} : { meta: { versionId } }),
  }
}

function observation(reference: string): unknown {
  return { resourceType: 'Observation', subject: { reference }, value: [{ a: 1 }] }
}

const POST = { method: 'POST', url: 'Patient' }

test('the bundles that carry records are opened', () => {
  for (const type of ['transaction', 'batch', 'collection', 'searchset', 'document', 'history']) {
    const entry = { fullUrl: A, resource: patient('1', '1'), request: POST }
    const submission = bundle(type, entry, { resource: patient('2') })
    assert.deepEqual(codes(submission), [], type)
    assert.equal(submission.bundleType, type)
    assert.deepEqual(
      submission.resources.map((each) => [each.entry, each.id, each.versionId, each.fullUrl]),
      [
        [0, '1', '1', A],
        [1, '2', null, null],
      ],
    )
  }
})

test('bundles of another kind are refused, each with its reason', () => {
  for (const type of ['message', 'batch-response', 'transaction-response', 'parcel', '']) {
    assert.deepEqual(codes(bundle(type, { resource: patient('1') })), ['unsupported_bundle'], type)
  }
  for (const type of [undefined, 3, null]) {
    assert.deepEqual(codes(bundle(type, { resource: patient('1') })), ['not_fhir'])
  }
})

test('a bundle without entries has nothing to be taken', () => {
  assert.deepEqual(codes(read({ resourceType: 'Bundle', type: 'searchset', total: 0 })), ['empty'])
  assert.deepEqual(codes(bundle('collection')), ['empty'])
})

test('a bundle of too many resources is refused, and that is said once', () => {
  const entry = [1, 2, 3, 4, 5].map((id) => ({ resource: patient(String(id)) }))
  const bytes = utf8.encode(JSON.stringify({ resourceType: 'Bundle', type: 'batch', entry }))
  assert.equal(readSubmission(bytes, { limits: { resourcesMax: 5 } }).resources.length, 5)
  const { problems, resources } = readSubmission(bytes, { limits: { resourcesMax: 3 } })
  assert.deepEqual(
    problems.map((each) => [each.code, each.entry]),
    [['too_many', 3]],
  )
  assert.deepEqual(resources, [])
})

test('entries of a wrong shape are named, all of them', () => {
  assert.deepEqual(codes(read({ resourceType: 'Bundle', type: 'batch', entry: {} })), ['not_fhir'])
  const submission = bundle(
    'collection',
    { resource: patient('1') },
    'text',
    { fullUrl: A },
    { fullUrl: 5, resource: patient('2') },
    { resource: 'text' },
    { resource: {} },
    { fullUrl: '', resource: patient('3') },
  )
  assert.deepEqual(
    submission.problems.map(({ code, entry }) => [code, entry]),
    [
      ['not_fhir', 1],
      ['entry_without_resource', 2],
      ['not_fhir', 3],
      ['not_fhir', 4],
      ['not_fhir', 5],
      ['not_fhir', 6],
    ],
  )
  assert.deepEqual(submission.resources, [])
})

test('what is no submission of a record is refused and named', () => {
  const cases: [method: unknown, url: string, code: string][] = [
    ['DELETE', 'Patient/1', 'delete_request'],
    ['GET', 'Patient/1', 'read_request'],
    ['HEAD', 'Patient/1', 'read_request'],
    ['POST', 'Patient/_search', 'read_request'],
    ['PATCH', 'Patient/1', 'patch_request'],
    ['POST', 'ValueSet/$lookup', 'operation_request'],
    ['POST', '$process', 'operation_request'],
    ['TAKE', 'Patient/1', 'not_fhir'],
    [undefined, 'Patient/1', 'not_fhir'],
  ]
  for (const [method, url, code] of cases) {
    for (const type of ['transaction', 'batch']) {
      const resource = { resourceType: 'Parameters' }
      const submission = bundle(type, { resource, request: { method, url } })
      assert.deepEqual(codes(submission), [code], `${String(method)} ${url}`)
    }
  }
  const submission = bundle('transaction', { request: { method: 'DELETE', url: 'Patient/9' } })
  assert.match(submission.problems[0]?.detail ?? '', /^"DELETE Patient\/9": /)
})

test('conditional creation, update and deletion differ only in the deletion', () => {
  const request = { method: 'POST', url: 'Patient', ifNoneExist: 'identifier=http://a|1' }
  assert.deepEqual(codes(bundle('batch', { resource: patient('1'), request })), [])
  const put = { method: 'PUT', url: 'Patient?identifier=http://a|1' }
  assert.deepEqual(codes(bundle('transaction', { resource: patient('1'), request: put })), [])
})

test('a history tells deletions and is refused for them, not for what it read or patched', () => {
  const patched = { resource: patient('1', '2'), request: { method: 'PATCH', url: 'Patient/1' } }
  assert.deepEqual(codes(bundle('history', patched)), [])
  const gone = { request: { method: 'DELETE', url: 'Patient/1' } }
  assert.deepEqual(codes(bundle('history', patched, gone)), ['delete_request'])
})

test('the same id twice is refused unless it is another version or another server', () => {
  const twice = bundle('collection', { resource: patient('1') }, { resource: patient('1') })
  assert.deepEqual(codes(twice), ['duplicate_id'])
  assert.match(twice.problems[0]?.detail ?? '', /^entry 0 is "Patient\/1" already$/)
  const versions = bundle(
    'collection',
    { resource: patient('1', '1') },
    { resource: patient('1', '2') },
  )
  assert.deepEqual(codes(versions), [])
  const servers = bundle(
    'collection',
    { fullUrl: 'https://a.example/Patient/1', resource: patient('1') },
    { fullUrl: 'https://b.example/Patient/1', resource: patient('1') },
  )
  assert.deepEqual(codes(servers), [])
  const temporary = bundle(
    'transaction',
    { fullUrl: A, resource: patient('1') },
    { fullUrl: B, resource: patient('1') },
  )
  assert.deepEqual(codes(temporary), ['duplicate_id'])
  const types = bundle('batch', { resource: patient('1') }, { resource: { ...other(), id: '1' } })
  assert.deepEqual(codes(types), [])
})

test('the same fullUrl twice is refused unless it is another version, or a history', () => {
  const fullUrl = 'https://a.example/Patient/1'
  const pair = (...versions: (string | undefined)[]) =>
    versions.map((version) => ({ fullUrl, resource: patient('1', version) }))
  assert.deepEqual(codes(bundle('collection', ...pair('1', '1'))), ['duplicate_full_url'])
  assert.deepEqual(codes(bundle('collection', ...pair(undefined, undefined))), [
    'duplicate_full_url',
  ])
  assert.deepEqual(codes(bundle('collection', ...pair('1', '2', undefined))), [])
  assert.deepEqual(codes(bundle('history', ...pair('1', '1'))), ['duplicate_id'])
  const others = [A, A].map((url) => ({ fullUrl: url, resource: other() }))
  assert.deepEqual(codes(bundle('transaction', ...others)), ['duplicate_full_url'])
})

test('a transaction must resolve its urn:uuid references, wherever in a resource they are', () => {
  const entries = (reference: string) => [
    { fullUrl: A, resource: patient('1') },
    { fullUrl: B, resource: observation(reference) },
  ]
  assert.deepEqual(codes(bundle('transaction', ...entries(A))), [])
  assert.deepEqual(codes(bundle('transaction', ...entries(B))), [])
  const unresolved = bundle('transaction', ...entries(`${A}0`))
  assert.deepEqual(
    unresolved.problems.map(({ code, entry }) => [code, entry]),
    [['unresolved_reference', 1]],
  )
  for (const type of ['batch', 'collection', 'searchset', 'document', 'history']) {
    assert.deepEqual(codes(bundle(type, ...entries(`${A}0`))), [], type)
  }
})

test('problems are told in the order of the text, whichever was found first', () => {
  const submission = bundle(
    'transaction',
    { fullUrl: A, resource: observation(`${A}0`) },
    { resource: {} },
    { fullUrl: B, resource: observation(`${B}0`) },
  )
  assert.deepEqual(
    submission.problems.map(({ code, entry }) => [code, entry]),
    [
      ['unresolved_reference', 0],
      ['not_fhir', 1],
      ['unresolved_reference', 2],
    ],
  )
})

test('a reference may point forward, to an entry that comes later', () => {
  const first = { fullUrl: B, resource: observation(A) }
  assert.deepEqual(codes(bundle('transaction', first, { fullUrl: A, resource: patient('1') })), [])
})

test('references that are resolved elsewhere are left alone', () => {
  const references = [
    'Patient/1',
    'https://a.example/Patient/1',
    'Organization?identifier=https://a.example/ids|77',
    '#contained',
    'urn:oid:1.2.3',
  ]
  for (const reference of references) {
    assert.deepEqual(codes(bundle('transaction', { resource: observation(reference) })), [])
  }
})

test('an entry that is refused for itself does not make its references look broken', () => {
  const submission = bundle(
    'transaction',
    { fullUrl: A, resource: {} },
    { fullUrl: B, resource: observation(A) },
  )
  assert.deepEqual(codes(submission), ['not_fhir'])
})

test('a bundle inside an entry is one resource', () => {
  const inner = { resourceType: 'Bundle', id: 'd', type: 'document', entry: [] }
  const submission = bundle('collection', { resource: inner }, { resource: patient('1') })
  assert.deepEqual(
    submission.resources.map(({ resourceType }) => resourceType),
    ['Bundle', 'Patient'],
  )
})

test('resources have the exact bytes they were sent as, whatever stands around them', () => {
  const space = fc.stringMatching(/^[ \n\r\t]{0,3}$/)
  const resource = fc
    .tuple(fc.jsonValue({ maxDepth: 3 }), fc.integer({ min: 0, max: 4 }), fc.nat())
    .map(([extra, indent, id]) => {
      const value = { resourceType: 'Basic', id: `b${id}`, extra, decimal: 'HERE' }
      return JSON.stringify(value, null, indent).replace('"HERE"', '80.00')
    })
  const entries = fc.uniqueArray(resource, {
    minLength: 1,
    maxLength: 6,
    selector: (json) => /"id": *"(b[0-9]+)"/.exec(json)?.[1],
  })
  fc.assert(
    fc.property(entries, fc.array(space, { minLength: 4, maxLength: 4 }), (raws, spaces) => {
      const [a = '', b = '', c = '', d = ''] = spaces
      const list = raws.map((raw) => `{"resource"${a}:${b}${raw}${c}}`).join(`${d},${a}`)
      const json = `${a}{"type":"collection",${b}"resourceType":"Bundle","entry":[${c}${list}${d}]}${a}`
      const { resources, problems } = readSubmission(utf8.encode(json))
      assert.deepEqual(problems, [])
      assert.deepEqual(
        resources.map(({ raw }) => text.decode(raw)),
        raws,
      )
      for (const [index, { line }] of resources.entries()) {
        const at = json.indexOf(raws[index] ?? '')
        assert.equal(line, json.slice(0, at).split('\n').length)
      }
    }),
  )
})

function other(): { resourceType: string } {
  return { resourceType: 'Basic' }
}

test.run()
