// The order of provisions, over consents that nobody would write: what holds for all of them.

import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { test } from 'uvu'
import { CLOCK_SKEW_MS } from '../src/clock.ts'
import type { Consent, Provision } from '../src/consent.ts'
import { type ConsentQuestion, decideConsent, factsNeeded } from '../src/decide-consent.ts'
import { FACET_NAMES } from '../src/facts.ts'
import { closesLabels, opensLabels } from '../src/labels.ts'
import { coversPurpose } from '../src/purpose.ts'
import { bareConsent, DAY_MS, keyOf, questionOf, START } from './consent-world.ts'

const keys = [keyOf(8).publicKey, keyOf(9).publicKey]
const records = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]
const organisations = ['harbor-clinic', 'riverside']
const words = {
  purposes: ['TREAT', 'ETREAT', 'BTG', 'HOPERAT', 'HLEGAL', 'HMARKT', 'HRESCH'],
  classes: ['general', 'emergency', 'sensitive:psy'],
  types: ['Observation', 'Condition'],
  encounters: ['Encounter/1', 'Encounter/2'],
  authors: ['Practitioner/1', 'Practitioner/2'],
  confidentialities: ['N', 'R'],
  sensitivities: ['PSY', 'ETH'],
}

const mostlyNone = <T>(items: readonly T[]) =>
  fc.oneof(
    { weight: 4, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.subarray([...items]) },
  )
const day = fc.constantFrom(null, null, null, null, '2026-01-01', '2026-05-01', '2026-12-31')
const instant = fc.constantFrom(null, null, null, null, START, START + DAY_MS)
const actor = fc.record(
  { organisation: fc.constantFrom(...organisations), practitioner: fc.constantFrom(null, ...keys) },
  { noNullPrototype: true },
)

const provision: fc.Arbitrary<Provision> = fc
  .record(
    {
      type: fc.constantFrom('permit' as const, 'deny' as const),
      start: instant,
      end: instant,
      actors: fc.oneof(fc.constant([]), fc.array(actor, { maxLength: 2 })),
      purposes: mostlyNone(words.purposes),
      firstDay: day,
      lastDay: day,
      records: mostlyNone(records),
      encounters: mostlyNone(words.encounters),
      authors: mostlyNone(words.authors),
      confidentialities: mostlyNone(words.confidentialities),
      sensitivities: mostlyNone(words.sensitivities),
      classes: mostlyNone(words.classes),
      types: mostlyNone(words.types),
      fields: mostlyNone(['/code', '/status']),
    },
    { noNullPrototype: true },
  )
  .map((made) => (made.type === 'deny' ? { ...made, fields: [] } : made))

const consent: fc.Arbitrary<Consent> = fc
  .tuple(provision, fc.array(provision, { maxLength: 5 }))
  .map(([root, nested]) => bareConsent(root, ...nested))

const question: fc.Arbitrary<ConsentQuestion> = fc
  .record(
    {
      time: fc.constantFrom(START - DAY_MS, START, START + DAY_MS, START + 2 * DAY_MS),
      organisation: fc.constantFrom(...organisations),
      practitioner: fc.constantFrom(null, ...keys),
      purpose: fc.constantFrom(...words.purposes),
      class: fc.constantFrom(...words.classes),
      type: fc.constantFrom('', ...words.types),
      record: fc.constantFrom(...records),
      date: fc.constantFrom('', '2025-12-31', '2026-05-01'),
      author: fc.constantFrom('', ...words.authors),
      encounter: fc.constantFrom('', ...words.encounters),
      labels: fc.subarray(['ETHUD', 'PSY', 'R', 'V']),
    },
    { noNullPrototype: true },
  )
  .map(({ time, organisation, practitioner, purpose, ...facts }) =>
    questionOf(facts, { time, organisation, practitioner, purpose }),
  )

const runs = { numRuns: 2_000 }
const permits = (given: Consent, asked: ConsentQuestion) => decideConsent(given, asked).permit

