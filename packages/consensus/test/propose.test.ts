import assert from 'node:assert/strict'
import { test } from 'uvu'
import type { Action } from '../src/actions.ts'
import type { BlockMeta } from '../src/types.ts'
import { Bench, blockOn, configOf, DELTA_MS, GENESIS, only, typesIn, voteOf } from './fixture.ts'

/** Node 0 leads views 4, 8, 12 of four authorities. */
function leader(): Bench {
  return new Bench(configOf(0))
}

function buildIn(actions: readonly Action[]): Extract<Action, { type: 'build' }> {
  return only(actions, 'build')
}

function build(bench: Bench, block: BlockMeta): readonly Action[] {
  return bench.feed({ type: 'built', view: block.view, block, failed: false })
}

test('without work there is no block, no timer and no vote', () => {
  const bench = new Bench(configOf(1))
  for (let second = 0; second < 100; second += 1) {
    bench.now += 1_000
    bench.feed({ type: 'peers', heard: [bench.now, bench.now, bench.now, bench.now] })
    assert.deepEqual(bench.last, [])
  }
})

test('a leader with work builds, and proposes with its vote', () => {
  const bench = new Bench(configOf(1))
  bench.feed({ type: 'work', waiting: true })
  assert.deepEqual(buildIn(bench.last).parent, GENESIS)
  assert.equal(buildIn(bench.last).mayBeEmpty, false)
  bench.feed({ type: 'peers', heard: [null, null, null, null] })
  assert.ok(!typesIn(bench.last).includes('build'), 'once in a view')
  const block = blockOn(GENESIS, 1)
  build(bench, block)
  const { vote, justification } = only(bench.last, 'propose')
  assert.equal(vote.subject.digest, block.digest)
  assert.deepEqual(justification, [])
})

test('who does not lead does not build', () => {
  const bench = new Bench(configOf(2))
  bench.feed({ type: 'work', waiting: true })
  assert.deepEqual(typesIn(bench.last), ['leader', 'certification'])
})

test('the parent is the highest notarized block above which all views are nullified (R3)', () => {
  const bench = leader()
  const old = blockOn(GENESIS, 1)
  const best = blockOn(old, 2)
  bench.notarize(old)
  bench.notarize(best)
  bench.certify(bench.nullification(2), bench.nullification(3))
  bench.feed({ type: 'work', waiting: true })
  const { parent, view } = buildIn(bench.last)
  assert.deepEqual([parent.digest, parent.view, view], [best.digest, 2, 4])
  build(bench, blockOn(best, 4))
  assert.deepEqual(only(bench.last, 'propose').justification, [
    bench.notarization(best),
    bench.nullification(3),
  ])
})

test('a proposal on the view before proves nothing that the votes do not prove', () => {
  const bench = leader()
  const parent = blockOn(GENESIS, 3)
  bench.certify(bench.nullification(1), bench.nullification(2))
  bench.show(parent)
  bench.notarize(parent)
  bench.feed({ type: 'work', waiting: true })
  build(bench, blockOn(parent, 4))
  assert.deepEqual(only(bench.last, 'propose').justification, [])
})

test('with nothing notarized above it the last final block is the parent, and its certificate the proof', () => {
  const bench = leader()
  const final = blockOn(GENESIS, 1)
  bench.notarize(final)
  bench.certify(bench.finalization(final), bench.nullification(2), bench.nullification(3))
  bench.feed({ type: 'work', waiting: true })
  assert.equal(buildIn(bench.last).parent.digest, final.digest)
  build(bench, blockOn(final, 4))
  assert.deepEqual(only(bench.last, 'propose').justification, [
    bench.finalization(final),
    bench.nullification(3),
    bench.nullification(2),
  ])
})

test('a leader to whom a view below is unknown asks everybody and waits', () => {
  const bench = leader()
  bench.certify(bench.nullification(1), bench.nullification(3))
  bench.feed({ type: 'work', waiting: true })
  assert.ok(!typesIn(bench.last).includes('build'))
  assert.deepEqual(
    bench.sent('send').map(({ to }) => to),
    [1, 2, 3],
  )
  bench.certify(bench.nullification(2))
  assert.equal(buildIn(bench.last).parent.digest, GENESIS.digest)
})

