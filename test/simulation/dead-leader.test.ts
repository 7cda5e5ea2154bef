// What a leader costs that is not there, in a network bound by how soon leaders follow one another: time is
// virtual, so these are properties of the protocol and not of a computer.

import assert from 'node:assert/strict'
import { test } from 'uvu'
import { Agreement } from './agreement.ts'
import { calmPlan, NO_FAULTS, type Plan } from './plan.ts'

const SECOND = 1_000
const EVERY_MS = 10
const SECONDS = 20

function settled(change: Partial<Plan> = {}): Agreement {
  const run = new Agreement({ ...calmPlan(4), ...change })
  run.scheduler.run(run.scheduler.now + 5 * SECOND)
  return run
}

let submitted = 0

// Blocks made final while there is always a transaction that waits.
function blocksIn(run: Agreement, seconds: number): number {
  const before = run.oracle.finals.size
  const end = run.scheduler.now + seconds * SECOND
  while (run.scheduler.now < end) {
    submitted += 1
    run.submit(`tx ${submitted}`)
    run.scheduler.run(run.scheduler.now + EVERY_MS)
  }
  return run.oracle.finals.size - before
}

const nullifies = (run: Agreement): number => run.counters.get('nullify') ?? 0

test('one of four dead for good leaves more than eight tenths of the blocks', () => {
  for (const [links, delayMs, least] of [
    ['steady', [19, 21], 0.8],
    // With one dead every vote of the others counts, also the slowest.
    ['jittery', [5, 40], 0.6],
  ] as const) {
    const change = { calmDelayMs: delayMs[1], faults: { ...NO_FAULTS, delayMs } }
    const whole = blocksIn(settled(change), SECONDS)
    const three = blocksIn(settled({ ...change, actors: new Map([[2, 'silent']]) }), SECONDS)
    const ratio = three / whole
    process.stdout.write(
      `figure: ${links} links: ${whole} blocks by four, ${three} by three of four (${ratio.toFixed(2)})\n`,
    )
    assert.ok(ratio > least, `${links} links: ${three} of ${whole}`)
  }
})

test('a leader that comes and goes is passed over while it is away, and leads when it is back', () => {
  const run = settled()
  blocksIn(run, 5)
  for (let round = 0; round < 2; round += 1) {
    const calm = nullifies(run)
    run.links.cut([2], [0, 1, 3], true)
    const away = blocksIn(run, 10)
    assert.ok(nullifies(run) > calm + 10, 'its views are nullified')
    run.links.heal()
    blocksIn(run, 5)
    const returned = nullifies(run)
    const back = blocksIn(run, 10)
    assert.ok(
      nullifies(run) - returned <= 4,
      `${nullifies(run) - returned} nullifies after it is back`,
    )
    assert.ok(back > away, `${back} blocks, ${away} without it`)
  }
})

test.run()
