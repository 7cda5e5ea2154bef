import assert from 'node:assert/strict'
import type { Marks } from '@mooring/storage'
import { test } from 'uvu'
import { checkGuardCovers } from '../src/guard-cover.ts'
import { keyOf, NAMES } from './chain-members.ts'
import { withWorld } from './chain-world.ts'

const NO_MARKS = { epoch: 0, notarized: 0, nullified: 0, finalized: 0 }
const NO_FLOOR = { epoch: 0, view: 0 }
const [FIRST = '', , , LAST = ''] = NAMES

test('a guard without the votes that the chain shows is behind', async () => {
  await withWorld(async (world) => {
    const { chain, sets } = world.parts
    const key = keyOf(FIRST, 'consensus').publicKey
    const check = (marks: Marks, floor = NO_FLOOR) =>
      checkGuardCovers(chain, { marks, floor }, key, sets)
    check(NO_MARKS)
    await world.finalize()
    const { view } = world.state().final
    await world.finalize([], [])
    const newest = world.state().final.view
    const behind = { code: 'guard_behind' }
    assert.throws(() => check(NO_MARKS), behind)
    assert.throws(() => check({ ...NO_MARKS, finalized: view }), behind)
    check({ ...NO_MARKS, finalized: newest })
    check({ ...NO_MARKS, epoch: 1 })
    assert.throws(() => check(NO_MARKS, { epoch: 0, view: newest }), behind)
    check(NO_MARKS, { epoch: 0, view: newest + 1 })
    check(NO_MARKS, { epoch: 1, view: 0 })
  })
})

test('who has signed nothing of the chain may have an empty guard', async () => {
  await withWorld(async (world) => {
    await world.finalize()
    const { chain, sets } = world.parts
    const known = { marks: NO_MARKS, floor: NO_FLOOR }
    checkGuardCovers(chain, known, keyOf(LAST, 'consensus').publicKey, sets)
    checkGuardCovers(chain, known, keyOf(FIRST, 'anchor').publicKey, sets)
  })
})

test.run()
