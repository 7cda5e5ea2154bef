import assert from 'node:assert/strict'
import { test } from 'uvu'
import { type ActorName, ACTORS, planOf } from './plan.ts'
import { runPlan } from './run-seed.ts'

/** What shows that an actor has acted; others show in that the network lives with them. */
const TRACES: Partial<Record<ActorName, string>> = {
  equivocator: 'evidence: conflicting_notarize',
  'conflicting-notarizer': 'evidence: conflicting_finalize',
  'finalize-and-nullify': 'evidence: nullify_finalize',
  twin: 'halt: duplicate_key',
  forker: 'nullify',
  spoiler: 'nullify',
  withholder: 'nullify',
  'nullify-spammer': 'nullify',
}

/** As many of one kind as the network must bear, in a world that breaks besides. */
function runWith(actor: ActorName, authorities: number, seed: number): Map<string, number> {
  const plan = planOf(seed, { low: authorities, high: authorities })
  const faulty = Math.floor((authorities - 1) / 3)
  const actors = new Map(Array.from({ length: faulty }, (_, index) => [index + 1, actor]))
  return runPlan({ ...plan, actors, misled: null, skewMs: [], transactions: 10 }).run.counters
}

for (const actor of ACTORS)
  test(`four and seven authorities live with as many of the ${actor} as they must`, () => {
    const seen = new Map<string, number>()
    for (const [authorities, seed] of [
      [4, 1],
      [4, 2],
      [7, 3],
    ] as const)
      for (const [what, count] of runWith(actor, authorities, seed))
        seen.set(what, (seen.get(what) ?? 0) + count)
    const trace = TRACES[actor]
    if (trace !== undefined) assert.ok((seen.get(trace) ?? 0) > 0, `no ${trace}`)
  })

test('one traitor more than a network can bear is noticed', () => {
  let noticed = 0
  for (let seed = 1; seed <= 12; seed += 1) {
    const plan = planOf(seed, { low: 4, high: 4 })
    const actors = new Map<number, ActorName>([
      [1, 'equivocator'],
      [2, 'conflicting-notarizer'],
    ])
    try {
      runPlan({ ...plan, actors, misled: null })
    } catch {
      noticed += 1
    }
  }
  assert.ok(noticed > 0)
})

test.run()
