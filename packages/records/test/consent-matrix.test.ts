// The consent matrix: the examples of IHE PCF, and the cases that this project adds: class, type,
// record, field, and who reads for whom.

import assert from 'node:assert/strict'
import { test } from 'uvu'
import { type Consent, levelOf } from '../src/consent.ts'
import { formatConsent, parseConsent } from '../src/consent-json.ts'
import { decideConsent } from '../src/decide-consent.ts'
import {
  bareConsent,
  DAY_MS,
  deny,
  keyOf,
  permit,
  questionOf,
  RECORD,
  START,
} from './consent-world.ts'
import {
  ADVANCED,
  actors,
  BASIC,
  bySpecialist,
  type Case,
  INTERMEDIATE,
  labelled,
  TPO,
} from './pcf-cases.ts'

const OURS: Case[] = [
  {
    name: 'only the allergies',
    consent: bareConsent(permit({ ...TPO, types: ['AllergyIntolerance'] })),
    level: 'basic',
    rows: [
      ['an allergy', 'permit', { type: 'AllergyIntolerance', class: 'emergency' }],
      ['a condition', 'type_not_covered', { type: 'Condition' }],
      ['bytes that are no resource', 'type_not_covered', { type: '' }],
      ['hidden', 'facts_missing', { type: undefined }],
    ],
  },
  {
    name: 'whole classes',
    consent: bareConsent(permit({ ...TPO, classes: ['general', 'sensitive:psy'] })),
    level: 'basic',
    rows: [
      ['one of them', 'permit'],
      ['the sensitive one, by name', 'permit', { class: 'sensitive:psy' }],
      ['another sensitive one', 'class_not_covered', { class: 'sensitive:hiv' }],
      ['another', 'class_not_covered', { class: 'imaging' }],
      ['all facets hidden, which nobody needs', 'permit', { type: undefined, labels: undefined }],
    ],
  },
  {
    name: 'all but one record of a type',
    consent: bareConsent(permit({ ...TPO, types: ['Observation'] }), deny({ records: [RECORD] })),
    level: 'intermediate',
    rows: [
      ['that one', 'denied'],
      ['another', 'permit', { record: new Uint8Array(32) }],
    ],
  },
  {
    name: 'one record out of what is denied',
    consent: bareConsent(
      permit(TPO),
      deny({ sensitivities: ['PSY'] }),
      permit({ records: [RECORD] }),
    ),
    level: 'advanced',
    rows: [
      ['that one', 'permit', labelled('PSY')],
      ['another', 'denied', { ...labelled('PSY'), record: new Uint8Array(32) }],
    ],
  },
  {
    name: 'denied and permitted alike',
    consent: bareConsent(
      permit(TPO),
      permit({ types: ['Observation'] }),
      deny({ types: ['Observation', 'Condition'] }),
    ),
    level: 'intermediate',
    rows: [
      ['deny wins', 'denied'],
      ['what neither names', 'permit', { type: 'Claim' }],
    ],
  },
  {
    name: 'limited in different ways',
    consent: bareConsent(permit(TPO), permit({ types: ['Observation'] }), deny({ actors })),
    level: 'intermediate',
    rows: [
      ['neither is more specific, so deny wins', 'denied', {}, bySpecialist],
      ['a colleague', 'permit', {}, { practitioner: keyOf(9).publicKey }],
      ['somebody who could be the one', 'practitioner_missing'],
    ],
  },
  {
    name: 'a part of it for a part of the time',
    consent: bareConsent(
      deny({ start: START, end: START + 30 * DAY_MS }),
      permit({ ...TPO, end: START + DAY_MS, types: ['Observation'] }),
    ),
    level: 'intermediate',
    rows: [
      ['while it lasts', 'permit', {}, { time: START + DAY_MS - 1 }],
      ['afterwards', 'grant_expired', {}, { time: START + DAY_MS }],
      ['another type', 'type_not_covered', { type: 'Claim' }, { time: START }],
    ],
  },
]

for (const [group, cases] of Object.entries({ BASIC, INTERMEDIATE, ADVANCED, OURS })) {
  for (const { name, consent, level, rows } of cases) {
    test(`${group.toLowerCase()}: ${name}`, () => {
      assert.equal(levelOf(consent), level)
      const read = parseConsent(formatConsent(consent))
      assert.deepEqual(read, consent)
      for (const [what, expected, facts, asked] of rows) {
        const decision = decideConsent(read, questionOf(facts, asked))
        assert.equal(decision.permit ? 'permit' : decision.code, expected, what)
      }
    })
  }
}

const fieldsOf = (consent: Consent) => {
  const decision = decideConsent(consent, questionOf())
  return decision.permit ? decision.fields : decision.code
}

test('fields: what may be shown, and when it is the record', () => {
  const code = permit({ ...TPO, fields: ['/code'] })
  assert.deepEqual(fieldsOf(bareConsent(code)), ['/code'])
  const both = bareConsent(deny(), code, permit({ ...TPO, fields: ['/status', '/code'] }))
  assert.deepEqual(fieldsOf(both), ['/code', '/status'])
  const whole = bareConsent(deny(), code, permit({ ...TPO, types: ['Observation'] }))
  assert.deepEqual(fieldsOf(whole), [])
  assert.deepEqual(fieldsOf(bareConsent(permit(TPO), code)), [])
  const denied = deny({ types: ['Observation'] })
  assert.equal(fieldsOf(bareConsent(permit(TPO), code, denied)), 'denied')
})

test('fields: a permit that says nothing of content opens no more than the fields of the root', () => {
  const code = permit({ ...TPO, fields: ['/code'] })
  const { actors: readers } = permit(TPO)
  for (const silent of [permit(), permit({ purposes: ['TREAT'] }), permit({ actors: readers })]) {
    assert.deepEqual(fieldsOf(bareConsent(code, silent)), ['/code'])
  }
  const more = permit({ fields: ['/status'] })
  assert.deepEqual(fieldsOf(bareConsent(code, permit(), more)), ['/code', '/status'])
})

test.run()
