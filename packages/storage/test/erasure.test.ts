// What is erased is in no file of the database, also not in one that LevelDB would rewrite later.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import { openDatabase } from '../src/database.ts'
import { StorageError } from '../src/errors.ts'
import { LIBRARY_NAME_BYTES, LibraryStore, SCOPE_BYTES } from '../src/library-store.ts'
import { PrivateValues } from '../src/private-values.ts'
import type { NewRecord } from '../src/private-record.ts'
import { PrivateStore } from '../src/records.ts'
import { SetMarks } from '../src/set-marks.ts'
import { ShardStore } from '../src/shard-store.ts'
import { inFolder } from './folder.ts'

const textBytes = (text: string) => new TextEncoder().encode(text)
const NOTHING = new Uint8Array(0)

function isInFiles(folder: string, wanted: string): boolean {
  return readdirSync(folder).some((name) => readFileSync(join(folder, name)).includes(wanted))
}

const names = (found: { arrival: number }[]) => found.map(({ arrival }) => arrival)

function recordOf(number: number): NewRecord {
  return {
    id: textBytes(`id ${number}`),
    dedupeKey: textBytes(`key ${number}`),
    setName: textBytes(`set ${number}`),
    account: textBytes('account'),
    order: { account: textBytes('order'), sequence: number, resource: null },
    metadata: textBytes(`sealed metadata ${number}`),
    holders: textBytes(`placement of ${number}`),
    queued: textBytes(`shards of ${number}`),
  }
}

async function withRecords(
  work: (store: PrivateStore, folder: string) => Promise<void>,
): Promise<void> {
  await inFolder(async (parent) => {
    const folder = join(parent, 'records')
    const database = await openDatabase(folder, { name: 'records' })
    try {
      const store = await PrivateStore.open(database)
      await store.putSubmission([1, 2, 3, 4].map(recordOf))
      const update = (number: number) => {
        const { id, holders } = recordOf(number)
        return { id, arrival: number, holders, step: 'whole' as const }
      }
      await store.updateHolders([1, 2, 3].map(update))
      await work(store, folder)
    } finally {
      await database.close()
    }
  })
}

test('nothing of an erased record is left but its id and its number', async () => {
  await withRecords(async (store, folder) => {
    const erased = recordOf(2)
    for (const part of ['sealed metadata 2', 'placement of 2', 'shards of 2', 'shards of 3'])
      assert.ok(isInFiles(folder, part), part)
    assert.ok(await store.erase(erased))
    for (const part of ['sealed metadata 2', 'placement of 2', 'shards of 2'])
      assert.ok(!isInFiles(folder, part), part)
    assert.ok(isInFiles(folder, 'sealed metadata 3'))
    assert.equal(store.getRecord(erased.id), undefined)
    assert.equal(store.findByDedupeKey(erased.dedupeKey), undefined)
    assert.equal(store.findBySet(erased.setName), undefined)
    assert.ok(store.isErased(erased.id) && !store.isErased(recordOf(3).id))
    assert.deepEqual(names(await store.list(null, 10)), [4, 3, 1])
    assert.deepEqual(names(await store.list(null, 2)), [4, 3])
    assert.deepEqual(names(await store.list(3, 2)), [1])
    assert.deepEqual(names(await store.listAccount(erased.account, null, 10)), [4, 3, 1])
    assert.equal(await store.erase(erased), false)
  })
})

test('the same bytes may come again, as another record', async () => {
  await withRecords(async (store) => {
    await store.erase(recordOf(2))
    const order = { account: textBytes('order'), sequence: 5, resource: null }
    const again = { ...recordOf(2), id: textBytes('another id'), order }
    const [stored] = await store.putSubmission([again])
    assert.equal(stored?.arrival, 5)
    assert.deepEqual(store.findByDedupeKey(again.dedupeKey), again.id)
  })
})

test('what no holder has taken is not erased', async () => {
  await withRecords(async (store) => {
    await assert.rejects(
      store.erase(recordOf(4)),
      (error) => error instanceof StorageError && error.code === 'out_of_order',
    )
    assert.equal(store.getRecord(recordOf(4).id)?.status, 'received')
  })
})

