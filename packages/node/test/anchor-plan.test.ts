import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { test } from 'uvu'
import { type Attempt, isAlive, planAnchors } from '../src/anchor-plan.ts'

const TIME = 1_000

const attempts = fc.option(
  fc.record({
    sequence: fc.integer({ min: 1, max: 20 }),
    expiresAt: fc.integer({ min: TIME - 3, max: TIME + 3 }),
    transaction: fc.constantFrom(null, new Uint8Array(1)),
  }),
)

function batchOf(attempt: Attempt | null): { attempt: Attempt | null } {
  return { attempt }
}

test('batches without an anchor take the sequences after the last one, in their order', () => {
  const batches = [batchOf(null), batchOf(null), batchOf(null)]
  const plan = planAnchors(batches, { lastSequence: 7, time: TIME })
  assert.deepEqual(
    plan,
    batches.map((batch, index) => ({ batch, sequence: 8 + index })),
  )
})

test('an anchor that may still be applied keeps its sequence, one that expired gives it back', () => {
  const alive = { sequence: 9, expiresAt: TIME + 1, transaction: null }
  const expired = { sequence: 8, expiresAt: TIME, transaction: null }
  const batches = [batchOf(expired), batchOf(alive), batchOf(null)]
  const plan = planAnchors(batches, { lastSequence: 7, time: TIME })
  assert.deepEqual(
    plan.map(({ sequence }) => sequence),
    [8, 10],
  )
  assert.deepEqual(
    plan.map(({ batch }) => batch),
    [batches[0], batches[2]],
  )
})

test('a sequence that the chain has passed is given up', () => {
  const passed = { sequence: 7, expiresAt: TIME + 1, transaction: null }
  const plan = planAnchors([batchOf(passed)], { lastSequence: 7, time: TIME })
  assert.deepEqual(
    plan.map(({ sequence }) => sequence),
    [8],
  )
})

test('every batch has one sequence, above the last and free, and the lowest are used first', () => {
  fc.assert(
    fc.property(fc.array(attempts, { maxLength: 12 }), fc.nat(10), (all, lastSequence) => {
      const position = { lastSequence, time: TIME }
      const batches = all.map(batchOf)
      const plan = planAnchors(batches, position)
      const isKept = ({ attempt }: { attempt: Attempt | null }) =>
        attempt !== null && isAlive(attempt, position)
      const kept = new Set(batches.filter(isKept).map(({ attempt }) => attempt?.sequence))
      assert.deepEqual(
        plan.map(({ batch }) => batch),
        batches.filter((batch) => !isKept(batch)),
      )
      let next = lastSequence
      for (const { sequence } of plan) {
        for (next += 1; kept.has(next); next += 1);
        assert.equal(sequence, next)
      }
    }),
  )
})

test.run()
