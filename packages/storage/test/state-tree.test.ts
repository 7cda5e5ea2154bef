import assert from 'node:assert/strict'
import { toHex } from '@mooring/codec'
import {
  checkStateProof,
  sha256,
  STATE_EMPTY_ROOT,
  stateBit,
  stateLeafHash,
  stateNodeHash,
} from '@mooring/crypto'
import * as fc from 'fast-check'
import { test } from 'uvu'
import { type Database, openDatabase } from '../src/database.ts'
import { StorageError, type StorageErrorCode } from '../src/errors.ts'
import { pageKey, valueKey } from '../src/keys.ts'
import { type StateEntry, StateTree, type StateView } from '../src/state-tree.ts'
import { withDatabase } from './folder.ts'

type Model = Map<number, number>

const keyOf = (key: number) => new TextEncoder().encode(`key ${key}`)
const valueOf = (value: number) => new TextEncoder().encode(`value ${value}`)

function entryOf([key, value]: readonly [number, number | null]): StateEntry {
  return { key: keyOf(key), value: value === null ? null : valueOf(value) }
}

/** The root by the rules and nothing else. */
function rootOf(model: Model): string {
  const leaves = [...model].map(([key, value]) => {
    const keyHash = sha256(keyOf(key))
    return { keyHash, digest: stateLeafHash(keyHash, sha256(valueOf(value))) }
  })
  const subtree = (part: typeof leaves, depth: number): Uint8Array => {
    const [first] = part
    if (first === undefined) return STATE_EMPTY_ROOT
    if (part.length === 1) return first.digest
    return stateNodeHash(
      subtree(
        part.filter(({ keyHash }) => stateBit(keyHash, depth) === 0),
        depth + 1,
      ),
      subtree(
        part.filter(({ keyHash }) => stateBit(keyHash, depth) === 1),
        depth + 1,
      ),
    )
  }
  return toHex(subtree(leaves, 0))
}

function applyTo(model: Model, changes: readonly (readonly [number, number | null])[]): Model {
  const after = new Map(model)
  for (const [key, value] of changes) {
    if (value === null) after.delete(key)
    else after.set(key, value)
  }
  return after
}

function checkView(view: StateView, model: Model, keys: Iterable<number>): void {
  assert.equal(toHex(view.root), rootOf(model))
  for (const key of keys) {
    const value = model.get(key)
    const expected = value === undefined ? undefined : valueOf(value)
    assert.deepEqual(view.get(keyOf(key)), expected)
    const proof = view.prove(keyOf(key))
    assert.equal(checkStateProof(view.root, keyOf(key), expected ?? null, proof), undefined)
  }
}

async function commit(database: Database, tree: StateTree, view: StateView): Promise<void> {
  await database.batch(tree.begin(view), { sync: false })
  tree.end()
}

function withCode(code: StorageErrorCode): (error: unknown) => boolean {
  return (error) => error instanceof StorageError && error.code === code
}

const changes = fc.array(
  fc.tuple(
    fc.nat({ max: 60 }),
    fc.oneof(
      { weight: 2, arbitrary: fc.nat({ max: 9 }) },
      { weight: 1, arbitrary: fc.constant(null) },
    ),
  ),
  { maxLength: 40 },
)
const keysOf = (model: Model) => [...model.keys(), 100, 101]

test('the root depends only on what is in the map, over any sequence of changes', async () => {
  await withDatabase((database) => {
    const everyKey = Array.from({ length: 61 }, (_, key) => key)
    const property = fc.property(fc.array(changes, { maxLength: 8 }), (steps) => {
      let model: Model = new Map()
      let view = StateTree.open(database).view()
      for (const step of steps) {
        model = applyTo(model, step)
        view = view.apply(step.map(entryOf))
        assert.equal(toHex(view.root), rootOf(model))
      }
      checkView(view, model, everyKey)
      const cleared = view.apply(everyKey.map((key) => entryOf([key, null])))
      assert.deepEqual(cleared.root, STATE_EMPTY_ROOT)
    })
    fc.assert(property, { numRuns: 150 })
    return Promise.resolve()
  })
})

