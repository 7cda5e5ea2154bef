import assert from 'node:assert/strict'
import { test } from 'uvu'
import { Agreement } from './agreement.ts'
import { calmPlan, NO_FAULTS, type Plan } from './plan.ts'
import { runPlan } from './run-seed.ts'

const SECOND = 1_000
const HOUR = 3_600 * SECOND

function everywhere(run: Agreement, name: string): boolean {
  return run.honest.every(({ isUp, ledger }) => isUp && ledger.included.has(name))
}

function votes(run: Agreement): number {
  const kinds = ['notarize', 'nullify', 'finalize']
  return kinds.reduce((sum, kind) => sum + (run.counters.get(kind) ?? 0), 0)
}

function settled(plan: Plan): Agreement {
  const run = new Agreement(plan)
  run.scheduler.run(run.scheduler.now + 5 * SECOND)
  return run
}

test('an idle network votes on nothing for an hour', () => {
  const run = settled(calmPlan(4))
  run.scheduler.run(run.scheduler.now + HOUR)
  assert.equal(votes(run), 0)
  assert.equal(run.oracle.finals.size, 1)
})

test('with a heartbeat an idle network makes a block for each, and no more', () => {
  const run = settled({ ...calmPlan(4), heartbeatMs: 10 * SECOND })
  const before = run.oracle.finals.size
  run.scheduler.run(run.scheduler.now + 600 * SECOND)
  const beats = run.oracle.finals.size - before
  assert.ok(beats >= 55 && beats <= 60, `${beats} blocks in 60 beats`)
  assert.equal(run.counters.get('nullify'), undefined)
})

for (const dead of [0, 1])
  test(`sixty transactions an hour make sixty blocks, with ${dead} of four dead`, () => {
    const actors = new Map(dead === 0 ? [] : [[2, 'silent' as const]])
    const run = settled({ ...calmPlan(4), actors })
    const latencies: number[] = []
    for (let count = 0; count < 60; count += 1) {
      const begun = run.scheduler.now
      run.submit(`tx ${count}`)
      run.scheduler.run(begun + 60 * SECOND, () => everywhere(run, `tx ${count}`))
      latencies.push(run.scheduler.now - begun)
      run.scheduler.run(begun + 60 * SECOND)
    }
    assert.equal(run.oracle.finals.size, 61)
    // Gossip 40 and three delays of at most 40 ms, each with a sync of the disk.
    assert.ok(Math.max(...latencies) <= 180, `${Math.max(...latencies)} ms`)
  })

test('without a quorum the view stands still, and finality is back soon after the quorum (L3)', () => {
  for (const authorities of [4, 7, 10]) {
    const run = settled(calmPlan(authorities))
    const half = Array.from({ length: authorities >> 1 }, (_, index) => index)
    const rest = Array.from(
      { length: authorities - half.length },
      (_, index) => half.length + index,
    )
    run.submit('before')
    run.scheduler.run(run.scheduler.now + SECOND)
    run.links.cut(half, rest, true)
    run.submit('during')
    run.scheduler.run(run.scheduler.now + SECOND)
    const views = run.machines.map(({ state }) => state.view)
    run.scheduler.run(run.scheduler.now + HOUR / 10)
    assert.deepEqual(
      run.machines.map(({ state }) => state.view),
      views,
    )
    assert.ok(!everywhere(run, 'during'))
    run.links.heal()
    const healed = run.scheduler.now
    run.scheduler.run(healed + 4 * SECOND, () => everywhere(run, 'during'))
    assert.ok(everywhere(run, 'during'), `${authorities} authorities`)
  }
})

test('a network that loses power again and again keeps every promise', () => {
  for (const seed of [1, 2, 3]) {
    const { run } = runPlan({
      ...calmPlan(4),
      seed,
      calmMs: 20 * SECOND,
      transactions: 60,
      faults: { ...NO_FAULTS, powerCutsPerSecond: 2, slowDisk: 0.3, downMs: 600, commitMs: 400 },
    })
    assert.ok((run.counters.get('power cut') ?? 0) > 10)
    assert.ok((run.counters.get('restart with an unfinished commit') ?? 0) > 0)
  }
})

test('a gap of more views than a proposal can prove is bridged', () => {
  const faults = { ...NO_FAULTS, proposalLoss: 1 }
  const { run } = runPlan({ ...calmPlan(4), calmMs: 260 * SECOND, transactions: 2, faults })
  assert.ok((run.counters.get('proposal over more views than it can justify') ?? 0) > 0)
})

test('a node that missed many blocks catches up in ranges and votes again', () => {
  const run = settled(calmPlan(4))
  run.links.cut([3], [0, 1, 2], true)
  for (let count = 0; count < 40; count += 1) {
    run.submit(`tx ${count}`)
    run.scheduler.run(run.scheduler.now + SECOND)
  }
  const [, , , laggard] = run.machines
  assert.equal(laggard?.ledger.tip.height, 0)
  run.links.heal()
  run.scheduler.run(run.scheduler.now + 10 * SECOND)
  assert.equal(laggard?.ledger.tip.height, run.oracle.finals.size - 1)
  assert.ok((run.counters.get('synced range') ?? 0) > 0)
  run.links.cut([0], [1, 2, 3], true)
  run.submit('needs the laggard')
  run.scheduler.run(run.scheduler.now + 5 * SECOND)
  assert.ok(laggard?.ledger.included.has('needs the laggard'))
})

test('networks of one, two and three agree as well', () => {
  for (const authorities of [1, 2, 3])
    for (const seed of [1, 2])
      runPlan({
        ...calmPlan(authorities),
        seed,
        calmMs: 10 * SECOND,
        transactions: 10,
        faults: { ...NO_FAULTS, loss: 0.1, crashesPerSecond: 0.5, powerCutsPerSecond: 0.2 },
      })
})

test.run()
