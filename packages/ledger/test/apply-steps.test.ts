import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { test } from 'uvu'
import {
  applyBlock,
  applyBlockInSteps,
  applyTransactions,
  applyTransactionsInSteps,
  type BlockContext,
  decodeTransaction,
  type Steps,
} from '../src/index.ts'
import { anchor, AUTHORITIES, blockOn, contextOf, placeOf, world } from './fixture.ts'

const here = world()

function anchorsOf(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, index) => {
    const organisation = AUTHORITIES[index % AUTHORITIES.length] ?? ''
    return anchor(here, { organisation, sequence: 1 + Math.floor(index / AUTHORITIES.length) })
  })
}

/** Runs several pieces of work, the next step always that of the one that `pick` names. */
function interleave<T>(work: Steps<T>[], pick: (left: number) => number): T[] {
  const results = new Map<number, T>()
  const left = [...work.keys()]
  while (left.length > 0) {
    const at = pick(left.length)
    const index = left[at] ?? 0
    const step = work[index]?.next()
    if (step?.done !== true) continue
    results.set(index, step.value)
    left.splice(at, 1)
  }
  return [...work.keys()].flatMap((index) => {
    const result = results.get(index)
    return result === undefined ? [] : [result]
  })
}

test('a block comes out the same however its steps are mixed with those of another one', () => {
  const [one, other] = [anchorsOf(12), anchorsOf(7)].map((anchors) => blockOn(here, anchors))
  if (one === undefined || other === undefined) throw new Error('no blocks')
  const context = contextOf(here)
  const expected = [one, other].map((block) => applyBlock(here.state, here.parent, block, context))
  const before = new Map(here.state.values)
  fc.assert(
    fc.property(fc.infiniteStream(fc.nat()), (picks) => {
      const work = [one, other].map((block) =>
        applyBlockInSteps(here.state, here.parent, block, context),
      )
      const pick = (left: number): number => Number(picks.next().value) % left
      assert.deepEqual(interleave(work, pick), expected)
      assert.deepEqual(here.state.values, before, 'the state below was written')
    }),
    { numRuns: 20 },
  )
})

test('no step has more than one transaction, and none more than a few signatures', () => {
  let verified = 0
  const context: BlockContext = {
    ...contextOf(here),
    isVerified: () => {
      verified += 1
      return true
    },
  }
  const steps = applyBlockInSteps(here.state, here.parent, blockOn(here, anchorsOf(40)), context)
  for (let step = steps.next(), before = 0; step.done !== true; step = steps.next()) {
    assert.ok(verified - before <= 1)
    before = verified
  }
  assert.equal(verified, 40)
  const unverified = applyBlockInSteps(
    here.state,
    here.parent,
    blockOn(here, anchorsOf(100)),
    contextOf(here),
  )
  let count = 0
  for (let step = unverified.next(); step.done !== true; step = unverified.next()) count += 1
  assert.ok(count >= 100 + 100 / 32)
})

test('the first forged signature is named, in whichever step it is found', () => {
  for (const [forged, later] of [
    [70, 90],
    [3, 4],
    [99, 99],
  ]) {
    const anchors = anchorsOf(100).map((bytes, index) =>
      index === forged || index === later
        ? bytes.with(bytes.length - 1, 1 ^ (bytes.at(-1) ?? 0))
        : bytes,
    )
    const result = applyBlock(here.state, here.parent, blockOn(here, anchors), contextOf(here))
    assert.deepEqual(result, {
      code: 'invalid_transaction',
      index: forged,
      reason: { code: 'bad_signature' },
    })
  }
})

test('a selection in steps is the selection', () => {
  const anchors = [...anchorsOf(9), ...anchorsOf(3)].map((bytes) =>
    decodeTransaction(bytes, here.digest),
  )
  const expected = applyTransactions(here.state, placeOf(here), anchors)
  assert.deepEqual([expected.included.length, expected.rejected.length], [9, 3])
  const steps = applyTransactionsInSteps(here.state, placeOf(here), anchors)
  assert.deepEqual(
    interleave([steps], () => 0),
    [expected],
  )
})

test.run()