test('a purged shard is in no file, and others stay', async () => {
  await inFolder(async (parent) => {
    const folder = join(parent, 'vault')
    const database = await openDatabase(folder, { name: 'vault' })
    try {
      const store = await ShardStore.open(database)
      const shardOf = (number: number) => ({
        custodian: 'st-mary',
        setId: new Uint8Array(32).fill(number),
        index: 0,
        set: textBytes(`set ${number}`),
        manifest: textBytes(`manifest ${number}`),
        holders: ['county'],
        content: { kind: 'inline' as const, body: textBytes(`the shard of ${number}`) },
      })
      const blobShard = {
        ...shardOf(4),
        content: { kind: 'blob' as const, body: { id: new Uint8Array(32).fill(9), bytes: 1 } },
      }
      await store.put([shardOf(1), shardOf(2)])
      await store.purge('st-mary', [shardOf(1)])
      for (const part of ['the shard of 1', 'manifest 1']) assert.ok(!isInFiles(folder, part), part)
      assert.ok(isInFiles(folder, 'the shard of 2'))
      assert.equal(store.usageOf('st-mary').shards, 1)
      await store.marks.put('st-mary', [
        { setId: shardOf(1).setId, mark: { kind: 'erased', body: { shards: [0] } } },
        { setId: shardOf(2).setId, mark: { kind: 'restricted', body: {} } },
      ])
      const marks = new SetMarks(database)
      assert.ok(marks.isErased('st-mary', shardOf(1).setId))
      assert.ok(!marks.isErased('county', shardOf(1).setId))
      assert.ok(marks.isRestricted('st-mary', shardOf(2).setId))
      assert.deepEqual([await marks.count('st-mary', 9), await marks.count('st-mary', 1)], [2, 1])
      await marks.put('st-mary', [{ setId: shardOf(2).setId, mark: null }])
      assert.equal(marks.get('st-mary', shardOf(2).setId), undefined)
      await marks.put('county', [
        { setId: shardOf(3).setId, mark: { kind: 'restricted', body: {} } },
      ])
      const again = await ShardStore.open(database)
      assert.ok(again.marks.isErased('st-mary', shardOf(1).setId))
      assert.ok(!again.marks.isErased('riverside', shardOf(1).setId))
      assert.ok(again.marks.isRestricted('county', shardOf(3).setId))
      const first = { setId: shardOf(1).setId, mark: { kind: 'restricted' as const, body: {} } }
      await again.marks.put('riverside', [first])
      assert.ok(again.marks.isRestricted('riverside', shardOf(1).setId))
      // Nothing that was looked up meanwhile keeps what goes.
      await again.put([blobShard])
      assert.ok(await again.isBlobUsed(blobShard.content.body.id))
      await again.purge('st-mary', [shardOf(2)])
      assert.ok(!isInFiles(folder, 'the shard of 2'))
    } finally {
      await database.close()
    }
  })
})

test('what a private value was before is in no file, and neither is one that was purged', async () => {
  await inFolder(async (parent) => {
    const folder = join(parent, 'values')
    const database = await openDatabase(folder, { name: 'records' })
    try {
      const values = new PrivateValues(database)
      const valueOf = (key: string, value: string) => {
        return { namespace: 'held', key: textBytes(key), value: textBytes(value) }
      }
      const all = [valueOf('a', 'a share of before'), valueOf('b', 'another share')]
      await values.put(all, { sync: true })
      await values.replace(valueOf('a', 'a later share'))
      assert.ok(!isInFiles(folder, 'a share of before'))
      assert.deepEqual(values.get('held', textBytes('a')), textBytes('a later share'))
      await values.purge('held', [textBytes('b'), textBytes('nothing')])
      assert.ok(!isInFiles(folder, 'another share'))
      assert.equal(values.get('held', textBytes('b')), undefined)
      assert.ok(isInFiles(folder, 'a later share'))
    } finally {
      await database.close()
    }
  })
})

test('a library forgets a name in every scope', async () => {
  await inFolder(async (parent) => {
    const folder = join(parent, 'vault')
    const database = await openDatabase(folder, { name: 'vault' })
    try {
      const library = new LibraryStore(database)
      const scopes = [1, 2].map((byte) => new Uint8Array(SCOPE_BYTES).fill(byte))
      const wanted = [3, 255].map((byte) => new Uint8Array(LIBRARY_NAME_BYTES).fill(byte))
      for (const [at, scope] of scopes.entries())
        await library.put(
          scope,
          wanted.map((name, nth) => ({ name, value: textBytes(`value ${at} ${nth}`) })),
        )
      assert.equal(await library.forget(wanted.slice(1)), 2)
      for (const at of [0, 1]) {
        assert.ok(!isInFiles(folder, `value ${at} 1`))
        assert.ok(isInFiles(folder, `value ${at} 0`))
        const left: Uint8Array[] = []
        for await (const { name } of library.entries(scopes[at] ?? NOTHING)) left.push(name)
        assert.deepEqual(left, wanted.slice(0, 1))
      }
      assert.equal(await library.forget(wanted.slice(1)), 0)
    } finally {
      await database.close()
    }
  })
})

test.run()