test('large maps with many deletions keep the canonical shape on disk', async () => {
  await withDatabase(async (database) => {
    const tree = StateTree.open(database)
    let model: Model = new Map()
    let view = tree.view()
    for (let round = 0; round < 6; round += 1) {
      const step = Array.from({ length: 700 }, (_, n) => {
        const key = (n * 7919 + round * 104729) % 3000
        return [key, round % 2 === 1 && n % 3 > 0 ? null : n] as const
      })
      model = applyTo(model, step)
      view = view.apply(step.map(entryOf))
      await commit(database, tree, view)
      checkView(tree.view(), model, keysOf(model).slice(0, 50))
    }
    const reopened = StateTree.open(database)
    checkView(reopened.view(), model, keysOf(model))
    await commit(
      database,
      reopened,
      reopened.view().apply([...model.keys()].map((key) => entryOf([key, null]))),
    )
    for await (const { key } of database.iterate({
      from: pageKey(''),
      to: valueKey(Uint8Array.of(0xff)),
    })) {
      assert.fail(`left behind: ${toHex(key)}`)
    }
  })
})

test('overlays stack, and committing the lowest leaves the ones above intact', async () => {
  await withDatabase(async (database) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(changes, { minLength: 2, maxLength: 6 }),
        fc.array(fc.nat({ max: 3 }), { minLength: 6, maxLength: 6 }),
        async (steps, jumps) => {
          const tree = StateTree.open(database, 6000)
          const levels: { model: Model; view: StateView }[] = []
          let level = { model: new Map() as Model, view: tree.view() }
          level.view = level.view.apply(
            Array.from({ length: 61 }, (_, key) => entryOf([key, null])),
          )
          for (const step of steps) {
            level = { model: applyTo(level.model, step), view: level.view.apply(step.map(entryOf)) }
            levels.push(level)
          }
          let lowest = 0
          for (const jump of jumps) {
            const next = Math.min(lowest + jump, levels.length - 1)
            const { view } = levels[next] ?? level
            await commit(database, tree, view)
            lowest = next
            for (const above of levels.slice(lowest)) {
              checkView(above.view, above.model, [0, 7, 14, 21, 28, 35, 42, 49, 56, 60])
            }
          }
          assert.deepEqual(StateTree.open(database).root, tree.root)
        },
      ),
      { numRuns: 40 },
    )
  })
})

test('a view reads alike while its base moves and before the disk has it', async () => {
  await withDatabase(async (database) => {
    const tree = StateTree.open(database, 0)
    const first = tree.view().apply(Array.from({ length: 300 }, (_, key) => entryOf([key, 1])))
    const second = first.apply([entryOf([5, 2]), entryOf([6, null])])
    const model = new Map(Array.from({ length: 300 }, (_, key) => [key, 1] as const))
    const operations = tree.begin(first)
    checkView(first, model, [0, 5, 6, 299, 300])
    checkView(
      second,
      applyTo(model, [
        [5, 2],
        [6, null],
      ]),
      [0, 5, 6, 299, 300],
    )
    const written = database.batch(operations, { sync: true })
    checkView(
      second,
      applyTo(model, [
        [5, 2],
        [6, null],
      ]),
      [0, 5, 6, 299, 300],
    )
    await written
    tree.end()
    checkView(first, model, [0, 5, 6, 299, 300])
  })
})

test('a fork that lost says so instead of reading the wrong base', async () => {
  await withDatabase(async (database) => {
    const tree = StateTree.open(database)
    const base = tree.view().apply(Array.from({ length: 100 }, (_, key) => entryOf([key, 1])))
    await commit(database, tree, base)
    const won = base.apply([entryOf([1, 2])])
    const lost = base.apply([entryOf([1, 3])])
    const below = won.apply([entryOf([2, 2])])
    await commit(database, tree, below)
    assert.deepEqual(below.get(keyOf(1)), valueOf(2))
    for (const stale of [base, won, lost]) {
      assert.throws(() => stale.get(keyOf(50)), withCode('stale_view'))
      assert.throws(() => stale.prove(keyOf(50)), withCode('stale_view'))
      assert.throws(() => tree.begin(stale), withCode('stale_view'))
    }
    assert.deepEqual(tree.view().get(keyOf(50)), valueOf(1))
  })
})

