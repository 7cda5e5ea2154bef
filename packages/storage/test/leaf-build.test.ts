import assert from 'node:assert/strict'
import { toHex } from '@mooring/codec'
import { test } from 'uvu'
import { LeafBuild } from '../src/leaf-build.ts'
import { StateTree } from '../src/state-tree.ts'
import { pageKey } from '../src/keys.ts'
import { textBytes } from './chain-world.ts'
import { withDatabase } from './folder.ts'

const VALUES = Array.from({ length: 5_000 }, (_, index) => ({
  key: textBytes(`key ${index}`),
  value: textBytes(`value ${index}`),
}))

test('built at once or in parts, the tree is the one that the values make', async () => {
  await withDatabase(async (database) => {
    await withDatabase(async (other) => {
      const expected = StateTree.open(database).view().apply(VALUES).root
      for (const [store, gatheredMax] of [
        [database, 1_000_000],
        [other, 700],
      ] as const) {
        const build = new LeafBuild(store, gatheredMax)
        for (let from = 0; from < VALUES.length; from += 300)
          await build.add(VALUES.slice(from, from + 310))
        await build.finish()
        assert.equal(toHex(StateTree.open(store).root), toHex(expected))
      }
    })
  })
})

test('no value makes no tree', async () => {
  await withDatabase(async (database) => {
    await new LeafBuild(database).finish()
    assert.equal(database.getSync(pageKey('')), undefined)
  })
})

test.run()
