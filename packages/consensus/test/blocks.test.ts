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

test('a block is executed after its parent, and a missing ancestor is fetched from the signers', () => {
  const bench = new Bench(configOf(0))
  const [first, second, third] = chainOf(3)
  assert.ok(first !== undefined && second !== undefined && third !== undefined)
  bench.feed({ type: 'block', block: third })
  bench.certify(bench.notarization(third))
  assert.deepEqual(only(bench.last, 'fetch-block'), {
    type: 'fetch-block',
    digest: second.digest,
    holders: [1, 2, 3],
  })
  bench.feed({ type: 'block', block: second })
  assert.equal(only(bench.last, 'fetch-block').digest, first.digest)
  bench.feed({ type: 'block', block: first })
  const order: string[] = []
  for (const block of [first, second, third]) {
    order.push(only(bench.last, 'execute').digest)
    bench.executed(block)
  }
  assert.deepEqual(order, [first.digest, second.digest, third.digest])
  assert.deepEqual(bench.given(), ['finalize 3'])
})

test('a finalization commits its ancestors in order, once all are executed', () => {
  const bench = new Bench(configOf(0))
  const chain = chainOf(3)
  for (const block of chain) bench.feed({ type: 'block', block })
  bench.certify(bench.finalization(tipOf(chain)))
  for (const block of chain) {
    assert.ok(!typesIn(bench.actions).includes('commit'))
    bench.executed(block)
  }
  const { blocks, finalization } = only(bench.actions, 'commit')
  assert.deepEqual(blocks, chain)
  assert.deepEqual(finalization, bench.finalization(tipOf(chain)))
  assert.equal(bench.state.committed.height, 3)
})

test('a finalization whose block is unknown is kept, and its block fetched', () => {
  const bench = new Bench(configOf(0))
  const [block] = chainOf(1)
  assert.ok(block !== undefined)
  bench.certify(bench.finalization(block))
  assert.equal(bench.state.final.view, 1)
  assert.equal(only(bench.last, 'fetch-block').digest, block.digest)
  bench.feed({ type: 'block', block })
  bench.executed(block)
  assert.deepEqual(only(bench.last, 'commit').blocks, [block])
})

test('a block is asked for once, until it is here or a commit has changed what is wanted', () => {
  const bench = new Bench(configOf(0))
  const [first, second] = chainOf(2)
  assert.ok(first !== undefined && second !== undefined)
  bench.certify(bench.notarization(second))
  only(bench.last, 'fetch-block')
  for (let again = 0; again < 3; again += 1) {
    bench.timer('status')
    assert.ok(!typesIn(bench.last).includes('fetch-block'))
  }
  bench.notarize(first)
  bench.certify(bench.finalization(first))
  bench.timer('status')
  assert.equal(only(bench.last, 'fetch-block').digest, second.digest)
})

test('eight missing blocks are fetched one by one, nine are left to sync', () => {
  for (const [length, type] of [
    [8, 'fetch-block'],
    [9, 'sync'],
  ] as const) {
    const bench = new Bench(configOf(0))
    bench.certify(bench.finalization(tipOf(chainOf(length))))
    only(bench.last, type)
  }
})

test('a gap below blocks that are here is counted as well: nothing in it is fetched one by one', () => {
  for (const [missing, type] of [
    [8, 'fetch-block'],
    [9, 'sync'],
  ] as const) {
    const bench = new Bench(configOf(0))
    const chain = chainOf(missing + 2)
    const tip = tipOf(chain)
    for (const block of chain.slice(-2)) bench.feed({ type: 'block', block })
    bench.certify(bench.finalization(tip))
    const wanted = typesIn(bench.last).filter((each) => each === 'sync' || each === 'fetch-block')
    assert.deepEqual(wanted, [type])
    bench.show(blockOn(tip, tip.view + 1))
    assert.ok(!typesIn(bench.last).includes('fetch-block'))
  }
})