test('changes that change nothing give the same view', async () => {
  await withDatabase(async (database) => {
    const tree = StateTree.open(database)
    const view = tree.view().apply([entryOf([1, 1]), entryOf([2, 2])])
    assert.equal(view.apply([]), view)
    assert.equal(view.apply([entryOf([1, 1]), entryOf([3, null])]), view)
    assert.equal(view.apply([entryOf([1, 5]), entryOf([1, 1])]), view, 'the last change counts')
    await commit(database, tree, view)
    assert.deepEqual([...tree.begin(view)], [])
    tree.end()
  })
})

function fill(value: number): StateEntry[] {
  return Array.from({ length: 200 }, (_, key) => entryOf([key, value]))
}

/** Whether reading everything meets the damage; what is read without meeting it must be right. */
function isDetected(database: Database, root: Uint8Array): boolean {
  const damaged = StateTree.open(database)
  if (toHex(damaged.root) !== toHex(root)) return true
  for (let n = 0; n < 200; n += 1) {
    try {
      assert.deepEqual(damaged.view().get(keyOf(n)), valueOf(2))
    } catch (error) {
      assert.ok(withCode('corrupt')(error) || withCode('missing')(error), String(error))
      return true
    }
  }
  return false
}

test('more changes than are hashed at once, spread over the depths, keep the shape', async () => {
  await withDatabase(async (database) => {
    const tree = StateTree.open(database)
    const entries = Array.from({ length: 5_000 }, (_, key) => [key, key % 7] as const)
    await commit(database, tree, tree.view().apply(entries.map(entryOf)))
    const later = entries.map(([key]) => [key, key % 3 === 0 ? null : key % 5] as const)
    const model = applyTo(new Map(entries), later)
    const again = StateTree.open(database)
    await commit(database, again, again.view().apply(later.map(entryOf)))
    checkView(StateTree.open(database).view(), model, [0, 1, 2, 3, 2_500, 4_999])
  })
})

test('a page or a value of another age, altered or gone is never believed', async () => {
  await withDatabase(async (database) => {
    const everything = { from: pageKey(''), to: valueKey(new Uint8Array(33).fill(0xff)) }
    const tree = StateTree.open(database)
    await commit(database, tree, tree.view().apply(fill(1)))
    const older = new Map<string, Uint8Array>()
    for await (const { key, value } of database.iterate(everything)) older.set(toHex(key), value)
    await commit(database, tree, tree.view().apply(fill(2)))
    for await (const { key, value } of database.iterate(everything)) {
      const old = older.get(toHex(key))
      assert.ok(old)
      await database.batch([{ type: 'put', key, value: old }], { sync: false })
      assert.ok(isDetected(database, tree.root), `older: ${toHex(key)}`)
      await database.batch([{ type: 'del', key }], { sync: false })
      assert.ok(isDetected(database, tree.root), `gone: ${toHex(key)}`)
      await database.batch([{ type: 'put', key, value }], { sync: false })
    }
    assert.equal(isDetected(database, tree.root), false)
  })
})

test('a value that was altered on the way to the disk names its key', async () => {
  await withDatabase(async (database, path) => {
    const tree = StateTree.open(database)
    await commit(database, tree, tree.view().apply([entryOf([1, 1])]))
    await database.batch([{ type: 'put', key: valueKey(keyOf(1)), value: valueOf(9) }], {
      sync: true,
    })
    await database.close()
    const again = await openDatabase(path, { name: 'chain' })
    assert.throws(
      () => StateTree.open(again).view().get(keyOf(1)),
      (error) =>
        withCode('corrupt')(error) &&
        error instanceof StorageError &&
        error.details['key'] === `state value ${toHex(keyOf(1))}`,
    )
    await again.close()
  })
})

test.run()
