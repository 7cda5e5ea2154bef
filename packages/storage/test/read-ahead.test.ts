import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { test } from 'uvu'
import { type Database } from '../src/database.ts'
import { StorageError } from '../src/errors.ts'
import { pageKey } from '../src/keys.ts'
import { type StateEntry, StateTree, type StateView } from '../src/state-tree.ts'
import { textBytes } from './chain-world.ts'
import { withDatabase } from './folder.ts'

function entryOf(key: number, value: number | null): StateEntry {
  return { key: textBytes(`key ${key}`), value: value === null ? null : textBytes(`${value}`) }
}

const fill = (count: number, value: number) =>
  Array.from({ length: count }, (_, key) => entryOf(key, value))
const keysOf = (entries: readonly StateEntry[]) => entries.map(({ key }) => key)

async function commit(database: Database, tree: StateTree, view: StateView): Promise<void> {
  await database.batch(tree.begin(view), { sync: false })
  tree.end()
}

/** A tree that has read nothing yet, and what it reads. */
function counted(database: Database, pagesBytesMax?: number) {
  const reads = { sync: 0, ahead: 0, longest: 0 }
  const tree = StateTree.open(
    {
      getProven: (keys) => {
        reads.ahead += keys.length
        reads.longest = Math.max(reads.longest, keys.length)
        return database.getProven(keys)
      },
      getSync: (key) => {
        reads.sync += 1
        return database.getSync(key)
      },
    },
    pagesBytesMax,
  )
  reads.sync = 0
  return { tree, reads }
}

test('after reading ahead a change reads nothing, and is the same', async () => {
  await withDatabase(async (database) => {
    const grown = StateTree.open(database)
    await commit(database, grown, grown.view().apply(fill(3_000, 1)))
    const change = fc.tuple(fc.nat({ max: 3_200 }), fc.option(fc.nat({ max: 9 })))
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 300 }), async (changes) => {
        const { tree, reads } = counted(database)
        const entries = changes.map(([key, value]) => entryOf(key, value))
        await tree.readAhead(keysOf(entries))
        assert.equal(tree.countMissing(keysOf(entries)), 0)
        const after = tree.view().apply(entries)
        assert.equal(reads.sync, 0)
        assert.deepEqual(after.root, StateTree.open(database).view().apply(entries).root)
      }),
      { numRuns: 40 },
    )
  })
})

test('many keys are read a few at a time, and what has no room is dropped', async () => {
  await withDatabase(async (database) => {
    const grown = StateTree.open(database)
    await commit(database, grown, grown.view().apply(fill(6_000, 1)))
    const keys = keysOf(fill(6_000, 2))
    const roomy = counted(database)
    assert.ok(roomy.tree.countMissing(keys.slice(0, 100)) > 0)
    await roomy.tree.readAhead(keys)
    assert.ok(roomy.reads.ahead > 300)
    assert.ok(roomy.reads.longest <= 128)
    assert.equal(roomy.tree.countMissing(keys), 0)
    const narrow = counted(database, 40_000)
    await narrow.tree.readAhead(keys)
    assert.ok(narrow.tree.countMissing(keys) > 0)
    assert.deepEqual(
      narrow.tree.view().apply(fill(6_000, 2)).root,
      roomy.tree.view().apply(fill(6_000, 2)).root,
    )
  })
})

test('pages that are read ahead are not believed either', async () => {
  await withDatabase(async (database) => {
    const tree = StateTree.open(database)
    await commit(database, tree, tree.view().apply(fill(200, 1)))
    const older = await database.get(pageKey('3'))
    await commit(database, tree, tree.view().apply(fill(200, 2)))
    for (const value of [older, textBytes('no page')]) {
      assert.ok(value !== undefined)
      await database.batch([{ type: 'put', key: pageKey('3'), value }], { sync: false })
      const damaged = StateTree.open(database)
      await damaged.readAhead(keysOf(fill(200, 3)))
      assert.throws(
        () => damaged.view().apply(fill(200, 3)),
        (error) => error instanceof StorageError && error.code === 'corrupt',
      )
    }
    await database.batch([{ type: 'del', key: pageKey('3') }], { sync: false })
    const holed = StateTree.open(database)
    await holed.readAhead(keysOf(fill(200, 3)))
    assert.throws(
      () => holed.view().apply(fill(200, 3)),
      (error) => error instanceof StorageError && error.code === 'missing',
    )
  })
})

test('what was read before the base moved is not kept', async () => {
  await withDatabase(async (database) => {
    const grown = StateTree.open(database)
    await commit(database, grown, grown.view().apply(fill(200, 1)))
    const tree = StateTree.open(database)
    const ahead = tree.readAhead(keysOf(fill(200, 3)))
    const view = tree.view().apply(fill(200, 4))
    const operations = tree.begin(view)
    await ahead
    await database.batch(operations, { sync: false })
    tree.end()
    const after = tree.view().apply(fill(200, 5))
    assert.deepEqual(after.root, StateTree.open(database).view().apply(fill(200, 5)).root)
  })
})

test.run()