test('a parent whose body is missing is fetched from its signers before anything is built', () => {
  const bench = leader()
  const parent = blockOn(GENESIS, 3)
  bench.certify(bench.nullification(1), bench.nullification(2), bench.notarization(parent))
  const { digest, holders } = only(bench.last, 'fetch-block')
  assert.deepEqual([digest, holders], [parent.digest, [1, 2, 3]])
  bench.feed({ type: 'work', waiting: true })
  bench.feed({ type: 'block', block: parent })
  assert.ok(!typesIn(bench.actions).includes('build'))
  bench.executed(parent)
  assert.equal(buildIn(bench.last).parent.digest, parent.digest)
})

test('a gap longer than a proposal can prove is proven from its near end', () => {
  const bench = leader()
  for (let view = 1; view < 40; view += 1) bench.certify(bench.nullification(view))
  bench.feed({ type: 'work', waiting: true })
  build(bench, blockOn(GENESIS, 40))
  const views = only(bench.last, 'propose').justification.map(({ subject }) => subject.view)
  assert.equal(views.length, 33)
  assert.deepEqual([views[0], views.at(-1)], [39, 7])
})

test('a leader that cannot build nullifies its view at once', () => {
  const bench = new Bench(configOf(1))
  bench.feed({ type: 'work', waiting: true })
  bench.feed({ type: 'built', view: 1, block: null, failed: true })
  assert.deepEqual(bench.given(), ['nullify 1'])
})

test('a leader that finds nothing to build has no work any more', () => {
  const bench = new Bench(configOf(1))
  bench.feed({ type: 'work', waiting: true })
  bench.feed({ type: 'built', view: 1, block: null, failed: false })
  bench.timer('leader')
  bench.timer('certification')
  assert.deepEqual(bench.given(), [])
  bench.feed({ type: 'work', waiting: true })
  assert.ok(typesIn(bench.last).includes('build'))
})

test('a block that is built too late is not proposed', () => {
  const bench = new Bench(configOf(1))
  bench.feed({ type: 'work', waiting: true })
  bench.certify(bench.nullification(1))
  build(bench, blockOn(GENESIS, 1))
  assert.deepEqual(bench.given(), [])

  const nullified = new Bench(configOf(1))
  nullified.feed({ type: 'work', waiting: true })
  nullified.timer('leader')
  build(nullified, blockOn(GENESIS, 1))
  assert.deepEqual(nullified.given(), ['nullify 1'])
})

test('a leader that is catching up leaves its view to the next', () => {
  const bench = leader()
  const tip = { ...blockOn(GENESIS, 100), height: 100 }
  bench.certify(bench.finalization(tip))
  assert.ok(typesIn(bench.last).includes('sync'))
  bench.certify(bench.nullification(101), bench.nullification(102))
  assert.deepEqual(bench.given(), [])
  bench.certify(bench.nullification(103))
  assert.equal(bench.state.view, 104)
  assert.deepEqual(bench.given(), ['nullify 104'])
})

test('blocks keep their distance', () => {
  const bench = new Bench({ ...configOf(2), minBlockIntervalMs: 400 })
  const first = blockOn(GENESIS, 1)
  bench.show(first)
  bench.certify(bench.notarization(first))
  bench.now += 100
  bench.feed({ type: 'work', waiting: true })
  assert.ok(bench.last.every(({ type }) => type !== 'build'))
  const wait = bench.last.find((action) => action.type === 'set-timer' && action.name === 'build')
  assert.ok(wait?.type === 'set-timer' && wait.afterMs === 300)
  bench.now += 300
  bench.timer('build')
  assert.equal(buildIn(bench.last).parent.digest, first.digest)
})

test('content that stays unfinalized for two delta is completed by an empty block', () => {
  const bench = new Bench(configOf(2))
  const first = blockOn(GENESIS, 1)
  bench.show(first)
  bench.certify(bench.notarization(first))
  const wait = bench.last.find(
    (action) => action.type === 'set-timer' && action.name === 'completion',
  )
  assert.ok(wait?.type === 'set-timer' && wait.afterMs === 2 * DELTA_MS)
  assert.ok(!typesIn(bench.last).includes('build'))
  bench.now += 2 * DELTA_MS
  bench.timer('completion')
  assert.equal(buildIn(bench.last).mayBeEmpty, true)
})