test('the order in which provisions and their lists are written means nothing', () => {
  const shuffled = fc
    .tuple(provision, fc.array(provision, { maxLength: 5 }))
    .chain(([root, nested]) =>
      fc.tuple(
        fc.constant(bareConsent(root, ...nested)),
        fc
          .shuffledSubarray(nested, { minLength: nested.length })
          .map((order) => bareConsent(reversed(root), ...order.map(reversed))),
      ),
    )
  fc.assert(
    fc.property(shuffled, question, ([one, other], asked) => {
      const [first, second] = [decideConsent(one, asked), decideConsent(other, asked)]
      assert.equal(first.permit ? 'permit' : first.code, second.permit ? 'permit' : second.code)
      const fieldsOf = (decision: typeof first) => decision.permit && decision.fields.toSorted()
      assert.deepEqual(fieldsOf(first), fieldsOf(second))
    }),
    runs,
  )
})

function reversed(given: Provision): Provision {
  return {
    ...given,
    actors: given.actors.toReversed(),
    purposes: given.purposes.toReversed(),
    records: given.records.toReversed(),
    sensitivities: given.sensitivities.toReversed(),
    types: given.types.toReversed(),
  }
}

test('one more deny opens nothing, one more permit closes nothing', () => {
  fc.assert(
    fc.property(consent, provision, question, (given, added, asked) => {
      const more = { ...given, provisions: [...given.provisions, added] }
      if (added.type === 'deny') assert.ok(permits(given, asked) || !permits(more, asked))
      else assert.ok(!permits(given, asked) || permits(more, asked))
    }),
    runs,
  )
})

test('breaking the glass, legal use and marketing have to be named', () => {
  fc.assert(
    fc.property(consent, question, (given, asked) => {
      const decision = decideConsent(given, asked)
      if (!decision.permit) return
      const { purposes } = decision.provision.purposes.length > 0 ? decision.provision : given.root
      assert.ok(purposes.length === 0 || coversPurpose(purposes, asked.purpose))
      const isNamed = purposes.includes(asked.purpose)
      if (['BTG', 'HLEGAL', 'HMARKT'].includes(asked.purpose) && purposes.length > 0) {
        assert.ok(isNamed)
      }
    }),
    runs,
  )
})

test('what is hidden and needed is refused; what is not needed changes nothing', () => {
  fc.assert(
    fc.property(consent, question, fc.constantFrom(...FACET_NAMES), (given, asked, facet) => {
      const hidden = { ...asked, facts: { ...asked.facts, [facet]: undefined } }
      if (!factsNeeded(given).includes(facet)) {
        assert.deepEqual(decideConsent(given, hidden), decideConsent(given, asked))
      } else {
        assert.ok(!permits(given, hidden))
      }
    }),
    runs,
  )
})

test('nothing is permitted outside the period of the root, nor to who is not named', () => {
  fc.assert(
    fc.property(consent, question, (given, asked) => {
      const root = { ...given.root, start: START, end: START + DAY_MS }
      const time = asked.time < START + DAY_MS ? START - DAY_MS : asked.time
      assert.ok(!permits({ ...given, root }, { ...asked, time }))
      const named = { actors: [{ organisation: 'st-agnes', practitioner: null }] }
      const closed = [given.root, ...given.provisions].map((each) => ({ ...each, ...named }))
      const [first, ...others] = closed
      assert.ok(
        first !== undefined && !permits({ ...given, root: first, provisions: others }, asked),
      )
    }),
    runs,
  )
})

interface Facet {
  readonly isLimited: (given: Provision) => boolean
  readonly holds: (given: Provision, asked: ConsentQuestion) => boolean
}

const isIn = (items: readonly string[], item: string | undefined) =>
  item !== undefined && items.includes(item)

