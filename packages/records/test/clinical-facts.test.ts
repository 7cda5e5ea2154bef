import assert from 'node:assert/strict'
import { encode, parseJson } from '@mooring/codec'
import { test } from 'uvu'
import {
  clinicalFactsOf,
  factsSchema,
  generatePatient,
  NO_CLINICAL_FACTS,
  readSubmission,
} from '../src/index.ts'
import type { ClinicalFacts } from '../src/clinical-facts.ts'
import { bytesOf, factsOf } from './access-world.ts'

function factsIn(resource: object, fullUrl: string | null = null): ClinicalFacts {
  return clinicalFactsOf(parseJson(new TextEncoder().encode(JSON.stringify(resource))), fullUrl)
}

const ACT_CODE = 'http://terminology.hl7.org/CodeSystem/v3-ActCode'
const CONFIDENTIALITY = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality'
const long = `Practitioner/${'x'.repeat(250)}`

const CASES: [object, Partial<ClinicalFacts>][] = [
  [{ resourceType: 'Basic' }, { type: 'Basic' }],
  [{ effectiveDateTime: '2026-11-27T10:00:00+01:00' }, { date: '2026-11-27' }],
  [{ effectiveDateTime: '2026-11', issued: '2026-11-30T00:00:00Z' }, { date: '2026-11-30' }],
  [{ onsetDateTime: '2011' }, { date: '' }],
  [{ period: { start: '2020-02-29', end: '2021-01-01' } }, { date: '2020-02-29' }],
  [{ recordedDate: '2026-01-02', onsetDateTime: '2025-12-31' }, { date: '2025-12-31' }],
  [{ effectiveDateTime: 20_261_127 }, { date: '' }],
  [{ performer: [{ reference: 'Practitioner/1' }] }, { author: 'Practitioner/1' }],
  [{ performer: [{ actor: { reference: 'Practitioner/2' } }] }, { author: 'Practitioner/2' }],
  [
    { recorder: { reference: 'urn:uuid:r' }, asserter: { reference: 'urn:uuid:a' } },
    { author: 'urn:uuid:r' },
  ],
  [{ author: [{ display: 'somebody' }, { reference: 'Device/3' }] }, { author: 'Device/3' }],
  [{ author: { reference: long } }, { author: '' }],
  [{ encounter: { reference: 'Encounter/4' } }, { encounter: 'Encounter/4' }],
  [{ context: { encounter: [{ reference: 'Encounter/5' }] } }, { encounter: 'Encounter/5' }],
  [{ context: { reference: 'Encounter/6' } }, { encounter: 'Encounter/6' }],
  [{ context: { reference: 'EpisodeOfCare/6' } }, { encounter: '' }],
  [
    { resourceType: 'Encounter', id: '7' },
    { type: 'Encounter', encounter: 'Encounter/7' },
  ],
  [
    {
      meta: {
        security: [
          { system: CONFIDENTIALITY, code: 'R' },
          { system: ACT_CODE, code: 'PSY' },
          { system: ACT_CODE, code: 'HIV' },
          { system: ACT_CODE, code: 'HIV' },
          { system: 'http://example.org/labels', code: 'ETH' },
          { system: ACT_CODE, code: 'DELAU' },
        ],
      },
    },
    { labels: ['HIV', 'PSY', 'R'] },
  ],
]

for (const [resource, expected] of CASES) {
  test(`the facts of ${JSON.stringify(resource).slice(0, 90)}`, () => {
    assert.deepEqual(factsIn(resource), { ...NO_CLINICAL_FACTS, ...expected })
  })
}

test('an encounter is what others in its bundle call it', () => {
  const facts = factsIn({ resourceType: 'Encounter', id: '7' }, 'urn:uuid:e')
  assert.equal(facts.encounter, 'urn:uuid:e')
})

test('most records of a patient have a day, and all of them facts that fit', () => {
  const { resources } = readSubmission(generatePatient(3))
  const all = resources.map(({ node, fullUrl }) => clinicalFactsOf(node, fullUrl))
  for (const facts of all) encode(factsSchema, factsOf('a', { ...facts, record: bytesOf('a') }))
  const dated = all.filter(({ date }) => date !== '')
  assert.ok(dated.length > all.length / 2, `${dated.length} of ${all.length}`)
  const seen = new Set(all.map(({ encounter }) => encounter))
  assert.ok(seen.size > 1)
})

test.run()
