import assert from 'node:assert/strict'
import { test } from 'uvu'
import { checkGuardCovers } from '../src/guard-cover.ts'
import { keyOf, NAMES } from './chain-members.ts'
import { withWorld } from './chain-world.ts'

const NO_MARKS = { epoch: 0, notarized: 0, nullified: 0, finalized: 0 }
const [FIRST = '', , , LAST = ''] = NAMES

test('a guard without the votes that the chain shows is behind', async () => {
  await withWorld(async (world) => {
    const { chain, sets } = world.parts
    const key = keyOf(FIRST, 'consensus').publicKey
    checkGuardCovers(chain, NO_MARKS, key, sets)
    await world.finalize()
    const { view } = world.state().final
    await world.finalize([], [])
    const newest = world.state().final.view
    const behind = { code: 'guard_behind' }
    assert.throws(() => checkGuardCovers(chain, NO_MARKS, key, sets), behind)
    assert.throws(
      () => checkGuardCovers(chain, { ...NO_MARKS, finalized: view }, key, sets),
      behind,
    )
    checkGuardCovers(chain, { ...NO_MARKS, finalized: newest }, key, sets)
    checkGuardCovers(chain, { ...NO_MARKS, epoch: 1 }, key, sets)
  })
})

test('who has signed nothing of the chain may have an empty guard', async () => {
  await withWorld(async (world) => {
    await world.finalize()
    const { chain, sets } = world.parts
    checkGuardCovers(chain, NO_MARKS, keyOf(LAST, 'consensus').publicKey, sets)
    checkGuardCovers(chain, NO_MARKS, keyOf(FIRST, 'anchor').publicKey, sets)
  })
})

test.run()
