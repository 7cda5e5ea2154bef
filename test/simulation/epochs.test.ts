import assert from 'node:assert/strict'
import { test } from 'uvu'
import { Agreement } from './agreement.ts'
import { calmPlan, NO_FAULTS, type Plan } from './plan.ts'
import { runPlan } from './run-seed.ts'

const SECOND = 1_000

function everywhere(run: Agreement, name: string): boolean {
  return run.honest.every(({ isUp, ledger }) => isUp && ledger.included.has(name))
}

/** Ten nodes of which seven are authorities; a change is due with every block. */
function changing(change: Partial<Plan> = {}): Plan {
  return { ...calmPlan(10), founders: [0, 1, 2, 3, 4, 5, 6], ...change }
}

test('an epoch ends with as many dead as both of its sets can bear (L9)', () => {
  const actors = new Map([0, 7].map((node) => [node, 'silent' as const]))
  const run = new Agreement(changing({ actors }))
  run.mustSeal = true
  for (let epoch = 1; epoch <= 12; epoch += 1) {
    const begun = run.scheduler.now
    run.submit(`ends epoch ${epoch}`)
    const isBegun = (): boolean => run.honest.every((machine) => machine.epoch >= epoch)
    run.scheduler.run(begun + 20 * SECOND, isBegun)
    assert.ok(isBegun(), `epoch ${epoch} after ${run.scheduler.now - begun} ms`)
  }
  assert.ok((run.counters.get('became an authority') ?? 0) > 0)
})

test('nobody votes for the end of the epoch before, though a traitor proposes it after a dead leader', () => {
  const actors: Plan['actors'] = new Map([
    [0, 'silent'],
    [1, 'seal-breaker'],
  ])
  const run = new Agreement({ ...calmPlan(7), actors })
  run.mustSeal = true
  for (let epoch = 1; epoch <= 20; epoch += 1) {
    run.submit(`ends epoch ${epoch}`)
    const isBegun = (): boolean => run.honest.every((machine) => machine.epoch >= epoch)
    run.scheduler.run(run.scheduler.now + 20 * SECOND, isBegun)
    assert.ok(isBegun(), `epoch ${epoch}`)
  }
})

test('who slept through many epochs comes to the newest, and votes there', () => {
  const run = new Agreement(changing())
  const sleeper = 9
  const others = run.plan.founders.concat([7, 8])
  run.scheduler.run(run.scheduler.now + SECOND)
  run.links.cut([sleeper], others, true)
  run.mustSeal = true
  for (let count = 0; count < 30; count += 1) {
    run.submit(`tx ${count}`)
    run.scheduler.run(run.scheduler.now + SECOND)
  }
  run.mustSeal = false
  const machine = run.machines[sleeper]
  assert.equal(machine?.epoch, 0)
  const newest = run.oracle.epochs.length - 1
  assert.ok(newest > 10, `${newest} epochs`)
  run.links.heal()
  run.scheduler.run(run.scheduler.now + 20 * SECOND)
  assert.equal(machine.epoch, newest)
  run.submit('after it came back')
  run.scheduler.run(run.scheduler.now + 5 * SECOND, () => everywhere(run, 'after it came back'))
  assert.ok(everywhere(run, 'after it came back'))
})

test('finalizes that are lost end the epoch through the same block in later views', () => {
  let again = 0
  for (const seed of [1, 2, 3, 4, 5]) {
    const faults = { ...NO_FAULTS, finalizeLoss: 0.9 }
    const { run } = runPlan(
      changing({ seed, sealChance: 0.5, calmMs: 12 * SECOND, transactions: 40, faults }),
    )
    again += run.counters.get('sealing block final by being proposed again') ?? 0
  }
  assert.ok(again > 0)
})

test('a node that lost its votes is back among the voters soon, and contradicts none', () => {
  for (const seed of [1, 2, 3, 4, 5, 6]) {
    const faults = { ...NO_FAULTS, loss: 0.1, finalizeLoss: 0.3 }
    const plan = { ...calmPlan(7), seed, amnesiac: seed % 7, calmMs: 12 * SECOND, faults }
    const { run } = runPlan({ ...plan, transactions: 100 })
    assert.ok((run.counters.get('votes lost') ?? 0) > 0)
    run.submit('brings it back')
    run.scheduler.run(run.scheduler.now + 30 * SECOND)
    assert.ok((run.counters.get('rejoined') ?? 0) > 0, `seed ${seed}`)
  }
})

test.run()
