import assert from 'node:assert/strict'
import { test } from 'uvu'
import { Agreement, type Faults, type Plan } from './agreement.ts'
import { Oracle } from './oracle.ts'
import { type Random, randomOf } from './random.ts'

const CALM: Faults = { loss: 0, delayMs: [5, 40], crashesPerSecond: 0, partitionsPerSecond: 0 }
const ROUGH: Faults = {
  loss: 0.2,
  delayMs: [5, 600],
  crashesPerSecond: 0.4,
  partitionsPerSecond: 0.3,
}
const SEEDS = Number(process.env['SEEDS'] ?? 50)

function seeds(): number[] {
  const asked = process.env['SEED']
  return asked === undefined
    ? Array.from({ length: SEEDS }, (_, index) => index + 1)
    : [Number(asked)]
}

function byzantineOf(random: Random, authorities: number): Plan['byzantine'] {
  const actor = random.pick(['none', 'silent', 'equivocator', 'withholder'] as const)
  if (actor === 'none') return new Map()
  return new Map([[random.between(0, authorities - 1), actor]])
}

function runSeed(seed: number, faults: Faults, authorities: number): Agreement {
  const random = randomOf(seed)
  const byzantine = byzantineOf(random, authorities)
  const honest = new Set(Array.from({ length: authorities }, (_, index) => index))
  for (const index of byzantine.keys()) honest.delete(index)
  const oracle = new Oracle(authorities, honest)
  const plan = { authorities, faults, calmAt: 20_000, transactions: 25, byzantine }
  const run = new Agreement(plan, random, oracle)
  try {
    run.run(80_000)
    if (!run.isDone())
      throw new Error(`L4: not every transaction is final 60 s after the faults ended`)
  } catch (error) {
    const actors = JSON.stringify([...byzantine])
    throw new Error(`SEED=${seed} (${authorities} authorities, ${actors}): ${String(error)}`, {
      cause: error,
    })
  }
  return run
}

test('rough networks with crashes and one traitor agree and lose nothing', () => {
  const total = new Map<string, number>()
  for (const seed of seeds()) {
    const run = runSeed(seed, ROUGH, 4 + (seed % 4))
    for (const [what, count] of run.counters) total.set(what, (total.get(what) ?? 0) + count)
  }
  for (const what of ['notarize', 'nullify', 'finalize', 'fetch', 'crash', 'partition'])
    assert.ok((total.get(what) ?? 0) > 0, `the runs never reached: ${what}`)
})

test('a calm network makes at most one block for each transaction and no nullify', () => {
  const oracle = new Oracle(4, new Set([0, 1, 2, 3]))
  const plan = {
    authorities: 4,
    faults: CALM,
    calmAt: 600_000,
    transactions: 20,
    byzantine: new Map(),
  }
  const run = new Agreement(plan, randomOf(7), oracle)
  run.run(600_000)
  assert.equal(run.isDone(), true)
  assert.ok(oracle.finals.size <= 20, `${oracle.finals.size} blocks for 20 transactions`)
  assert.equal(run.counters.get('nullify'), undefined)
})

test.run()
