import assert from 'node:assert/strict'
import { serialize } from 'node:v8'
import { recordOf, start, step } from '@mooring/consensus'
import { test } from 'uvu'
import { Agreement } from './agreement.ts'
import { planOf } from './plan.ts'
import { runPlan, runSeed } from './run-seed.ts'

const SIZES = { low: 4, high: 7 }

test('the same seed is the same run, step by step', () => {
  for (const seed of [11, 12]) {
    const [first, second] = [1, 2].map(() => runSeed(seed, SIZES, { isTracing: true }).run)
    assert.ok(first !== undefined && first.lines.length > 1_000)
    assert.deepEqual(first.lines, second?.lines)
  }
})

test('a step changes nothing that it is given, and the same input gives the same output', () => {
  let steps = 0
  const run = new Agreement(planOf(21, SIZES), {
    observe: ({ before, event, clock, after, actions }) => {
      steps += 1
      if (steps % 5 !== 0) return
      const [state, input] = [serialize(before), serialize(event)]
      const again = step(before, event, clock)
      assert.deepEqual(serialize(before), state)
      assert.deepEqual(serialize(event), input)
      assert.deepEqual(serialize(again.state), serialize(after))
      assert.deepEqual(serialize(again.actions), serialize(actions))
    },
  })
  run.scheduler.run(run.calmAt + 2_000)
  assert.ok(steps > 1_000, `${steps} steps`)
})

test('what the disk brings back is what was there, but for the votes of others (I8)', () => {
  for (const seed of [31, 32, 33, 34]) {
    const { run } = runPlan({ ...planOf(seed, SIZES), heartbeatMs: 0 })
    for (const { state, disk, node, epoch } of run.honest) {
      // As an orderly end does: certificates may wait for the next vote to be synced.
      disk.endFlush()
      disk.wait(() => undefined)
      disk.startFlush()
      disk.endFlush()
      disk.endCommit()
      const clock = { monotonic: run.scheduler.now, wall: 0 }
      const { state: again } = start(state.config, disk.recovered(epoch, 1), clock)
      assert.equal(again.view, state.view)
      assert.deepEqual(again.final, state.final)
      assert.deepEqual(again.committed, state.committed)
      for (let view = state.final.view + 1; view < state.view; view += 1) {
        const [now, then] = [recordOf(again, view), recordOf(state, view)]
        for (const own of ['ownNotarize', 'ownNullify', 'ownFinalize'] as const)
          assert.deepEqual(now[own], then[own], `${own} of ${node} in view ${view}`)
        for (const held of ['notarization', 'nullification', 'finalization'] as const)
          assert.deepEqual(now[held], then[held], `${held} of ${node} in view ${view}`)
      }
    }
  }
})

test.run()
