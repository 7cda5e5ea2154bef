import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import { MUTANTS, mutate, urlOf } from './mutants.ts'

test('every mutant finds its place in the source, once', () => {
  for (const mutant of MUTANTS) {
    const source = readFileSync(urlOf(mutant), 'utf8')
    assert.notEqual(mutate(mutant, source), source, mutant.name)
  }
})

test('a mutant whose place is gone, or is not one, is an error', () => {
  const mutant = { name: 'a change', file: 'none.ts', from: 'b', to: 'c' }
  assert.equal(mutate(mutant, 'a b d'), 'a c d')
  assert.throws(() => mutate(mutant, 'a d'))
  assert.throws(() => mutate(mutant, 'b b'))
  assert.throws(() => mutate({ ...mutant, and: { from: 'x', to: 'y' } }, 'a b d'))
})

test('no two mutants have one name', () => {
  assert.equal(new Set(MUTANTS.map(({ name }) => name)).size, MUTANTS.length)
})

test.run()
