import assert from 'node:assert/strict'
import { test } from 'uvu'
import { StorageError } from '../src/errors.ts'
import { openDatabaseOn } from '../src/database.ts'
import { MemoryLevel } from '../src/memory-level.ts'
import type { NewRecord } from '../src/private-record.ts'
import { PrivateStore } from '../src/records.ts'

const textBytes = (text: string) => new TextEncoder().encode(text)
const id = (number: number) => new Uint8Array(32).fill(number)

function recordOf(number: number, account: string, sequence: number, resource?: string): NewRecord {
  return {
    id: id(number),
    dedupeKey: textBytes(`key ${number}`),
    setName: textBytes(`set ${number}`),
    account: textBytes('keys'),
    order: {
      account: textBytes(account),
      sequence,
      resource: resource === undefined ? null : textBytes(resource),
    },
    metadata: textBytes('sealed'),
    holders: textBytes('holders'),
    queued: textBytes('shards'),
  }
}

async function withStore(work: (store: PrivateStore) => Promise<void>): Promise<void> {
  const database = await openDatabaseOn(new MemoryLevel('records'), 'records')
  await work(await PrivateStore.open(database))
}

const isOutOfOrder = (error: unknown) =>
  error instanceof StorageError && error.code === 'out_of_order'

test('each account counts its own records, and knows the newest version of a resource', () =>
  withStore(async (store) => {
    assert.equal(await store.order.last(textBytes('anna')), 0)
    await store.putSubmission([
      recordOf(1, 'anna', 1, 'bp'),
      recordOf(2, 'berta', 1),
      recordOf(3, 'anna', 2),
    ])
    await store.putSubmission([recordOf(4, 'anna', 3, 'bp')])
    assert.equal(await store.order.last(textBytes('anna')), 3)
    assert.equal(await store.order.last(textBytes('berta')), 1)
    assert.deepEqual(await store.order.list(textBytes('anna'), { after: 1, limit: 9 }), [
      { sequence: 2, id: id(3) },
      { sequence: 3, id: id(4) },
    ])
    assert.deepEqual(store.order.newestVersion(textBytes('bp')), { sequence: 3, id: id(4) })
    assert.equal(store.order.newestVersion(textBytes('pulse')), undefined)
  }))

test('a number that does not follow is refused, and nothing of its submission is kept', () =>
  withStore(async (store) => {
    await store.putSubmission([recordOf(1, 'anna', 1)])
    for (const sequence of [0, 1, 3]) {
      const submission = [recordOf(2, 'berta', 1), recordOf(3, 'anna', sequence)]
      await assert.rejects(store.putSubmission(submission), isOutOfOrder)
    }
    assert.equal(store.size, 1)
    assert.equal(await store.order.last(textBytes('berta')), 0)
    await assert.rejects(
      store.putSubmission([recordOf(2, 'anna', 2), recordOf(3, 'anna', 2)]),
      isOutOfOrder,
    )
  }))

test('what comes back from holders has the numbers it had, whatever is missing between', () =>
  withStore(async (store) => {
    const back = [
      recordOf(5, 'anna', 5, 'bp'),
      recordOf(2, 'anna', 2, 'bp'),
      recordOf(9, 'anna', 2),
    ]
    await store.restore(back.map((record) => ({ ...record, place: null })))
    assert.deepEqual(await store.order.list(textBytes('anna'), { after: 0, limit: 9 }), [
      { sequence: 2, id: id(2) },
      { sequence: 5, id: id(5) },
    ])
    assert.deepEqual(store.order.newestVersion(textBytes('bp')), { sequence: 5, id: id(5) })
    await store.putSubmission([recordOf(6, 'anna', 6, 'bp')])
    assert.deepEqual(store.order.newestVersion(textBytes('bp')), { sequence: 6, id: id(6) })
  }))

test.run()
