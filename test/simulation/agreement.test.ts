import assert from 'node:assert/strict'
import { test } from 'uvu'
import { FailedSeed, runSeed } from './run-seed.ts'

const SIZES = { low: 4, high: 10 }
const SEEDS = Number(process.env['SEEDS'] ?? 40)

/** What so many runs reach without looking for it; the long campaign asks for more. */
const REACHED = [
  'notarize',
  'nullify',
  'finalize',
  'fetch',
  'crash',
  'crash before the journal',
  'crash before the sync',
  'power cut',
  'restart with an unfinished commit',
  'notarized and nullified view',
  'finalization of an old view',
  'evidence: conflicting_notarize',
  'evidence: nullify_finalize',
]

function seeds(): number[] {
  const asked = process.env['SEED']
  if (asked !== undefined) return [Number(asked)]
  return Array.from({ length: SEEDS }, (_, index) => index + 1)
}

test('networks that lie, lose, repeat, break apart and lose power agree and lose nothing', () => {
  const total = new Map<string, number>()
  for (const seed of seeds()) {
    try {
      const { run } = runSeed(seed, SIZES)
      for (const [what, count] of run.counters) total.set(what, (total.get(what) ?? 0) + count)
    } catch (error) {
      if (error instanceof FailedSeed)
        console.log(
          `again: SEED=${seed} npm test  or  npm run sim -- --world core --seed ${seed} --trace`,
        )
      throw error
    }
  }
  if (process.env['SEED'] !== undefined) return
  for (const what of REACHED)
    assert.ok((total.get(what) ?? 0) > 0, `the runs never reached: ${what}`)
})

// 94557505: a finalize whose mark was on disk and its notarization not, beside a node that forgot its votes.
test('seeds that were red stay green', () => {
  for (const seed of [94557505, 94565377, 516605380, 917599887]) runSeed(seed, SIZES)
})

test.run()
