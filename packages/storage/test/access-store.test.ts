import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'uvu'
import { AccessStore, type StoredAccess } from '../src/access-store.ts'
import { type Database, openDatabase } from '../src/database.ts'
import { StorageError } from '../src/errors.ts'
import { accessKey, placeKey } from '../src/keys.ts'
import { inFolder } from './folder.ts'

const leafOf = (number: number) => new Uint8Array(32).fill(number)
const valueOf = (text: string) => new TextEncoder().encode(text)

async function withStore(
  work: (store: AccessStore, database: Database) => Promise<void>,
): Promise<void> {
  await inFolder(async (folder) => {
    const database = await openDatabase(join(folder, 'vault'), { name: 'vault' })
    try {
      await work(await AccessStore.open(database), database)
    } finally {
      await database.close()
    }
  })
}

/** The same database, and how many of its writes reached the disk for certain. */
function counted(database: Database): { database: Database; syncs: () => number } {
  let syncs = 0
  const proxy = new Proxy(database, {
    get: (inner, name) => {
      const value: unknown = Reflect.get(inner, name, inner)
      if (typeof value !== 'function') return value
      return (...given: unknown[]) => {
        if (name === 'batch') syncs += 1
        return Reflect.apply(value, inner, given)
      }
    },
  })
  return { database: proxy, syncs: () => syncs }
}

async function all(store: AccessStore, before: number | null = null): Promise<StoredAccess[]> {
  const entries: StoredAccess[] = []
  for await (const entry of store.list(before)) entries.push(entry)
  return entries
}

function isMissing(error: unknown): boolean {
  return error instanceof StorageError && error.code === 'missing'
}

test('entries are kept in the order of their arrival, and found again later', () =>
  withStore(async (first, database) => {
    for (const number of [1, 2, 3])
      assert.equal(await first.add(leafOf(number), valueOf('a')), true)
    for (const store of [first, await AccessStore.open(database)]) {
      assert.deepEqual([store.size, store.waiting, store.lastBatch], [3, 3, 0])
      const arrivals = (await all(store)).map(({ arrival }) => arrival)
      assert.deepEqual(arrivals, [3, 2, 1])
      assert.deepEqual(
        (await all(store, 3)).map(({ arrival }) => arrival),
        [2, 1],
      )
      assert.deepEqual(store.find(leafOf(2)), {
        arrival: 2,
        leaf: leafOf(2),
        value: valueOf('a'),
        place: null,
      })
      assert.equal(store.find(leafOf(9)), undefined)
    }
  }))

test('of one leaf there is one entry, also when it comes twice at once', () =>
  withStore(async (store) => {
    const added = await Promise.all(
      [1, 1, 2, 1].map((each) => store.add(leafOf(each), valueOf('x'))),
    )
    assert.deepEqual(added, [true, false, true, false])
    assert.equal(await store.add(leafOf(2), valueOf('later')), false)
    assert.deepEqual([store.size, store.waiting], [2, 2])
    assert.deepEqual(store.find(leafOf(2))?.value, valueOf('x'))
  }))

test('many entries at once go to the disk together', () =>
  withStore(async (_, real) => {
    const { database, syncs } = counted(real)
    const store = await AccessStore.open(database)
    await Promise.all(
      Array.from({ length: 200 }, (_each, index) => store.add(leafOf(index), valueOf('x'))),
    )
    assert.equal(store.size, 200)
    assert.equal(syncs(), 1)
  }))

test('a failed write adds nothing, and the next one takes its place', () =>
  withStore(async (_, real) => {
    let fails = true
    const database = new Proxy(real, {
      get: (inner, name) => {
        if (name === 'batch' && fails) return () => Promise.reject(new Error('the disk is full'))
        const value: unknown = Reflect.get(inner, name, inner)
        return typeof value === 'function' ? value.bind(inner) : value
      },
    })
    const store = await AccessStore.open(database)
    await assert.rejects(store.add(leafOf(1), valueOf('x')), /the disk is full/)
    assert.deepEqual([store.size, store.waiting], [0, 0])
    fails = false
    assert.equal(await store.add(leafOf(1), valueOf('x')), true)
    assert.equal(store.find(leafOf(1))?.arrival, 1)
  }))

test('what came of an entry is written over it', () =>
  withStore(async (store) => {
    await store.add(leafOf(1), valueOf('asked'))
    await store.replace({ arrival: 1, leaf: leafOf(1) }, valueOf('served'))
    assert.deepEqual(store.find(leafOf(1))?.value, valueOf('served'))
    assert.equal(store.size, 1)
  }))

test('waiting entries move into a batch, and a batch is open until it is on the chain', () =>
  withStore(async (first, database) => {
    for (const number of [1, 2, 3]) await first.add(leafOf(number), valueOf('x'))
    const waiting = await first.pending(2)
    const places = waiting.map((each, index) => ({ ...each, position: 7 + index }))
    assert.equal(await first.putBatch(valueOf('batch'), places), 1)
    for (const store of [first, await AccessStore.open(database)]) {
      assert.deepEqual([store.waiting, store.lastBatch], [1, 1])
      assert.deepEqual(store.find(leafOf(2))?.place, { sequence: 1, position: 8 })
      assert.deepEqual(
        (await store.unanchored()).map(({ sequence }) => sequence),
        [1],
      )
    }
    await first.markAnchored(1, valueOf('anchor'))
    assert.deepEqual(await first.unanchored(), [])
    assert.deepEqual(first.getBatch(1), {
      sequence: 1,
      batch: valueOf('batch'),
      anchor: valueOf('anchor'),
    })
    assert.equal(first.getBatch(2), undefined)
  }))

test('a batch takes what waits, once', () =>
  withStore(async (store) => {
    for (const number of [1, 2]) await store.add(leafOf(number), valueOf('x'))
    const place = { arrival: 1, id: leafOf(1), position: 0 }
    const wrong = [
      [{ ...place, id: leafOf(2) }],
      [{ ...place, arrival: 3 }],
      [place, { ...place, position: 1 }],
    ]
    for (const ids of wrong) {
      await assert.rejects(
        async () => store.putBatch(valueOf('batch'), ids),
        (error) => error instanceof StorageError && error.code === 'out_of_order',
      )
    }
    assert.equal(await store.putBatch(valueOf('batch'), [place]), 1)
    await assert.rejects(async () => store.putBatch(valueOf('batch'), [place]))
    assert.deepEqual([store.waiting, store.lastBatch], [1, 1])
  }))

test('an entry that is gone is an error and no answer', () =>
  withStore(async (store, database) => {
    for (const number of [1, 2]) await store.add(leafOf(number), valueOf('x'))
    await store.putBatch(valueOf('batch'), [{ arrival: 2, id: leafOf(2), position: 0 }])
    await database.batch([{ type: 'del', key: placeKey(leafOf(2)) }], { sync: false })
    assert.throws(() => store.find(leafOf(2)), isMissing)
    await database.batch([{ type: 'del', key: accessKey(1) }], { sync: false })
    assert.throws(() => store.find(leafOf(1)), isMissing)
  }))

test.run()
