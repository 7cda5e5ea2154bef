import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { test } from 'uvu'
import { coversPurpose, isImplicitPurpose, isPurpose, PURPOSES } from '../src/index.ts'

const purpose = fc.constantFrom(...PURPOSES)
const NAMED_ONLY = ['BTG', 'HLEGAL', 'HMARKT']

test('a permission covers what stands below it, but for what must be named', () => {
  const cases: [string, string, boolean][] = [
    ['TREAT', 'TREAT', true],
    ['TREAT', 'COC', true],
    ['TREAT', 'ERTREAT', true],
    ['TREAT', 'BTG', false],
    ['ETREAT', 'BTG', false],
    ['BTG', 'BTG', true],
    ['COC', 'TREAT', false],
    ['HPAYMT', 'ELIGVER', true],
    ['HOPERAT', 'HTEST', true],
    ['HOPERAT', 'LABELING', true],
    ['HOPERAT', 'HLEGAL', false],
    ['HLEGAL', 'HLEGAL', true],
    ['HMARKT', 'HMARKT', true],
    ['HRESCH', 'PRECLINTRCH', true],
    ['TREAT', 'HRESCH', false],
    ['PurposeOfUse', 'TREAT', false],
  ]
  for (const [permitted, asked, isCovered] of cases) {
    assert.equal(coversPurpose([permitted], asked), isCovered, `${permitted} for ${asked}`)
  }
  assert.equal(coversPurpose([], 'TREAT'), false)
  assert.equal(coversPurpose(['CURIOSITY'], 'CURIOSITY'), false)
})

test('covering is a partial order, and more permissions never cover less', () => {
  fc.assert(
    fc.property(purpose, purpose, purpose, (a, b, c) => {
      assert.ok(coversPurpose([a], a))
      if (a !== b) assert.ok(!(coversPurpose([a], b) && coversPurpose([b], a)))
      if (coversPurpose([a], b) && coversPurpose([b], c)) assert.ok(coversPurpose([a], c))
      assert.equal(coversPurpose([a, b], c), coversPurpose([a], c) || coversPurpose([b], c))
    }),
  )
  for (const named of NAMED_ONLY) {
    const others = PURPOSES.filter((each) => each !== named)
    assert.ok(!coversPurpose(others, named), named)
  }
})

test('a custodian reads for treatment and operations, and nothing that must be named', () => {
  assert.ok(['TREAT', 'COC', 'HOPERAT', 'PATADMIN', 'PATRQT', 'FAMRQT'].every(isImplicitPurpose))
  assert.ok(!['BTG', 'HLEGAL', 'HMARKT', 'HRESCH', 'HPAYMT'].some(isImplicitPurpose))
})

interface Concept {
  code: string
  concept?: Concept[]
  property?: { code: string; valueCode?: string }[]
}

/** The reference data of the standards lies beside the project, when it is there. */
const file = new URL(
  '../../../../shared/data/reference/hl7-terminology/CodeSystem-v3-ActReason.json',
  import.meta.url,
)

test('the purposes are those below PurposeOfUse of HL7, with the same parents', () => {
  assert.ok(PURPOSES.length === 59 && PURPOSES.every(isPurpose))
  if (!existsSync(file)) return
  const system: { concept: Concept[] } = JSON.parse(readFileSync(file, 'utf8'))
  const parents = new Map<string, string[]>()
  const walk = (concepts: Concept[], above: string | null): void => {
    for (const { code, concept = [], property = [] } of concepts) {
      const named = property.flatMap((each) =>
        each.code === 'subsumedBy' && each.valueCode !== undefined ? [each.valueCode] : [],
      )
      parents.set(code, above === null ? named : [...named, above])
      walk(concept, code)
    }
  }
  walk(system.concept, null)
  const isBelow = (code: string, above: string): boolean =>
    code === above || (parents.get(code) ?? []).some((each) => isBelow(each, above))
  const all = [...parents.keys()].filter(
    (code) => code !== 'PurposeOfUse' && isBelow(code, 'PurposeOfUse'),
  )
  assert.deepEqual(all.toSorted(), PURPOSES)
  for (const asked of PURPOSES) {
    for (const permitted of PURPOSES) {
      const expected =
        asked === permitted || (!NAMED_ONLY.includes(asked) && isBelow(asked, permitted))
      assert.equal(coversPurpose([permitted], asked), expected, `${permitted} for ${asked}`)
    }
  }
})

test.run()
