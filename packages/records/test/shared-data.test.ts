// Every file of the synthetic and official FHIR data beside the project, when it is there.

import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { test } from 'uvu'
import {
  commitRecord,
  fieldsOf,
  fieldTree,
  formatProblem,
  generatePatient,
  readSubmission,
  recordSecrets,
  type SubmittedResource,
} from '../src/index.ts'

const FHIR = new URL('../../../../shared/data/fhir/', import.meta.url)
const text = new TextDecoder()

// What is refused, and rightly: responses and messages are no submissions, reading and deleting are
// not taking, and two files are no FHIR at all.
const REFUSED: Record<string, string[]> = {
  'Bundle-10bb101f-a121-4264-a920-67be9cb82c74.json': ['unsupported_bundle'],
  'Bundle-3a0707d3-549e-4467-b8b8-5a2ab3800efe.json': ['unsupported_bundle'],
  'Bundle-bundle-request-medsallergies.json': ['read_request'],
  'Bundle-bundle-request-simplesummary.json': ['read_request'],
  'Bundle-bundle-response-medsallergies.json': ['unsupported_bundle'],
  'Bundle-bundle-response-simplesummary.json': ['unsupported_bundle'],
  'Bundle-bundle-response.json': ['unsupported_bundle'],
  'Bundle-bundle-transaction.json': ['delete_request', 'operation_request', 'read_request'],
  'log.ndjson': ['not_fhir'],
  'package.json': ['not_fhir'],
}

interface Bundle {
  readonly resourceType: string
  readonly entry?: readonly { readonly resource: unknown; readonly fullUrl?: string }[]
}

interface Source {
  readonly name: string
  readonly bytes: Uint8Array
}

function sources(): Source[] {
  if (!existsSync(FHIR)) {
    process.stdout.write('no ../shared/data: checked with generated patients only\n')
    return Array.from({ length: 20 }, (_, seed) => ({
      name: `patient ${seed}`,
      bytes: generatePatient(seed),
    }))
  }
  return readdirSync(FHIR).flatMap((folder) =>
    readdirSync(new URL(`${folder}/`, FHIR)).map((name) => ({
      name,
      bytes: new Uint8Array(readFileSync(new URL(`${folder}/${name}`, FHIR))),
    })),
  )
}

/** What JSON.parse makes of a file: the resources that should come out of it. */
function expectedResources({ name, bytes }: Source): unknown[] {
  const whole = text.decode(bytes)
  if (name.endsWith('.ndjson')) {
    const lines = whole.split('\n').filter((line) => line.trim() !== '')
    return lines.map((line) => JSON.parse(line) as unknown)
  }
  const parsed: Bundle = JSON.parse(whole)
  if (parsed.resourceType !== 'Bundle') return [parsed]
  return (parsed.entry ?? []).map(({ resource }) => resource)
}

/** The whole file, or a slice that starts and ends where the text around it is no part of a value. */
function checkSlice({ bytes }: Source, { raw }: SubmittedResource): void {
  assert.equal(raw.buffer, bytes.buffer)
  if (raw.length === bytes.length) return
  assert.equal(raw[0], 0x7b)
  assert.equal(raw.at(-1), 0x7d)
  const start = raw.byteOffset - bytes.byteOffset
  const before = text.decode(bytes.subarray(Math.max(0, start - 200), start)).trimEnd()
  const after = text.decode(bytes.subarray(start + raw.length).subarray(0, 200)).trimStart()
  assert.match(before.slice(-1), /^[:}]?$/)
  assert.match(after.slice(0, 1), /^[,}{]?$/)
}

const SOURCES = sources()

test('every file is read, or refused for its reason', () => {
  for (const { name, bytes } of SOURCES) {
    const { problems, problemCount, resources } = readSubmission(bytes)
    const codes = [...new Set(problems.map(({ code }) => code))].toSorted()
    assert.deepEqual(codes, REFUSED[name] ?? [], `${name}: ${problems.map(formatProblem)[0]}`)
    assert.equal(resources.length === 0, problemCount > 0, name)
  }
})

test('every resource of every file has its exact bytes', () => {
  let checked = 0
  for (const source of SOURCES) {
    if (REFUSED[source.name] !== undefined) continue
    const { resources } = readSubmission(source.bytes)
    const expected = expectedResources(source)
    assert.equal(resources.length, expected.length, source.name)
    for (const [index, resource] of resources.entries()) {
      checkSlice(source, resource)
      assert.deepEqual(JSON.parse(text.decode(resource.raw)), expected[index])
      checked += 1
    }
  }
  process.stdout.write(`${checked} resources of ${SOURCES.length} files\n`)
})

test('every resource can be committed to, and no two commitments or leaves are the same', () => {
  const secrets = recordSecrets(new Uint8Array(32).fill(9))
  for (const { bytes } of SOURCES.slice(0, 400)) {
    const [resource] = readSubmission(bytes).resources
    if (resource === undefined) continue
    const fields = fieldsOf(resource.node)
    const { leafHashes, root } = fieldTree(fields, secrets.fieldSeed)
    assert.deepEqual(commitRecord(fields, resource.raw, secrets).fieldRoot, root)
    assert.equal(new Set(leafHashes.map(String)).size, leafHashes.length)
  }
})

test('no decimal of an official example loses a digit', () => {
  const decimals = SOURCES.flatMap(({ bytes }) =>
    readSubmission(bytes).resources.flatMap(({ raw, node }) => {
      const lexemes = fieldsOf(node)
        .map(({ value }) => text.decode(value))
        .filter((value) => /^-?[0-9]+\.[0-9]+$/.test(value))
      const source = text.decode(raw)
      for (const lexeme of lexemes) assert.ok(source.includes(lexeme))
      return lexemes
    }),
  )
  const lossy = decimals.filter((lexeme) => String(Number(lexeme)) !== lexeme)
  process.stdout.write(`JSON.parse would change ${lossy.length} of ${decimals.length} decimals\n`)
  assert.ok(lossy.length > 0)
})

test.run()