test('an empty block is no content: the chain comes to rest on it', () => {
  const bench = new Bench(configOf(2))
  const first = blockOn(GENESIS, 1, { isEmpty: true })
  bench.show(first)
  bench.certify(bench.notarization(first))
  bench.now += 10 * DELTA_MS
  bench.feed({ type: 'peers', heard: [null, null, null, null] })
  assert.ok(!typesIn(bench.actions).includes('build'))
  assert.ok(!typesIn(bench.last).includes('leader'))
})

test('timers that outlive their work vote nothing and start again with the next', () => {
  const bench = new Bench(configOf(2))
  bench.feed({ type: 'work', waiting: true })
  bench.feed({ type: 'work', waiting: false })
  bench.timer('leader')
  bench.timer('certification')
  assert.deepEqual(bench.given(), [])
  bench.feed({ type: 'work', waiting: true })
  assert.deepEqual(typesIn(bench.last), ['leader', 'certification'])
})

test('a proposal stops the leader timer and not the certification timer', () => {
  const bench = new Bench(configOf(2))
  bench.feed({ type: 'work', waiting: true })
  bench.show(blockOn(GENESIS, 1))
  bench.timer('leader')
  assert.deepEqual(bench.given(), ['notarize 1'])
  bench.timer('certification')
  assert.deepEqual(bench.given(), ['notarize 1', 'nullify 1'])
})

test('patience grows once a whole rotation has failed, and never beyond sixteen times', () => {
  const bench = new Bench(configOf(2))
  bench.feed({ type: 'work', waiting: true })
  const leaderMs = (): number => {
    const timer = bench.last.find(
      (action) => action.type === 'set-timer' && action.name === 'leader',
    )
    assert.ok(timer?.type === 'set-timer')
    return timer.afterMs
  }
  const waits: number[] = []
  for (let view = 1; view < 40; view += 1) {
    bench.certify(bench.nullification(view))
    waits.push(leaderMs())
  }
  assert.deepEqual(waits.slice(0, 5), [300, 300, 300, 300, 450])
  assert.equal(Math.max(...waits), 16 * 2 * DELTA_MS)
})

test('a leader not heard of while a quorum was is skipped, also when idle', () => {
  const bench = new Bench(configOf(2))
  bench.feed({ type: 'peers', heard: [bench.now, bench.now - 2_000, null, bench.now] })
  assert.deepEqual(bench.given(), ['nullify 1'])
  bench.certify(bench.nullification(1))
  assert.deepEqual(bench.given(), ['nullify 1'], 'the next leader is itself')
})

test('a leader that returns is waited for in its very next view', () => {
  const bench = new Bench(configOf(2))
  bench.feed({ type: 'peers', heard: [bench.now, null, null, bench.now] })
  assert.deepEqual(bench.given(), ['nullify 1'])
  for (const view of [1, 2, 3, 4]) bench.certify(bench.nullification(view))
  assert.deepEqual(bench.given(), ['nullify 1', 'nullify 5'], 'it is still away')
  bench.feed({ type: 'peers', heard: [bench.now, bench.now, null, bench.now] })
  for (const view of [5, 6, 7, 8]) bench.certify(bench.nullification(view))
  assert.deepEqual(bench.given(), ['nullify 1', 'nullify 5'])
})

test('who hears no quorum accuses nobody', () => {
  const bench = new Bench(configOf(2))
  bench.feed({ type: 'peers', heard: [bench.now, null, null, null] })
  assert.deepEqual(bench.given(), [])
})

test('a dead leader whose proposal is here is not skipped', () => {
  const bench = new Bench(configOf(2))
  bench.show(blockOn(GENESIS, 1))
  bench.feed({ type: 'peers', heard: [bench.now, null, null, bench.now] })
  assert.deepEqual(bench.given(), ['notarize 1'])
})

test('f + 1 nullifies make an empty block welcome', () => {
  const bench = new Bench(configOf(1))
  bench.vote(voteOf('nullify', 1, 2), voteOf('nullify', 1, 3))
  assert.equal(buildIn(bench.last).mayBeEmpty, true)
})

test.run()
