import assert from 'node:assert/strict'
import { test } from 'uvu'
import type { Evidence, Vote } from '../src/types.ts'
import { Bench, blockOn, configOf, GENESIS, voteOf } from './fixture.ts'

const block = blockOn(GENESIS, 1)
const other = blockOn(GENESIS, 1, { salt: 1 })

function accusations(bench: Bench): Evidence[] {
  return bench.actions.flatMap((action) => (action.type === 'evidence' ? [action.evidence] : []))
}

function kinds(bench: Bench): string[] {
  return accusations(bench).map(({ kind, first }) => `${kind} by ${first.signer}`)
}

test('two notarizes of one authority in one view are evidence, whichever comes first', () => {
  for (const votes of [
    [voteOf('notarize', block, 2), voteOf('notarize', other, 2)],
    [voteOf('notarize', other, 2), voteOf('notarize', block, 2)],
  ]) {
    const bench = new Bench(configOf(0))
    bench.vote(...votes)
    assert.deepEqual(accusations(bench), [
      { kind: 'conflicting_notarize', first: votes[0], second: votes[1] },
    ])
  }
})

test('subjects that differ in the parent view alone conflict', () => {
  const bench = new Bench(configOf(0))
  bench.certify(bench.nullification(1), bench.nullification(2))
  const late = blockOn(GENESIS, 3)
  bench.vote(voteOf('notarize', late, 2), voteOf('notarize', { ...late, parentView: 1 }, 2))
  assert.deepEqual(kinds(bench), ['conflicting_notarize by 2'])
})

test('two finalizes, and a nullify beside a finalize, are evidence', () => {
  const bench = new Bench(configOf(0))
  bench.vote(voteOf('finalize', block, 1), voteOf('finalize', other, 1))
  bench.vote(voteOf('finalize', block, 2), voteOf('nullify', 1, 2))
  bench.vote(voteOf('nullify', 1, 3), voteOf('finalize', block, 3))
  assert.deepEqual(kinds(bench), [
    'conflicting_finalize by 1',
    'nullify_finalize by 2',
    'nullify_finalize by 3',
  ])
})

test('a notarize of one block, a finalize of another and a nullify beside a notarize are allowed', () => {
  const bench = new Bench(configOf(0))
  bench.vote(voteOf('notarize', block, 2), voteOf('finalize', other, 2))
  bench.vote(voteOf('notarize', block, 3), voteOf('nullify', 1, 3), voteOf('nullify', 1, 3))
  assert.deepEqual(kinds(bench), [])
})

test('an offence is reported once, however often its votes come', () => {
  const bench = new Bench(configOf(0))
  const votes: Vote[] = [voteOf('notarize', block, 2), voteOf('notarize', other, 2)]
  for (let again = 0; again < 5; again += 1) bench.vote(...votes)
  assert.deepEqual(kinds(bench), ['conflicting_notarize by 2'])
})

test('the first vote stays: a later one neither replaces it nor adds to another block', () => {
  const bench = new Bench(configOf(0))
  bench.vote(voteOf('notarize', other, 2))
  bench.vote(
    voteOf('notarize', block, 1),
    voteOf('notarize', block, 2),
    voteOf('notarize', block, 3),
  )
  assert.equal(bench.state.view, 1)
  assert.equal(bench.state.views.get(1)?.notarize.get(2)?.subject.digest, other.digest)
})

test('votes inside a certificate convict as well as single ones', () => {
  const bench = new Bench(configOf(0))
  bench.vote(voteOf('finalize', block, 3))
  bench.certify(bench.nullification(1, [1, 2, 3]))
  assert.deepEqual(kinds(bench), ['nullify_finalize by 3'])
  bench.vote(voteOf('finalize', block, 2))
  assert.deepEqual(kinds(bench), ['nullify_finalize by 3', 'nullify_finalize by 2'])
})

test('a double vote hidden in a notarization is found', () => {
  const bench = new Bench(configOf(0))
  bench.vote(voteOf('notarize', other, 2))
  bench.certify(bench.notarization(block))
  assert.deepEqual(kinds(bench), ['conflicting_notarize by 2'])
})

test('votes too old or too far ahead are not kept and prove nothing', () => {
  const bench = new Bench(configOf(0))
  const far = blockOn(GENESIS, 40)
  bench.vote(voteOf('notarize', far, 2), voteOf('notarize', { ...far, parentView: 3 }, 2))
  assert.deepEqual(kinds(bench), [])
  assert.equal(bench.state.views.size, 0)
})

test.run()
