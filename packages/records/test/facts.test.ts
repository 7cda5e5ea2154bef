import assert from 'node:assert/strict'
import { decode, encode, equalBytes } from '@mooring/codec'
import * as fc from 'fast-check'
import { test } from 'uvu'
import { type FactsOpening, gateOf, gateTagOf, openFacts, type RecordFacts } from '../src/index.ts'
import {
  FACET_NAMES,
  type FacetName,
  factsOpeningSchema,
  gateOfOpening,
  shownFacts,
} from '../src/facts.ts'
import { bytesOf, factsOf } from './access-world.ts'

const rec = bytesOf('rec')
const facts = factsOf('a', {
  type: 'Observation',
  date: '2026-11-27',
  author: 'Practitioner/7',
  encounter: 'Encounter/9',
  labels: ['HIV', 'R'],
})
const someFacets = fc.subarray([...FACET_NAMES])

const OTHER: Omit<RecordFacts, 'patientKey' | 'class'> = {
  type: 'Condition',
  record: bytesOf('another record'),
  date: '2026-11-28',
  author: 'Practitioner/8',
  encounter: '',
  labels: ['HIV'],
}

test('whatever is shown of the facts opens the same gate, also after a journey', () => {
  const gate = gateOf(rec, facts)
  fc.assert(
    fc.property(someFacets, (names) => {
      const opening = openFacts(rec, facts, names)
      const travelled = decode(factsOpeningSchema, encode(factsOpeningSchema, opening))
      assert.deepEqual(gateOfOpening(gateTagOf(rec), travelled), gate)
    }),
  )
})

test('what is not shown is undefined, what is shown is as it was', () => {
  fc.assert(
    fc.property(someFacets, (names) => {
      const shown = shownFacts(openFacts(rec, facts, names))
      assert.deepEqual(shown.patientKey, facts.patientKey)
      assert.equal(shown.class, facts.class)
      for (const name of FACET_NAMES) {
        assert.deepEqual(shown[name], names.includes(name) ? facts[name] : undefined)
      }
    }),
  )
})

test('a facet that is made up, of another record, or in the place of another opens no gate', () => {
  const tag = gateTagOf(rec)
  const gate = gateOf(rec, facts)
  const isOpen = (opening: FactsOpening): boolean => equalBytes(gateOfOpening(tag, opening), gate)
  const all = openFacts(rec, facts, FACET_NAMES)
  assert.ok(isOpen(all))
  for (const name of FACET_NAMES) {
    const lied = openFacts(rec, { ...facts, [name]: OTHER[name] }, [name])
    assert.ok(!isOpen({ ...all, [name]: lied[name] }), name)
    const foreign = openFacts(bytesOf('another rec'), facts, [name])
    assert.ok(!isOpen({ ...all, [name]: foreign[name] }), name)
  }
  assert.ok(!isOpen({ ...all, author: all.encounter, encounter: all.author }))
  assert.ok(!isOpen({ ...all, class: 'emergency' }))
  assert.ok(!isOpen({ ...all, patientKey: bytesOf('another') }))
})

test('a hidden facet cannot be guessed: its hash has a salt of its own, which nobody is shown', () => {
  const shown = new Set<FacetName>(['record'])
  const one = openFacts(bytesOf('one'), facts, shown)
  const two = openFacts(bytesOf('two'), facts, shown)
  for (const name of FACET_NAMES) {
    if (shown.has(name)) continue
    assert.equal(one[name].kind, 'hidden')
    assert.notDeepEqual(one[name].body, two[name].body, name)
  }
  const salts = FACET_NAMES.map((name) => {
    const facet = openFacts(rec, facts, FACET_NAMES)[name]
    return facet.kind === 'shown' ? facet.body.salt.join() : ''
  })
  assert.equal(new Set(salts).size, FACET_NAMES.length)
})

test.run()
