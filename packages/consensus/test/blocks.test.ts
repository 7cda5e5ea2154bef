import assert from 'node:assert/strict'
import { test } from 'uvu'
import type { BlockMeta } from '../src/types.ts'
import { Bench, blockOn, configOf, GENESIS, only, typesIn } from './fixture.ts'

function chainOf(length: number): BlockMeta[] {
  const chain: BlockMeta[] = []
  for (let view = 1; view <= length; view += 1) chain.push(blockOn(chain.at(-1) ?? GENESIS, view))
  return chain
}

function tipOf(chain: readonly BlockMeta[]): BlockMeta {
  const tip = chain.at(-1)
  assert.ok(tip !== undefined)
  return tip
}

test('a sync that agreement overtakes is over, and the node leads again', () => {
  const bench = new Bench(configOf(0))
  const chain = chainOf(12)
  bench.certify(bench.finalization(tipOf(chain)))
  assert.ok(typesIn(bench.last).includes('sync'))
  for (const block of chain) bench.feed({ type: 'block', block })
  for (const block of chain) bench.executed(block)
  assert.equal(bench.state.committed.digest, tipOf(chain).digest)
  for (let view = 13; view < 16; view += 1) bench.certify(bench.nullification(view))
  assert.equal(bench.state.view % 4, 0)
  bench.feed({ type: 'work', waiting: true })
  assert.equal(only(bench.last, 'build').view, 16)
  assert.deepEqual(bench.given(), [])
})

test('what stands on a branch that has lost is forgotten, and so is the wish for it', () => {
  const bench = new Bench(configOf(0))
  const [first, second] = chainOf(2)
  assert.ok(first !== undefined && second !== undefined)
  const lost = blockOn(GENESIS, 1, { salt: 1 })
  const tooHigh = blockOn(GENESIS, 2, { salt: 2, height: 1_000_000 })
  bench.propose(lost)
  bench.certify(bench.notarization(blockOn(GENESIS, 1)))
  bench.propose(tooHigh)
  assert.ok(bench.state.fetching.has(first.digest))
  bench.certify(bench.finalization(second))
  bench.feed({ type: 'block', block: first })
  bench.feed({ type: 'block', block: second })
  bench.executed(first)
  bench.executed(second)
  assert.equal(bench.state.committed.height, 2)
  assert.equal(bench.state.blocks.size, 0)
  assert.equal(bench.state.fetching.size, 0)
})

test('a notarized block that nobody needs any more is not wanted any more', () => {
  const bench = new Bench(configOf(0))
  const lost = blockOn(GENESIS, 1)
  const winner = blockOn(GENESIS, 2)
  bench.certify(bench.notarization(lost))
  assert.equal(only(bench.last, 'fetch-block').digest, lost.digest)
  bench.certify(bench.nullification(1))
  bench.notarize(winner)
  bench.certify(bench.finalization(winner))
  assert.equal(bench.state.committed.digest, winner.digest)
  assert.equal(bench.state.fetching.size, 0)
})

test.run()