test('who is far behind gives up his own view at once, although the newest blocks are here', () => {
  const bench = new Bench(configOf(0))
  const chain = chainOf(30)
  const tip = tipOf(chain)
  for (const block of chain.slice(-2)) bench.feed({ type: 'block', block })
  bench.feed({ type: 'work', waiting: true })
  bench.certify(bench.finalization(tip))
  bench.certify(bench.nullification(31))
  assert.equal(bench.state.view % 4, 0)
  assert.deepEqual(bench.given(), ['nullify 32'])
})

test('a higher finalization is a new target for sync, the same or a lower one is not', () => {
  const bench = new Bench(configOf(0))
  const chain = chainOf(40)
  const at = (height: number): BlockMeta => tipOf(chain.slice(0, height))
  bench.certify(bench.finalization(at(20)))
  assert.equal(only(bench.last, 'sync').finalization.subject.height, 20)
  bench.certify(bench.finalization(at(15)))
  bench.timer('status')
  assert.ok(!typesIn(bench.last).includes('sync'))
  bench.certify(bench.finalization(at(40)))
  assert.equal(only(bench.last, 'sync').finalization.subject.height, 40)
})

test('what sync has committed raises the floor and moves the view, and agreement goes on there', () => {
  const bench = new Bench(configOf(0))
  const chain = chainOf(20)
  const tip = tipOf(chain)
  bench.certify(bench.finalization(tip))
  bench.feed({ type: 'synced', block: tip, finalization: bench.finalization(tip) })
  assert.equal(bench.state.committed.digest, tip.digest)
  assert.equal(bench.state.view, 21)
  assert.equal(bench.state.syncing, 0)
  bench.show(blockOn(tip, 21))
  assert.deepEqual(bench.given(), ['notarize 21'])
})

test('sync with the finalization of a later block than was known raises the last finalization too', () => {
  const bench = new Bench(configOf(0))
  const chain = chainOf(20)
  const tip = tipOf(chain)
  bench.feed({ type: 'synced', block: tip, finalization: bench.finalization(tip) })
  assert.deepEqual([bench.state.final.view, bench.state.view], [20, 21])
})

test('sync on its way to a later finalization leaves the rest to fetch or to sync', () => {
  const bench = new Bench(configOf(0))
  const chain = chainOf(20)
  const finalization = bench.finalization(tipOf(chain))
  for (const height of [5, 15]) {
    const block = chain[height - 1]
    assert.ok(block !== undefined)
    bench.feed({ type: 'synced', block, finalization })
    assert.deepEqual([bench.state.committed.height, bench.state.final.view], [height, 20])
  }
  assert.ok(typesIn(bench.last).includes('fetch-block'))
  assert.equal(bench.state.view, 21)
})

test('a report of sync that comes too late moves nothing back', () => {
  const bench = new Bench(configOf(0))
  const chain = chainOf(3)
  for (const block of chain) bench.feed({ type: 'block', block })
  bench.certify(bench.finalization(tipOf(chain)))
  for (const block of chain) bench.executed(block)
  const [first] = chain
  assert.ok(first !== undefined)
  bench.feed({ type: 'synced', block: first, finalization: bench.finalization(first) })
  assert.deepEqual([bench.state.committed.height, bench.state.final.view], [3, 3])
  assert.equal(bench.state.view, 4)
})

test('a final block that this node finds invalid stops it, and is not committed', () => {
  const bench = new Bench(configOf(0))
  const [block] = chainOf(1)
  assert.ok(block !== undefined)
  bench.feed({ type: 'block', block })
  bench.certify(bench.finalization(block))
  bench.executed(block, 'invalid')
  assert.equal(only(bench.last, 'halt').reason.code, 'state_diverged')
  assert.ok(!typesIn(bench.actions).includes('commit'))
})

test('what sync finds not to execute stops the node as what agreement finds', () => {
  const bench = new Bench(configOf(0))
  const { digest } = blockOn(GENESIS, 1)
  bench.feed({ type: 'diverged', digest, view: 1 })
  assert.deepEqual(only(bench.last, 'halt').reason, { code: 'state_diverged', digest, view: 1 })
  bench.show(blockOn(GENESIS, 1))
  assert.deepEqual(bench.given(), [])
})

test.run()