const who: Record<string, Facet> = {
  organisation: {
    isLimited: ({ actors }) => actors.length > 0,
    holds: ({ actors }, { organisation, practitioner }) =>
      actors.some(
        (each) =>
          each.organisation === organisation &&
          (each.practitioner === null || each.practitioner === practitioner),
      ),
  },
  practitioner: {
    isLimited: ({ actors }) =>
      actors.length > 0 && !actors.some((each) => each.practitioner === null),
    holds: () => true,
  },
}
const why: Record<string, Facet> = {
  purpose: {
    isLimited: ({ purposes }) => purposes.length > 0,
    holds: ({ purposes }, { purpose }) => coversPurpose(purposes, purpose),
  },
}
const what: Record<string, Facet> = {
  class: {
    isLimited: ({ classes, records: named }) => classes.length + named.length > 0,
    holds: ({ classes }, { facts }) => classes.length === 0 || isIn(classes, facts.class),
  },
  type: {
    isLimited: ({ types, records: named }) => types.length + named.length > 0,
    holds: ({ types }, { facts }) => types.length === 0 || isIn(types, facts.type),
  },
  encounter: {
    isLimited: ({ encounters, records: named }) => encounters.length + named.length > 0,
    holds: ({ encounters }, { facts }) =>
      encounters.length === 0 || isIn(encounters, facts.encounter),
  },
  author: {
    isLimited: ({ authors, records: named }) => authors.length + named.length > 0,
    holds: ({ authors }, { facts }) => authors.length === 0 || isIn(authors, facts.author),
  },
  record: {
    isLimited: ({ records: named }) => named.length > 0,
    holds: ({ records: named }, { facts }) =>
      facts.record !== undefined && named.includes(facts.record),
  },
  day: {
    isLimited: ({ firstDay, lastDay, records: named }) =>
      firstDay !== null || lastDay !== null || named.length > 0,
    holds: ({ type, firstDay, lastDay }, { facts: { date = '' } }) =>
      (firstDay === null && lastDay === null) ||
      (date === '' ? type === 'deny' : date >= (firstDay ?? '') && date <= (lastDay ?? '9')),
  },
  label: {
    isLimited: ({ confidentialities, sensitivities, records: named }) =>
      confidentialities.length + sensitivities.length + named.length > 0,
    holds: (given, { facts: { labels = [] } }) =>
      given.confidentialities.length + given.sensitivities.length === 0 ||
      (given.type === 'deny' ? closesLabels(given, labels) : opensLabels(given, labels)),
  },
  field: { isLimited: ({ fields }) => fields.length > 0, holds: () => true },
}
const all = { ...who, ...why, ...what }

const limitsOf = (given: Provision, facets = all): Set<string> =>
  new Set(Object.keys(facets).filter((name) => facets[name]?.isLimited(given)))

function inForce({ start, end }: Provision, time: number): boolean {
  return (start ?? 0) <= time + CLOCK_SKEW_MS && time < (end ?? Number.POSITIVE_INFINITY)
}

function matches(given: Provision, root: Provision, asked: ConsentQuestion): boolean {
  return [who, why, what].every((facets) => {
    const isOwn = given.type === 'deny' || limitsOf(given, facets).size > 0
    const standing = isOwn ? given : { ...root, type: given.type }
    return Object.values(facets).every(
      (facet) => !facet.isLimited(standing) || facet.holds(standing, asked),
    )
  })
}

/** A sensitive record opens to nobody who did not mean it. */
function isMeant(given: Provision, root: Provision, { facts }: ConsentQuestion): boolean {
  const {
    classes,
    records: named,
    confidentialities,
    sensitivities,
  } = limitsOf(given, what).size > 0 ? given : root
  const isNamed = named.length + confidentialities.length + sensitivities.length > 0
  return !facts.class.startsWith('sensitive:') || isNamed || classes.includes(facts.class)
}

/** The order in the words of the specification, with sets of names. */
function decideByTheBook({ root, provisions }: Consent, asked: ConsentQuestion): boolean {
  const found = provisions.filter((each) => inForce(each, asked.time) && matches(each, root, asked))
  const denies = found.filter(({ type }) => type === 'deny')
  const winners = found.filter(
    (each) =>
      each.type === 'permit' &&
      isMeant(each, root, asked) &&
      denies.every((other) => isStricter(limitsOf(each), limitsOf(other))),
  )
  const isOfOne = provisions.some(
    ({ type, actors }) =>
      type === 'deny' &&
      actors.some((each) => each.organisation === asked.organisation && each.practitioner !== null),
  )
  if (!inForce(root, asked.time) || (isOfOne && asked.practitioner === null)) return false
  const isRoot = root.type === 'permit' && matches(root, root, asked) && isMeant(root, root, asked)
  return winners.length > 0 || (denies.length === 0 && isRoot)
}

function isStricter(one: Set<string>, other: Set<string>): boolean {
  return one.size > other.size && [...other].every((name) => one.has(name))
}

test('decisions are those of the specification', () => {
  let permitted = 0
  fc.assert(
    fc.property(consent, question, (given, asked) => {
      const expected = decideByTheBook(given, asked)
      permitted += Number(expected)
      assert.equal(permits(given, asked), expected)
    }),
    { numRuns: 20_000 },
  )
  assert.ok(permitted > 1_000, `only ${permitted} of these permit anything`)
})

test.run()
