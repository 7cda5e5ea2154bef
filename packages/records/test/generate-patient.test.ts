import assert from 'node:assert/strict'
import { toHex } from '@mooring/codec'
import { sha256 } from '@mooring/crypto'
import { test } from 'uvu'
import { fieldsOf, generatePatient, readSubmission, type SubmittedResource } from '../src/index.ts'

interface Coded {
  readonly system: string
  readonly code: string
  readonly display: string
}

const text = new TextDecoder()
const SEEDS = Array.from({ length: 60 }, (_, seed) => seed)

function resourcesOf(seed: number): readonly SubmittedResource[] {
  const { resources, problems } = readSubmission(generatePatient(seed))
  assert.deepEqual(problems, [])
  return resources
}

test('the same seed gives the same bytes, here and anywhere', () => {
  assert.deepEqual(generatePatient(7), generatePatient(7))
  assert.notDeepEqual(generatePatient(7), generatePatient(8))
  assert.equal(
    toHex(sha256(generatePatient(0))),
    '09a5094762ce4cc4eff305eb96a7b7a3cde2ab723282561e13d374f050af285b',
  )
})

test('a patient is a transaction with 15 to 45 resources, one of them the patient', () => {
  for (const seed of SEEDS) {
    const { bundleType, resources } = readSubmission(generatePatient(seed))
    assert.equal(bundleType, 'transaction')
    assert.ok(resources.length >= 15 && resources.length <= 45, `seed ${seed}`)
    const patients = resources.filter(({ resourceType }) => resourceType === 'Patient')
    assert.equal(patients.length, 1)
    for (const { id, fullUrl } of resources) assert.equal(fullUrl, `urn:uuid:${id}`)
  }
})

test('the kinds of resources a hospital sends are all there', () => {
  const seen = new Set(SEEDS.flatMap((seed) => resourcesOf(seed).map((each) => each.resourceType)))
  assert.deepEqual([...seen].toSorted(), [
    'AllergyIntolerance',
    'Condition',
    'DiagnosticReport',
    'Encounter',
    'Immunization',
    'MedicationRequest',
    'Observation',
    'Organization',
    'Patient',
    'Procedure',
  ])
})

test('decimals are written with their precision, also where JSON would drop it', () => {
  const lexemes = SEEDS.flatMap((seed) =>
    resourcesOf(seed).flatMap(({ node }) =>
      fieldsOf(node)
        .filter(({ pointer }) => pointer.endsWith('/value'))
        .map(({ value }) => text.decode(value))
        .filter((value) => /^[0-9]+\.[0-9]+$/.test(value)),
    ),
  )
  const lossy = lexemes.filter((lexeme) => String(Number(lexeme)) !== lexeme)
  assert.ok(lossy.length > 50, `${lossy.length} of ${lexemes.length}`)
})

test('every code names its system, and a code means one thing', () => {
  const displays = new Map<string, string>()
  for (const seed of SEEDS) {
    for (const { raw } of resourcesOf(seed)) {
      for (const { system, code, display } of codingsIn(JSON.parse(text.decode(raw)))) {
        assert.match(system, /^http:\/\//)
        const key = `${system}|${code}`
        assert.equal(displays.get(key) ?? display, display, key)
        displays.set(key, display)
      }
    }
  }
  assert.ok(displays.size > 50)
})

test('times follow each other as they do in a hospital', () => {
  for (const seed of SEEDS) {
    const periods = resourcesOf(seed)
      .filter(({ resourceType }) => resourceType === 'Encounter')
      .map(({ raw }) => {
        const { period }: { period: Period } = JSON.parse(text.decode(raw))
        return period
      })
    assert.equal(periods.length, 2)
    for (const { start, end } of periods) assert.ok(start < end)
    assert.ok((periods[0]?.end ?? '') < (periods[1]?.start ?? ''))
  }
})

interface Period {
  readonly start: string
  readonly end: string
}

function codingsIn(value: unknown): Coded[] {
  if (typeof value !== 'object' || value === null) return []
  const inner = Object.values(value).flatMap(codingsIn)
  return isCoded(value) ? [value, ...inner] : inner
}

function isCoded(value: object): value is Coded {
  return 'system' in value && 'code' in value && 'display' in value
}

test.run()
