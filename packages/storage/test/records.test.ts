import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'uvu'
import { type Database, openDatabase } from '../src/database.ts'
import { StorageError, type StorageErrorCode } from '../src/errors.ts'
import * as keys from '../src/keys.ts'
import { type NewRecord, PrivateStore } from '../src/records.ts'
import { inFolder } from './folder.ts'

const textBytes = (text: string) => new TextEncoder().encode(text)

function recordOf(number: number): NewRecord {
  return {
    id: textBytes(`id ${number}`),
    dedupeKey: textBytes(`key ${number}`),
    metadata: textBytes(`sealed ${number}`),
    raw: textBytes(`raw ${number}`),
  }
}

function recordsOf(...numbers: number[]): NewRecord[] {
  return numbers.map(recordOf)
}

async function withStore(
  work: (store: PrivateStore, database: Database) => Promise<void>,
): Promise<void> {
  await inFolder(async (folder) => {
    const database = await openDatabase(join(folder, 'records'), { name: 'records' })
    try {
      await work(await PrivateStore.open(database), database)
    } finally {
      await database.close()
    }
  })
}

function withCode(code: StorageErrorCode): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof StorageError, String(error))
    assert.equal(error.code, code, error.message)
    return true
  }
}

test('a submission is stored whole, in its order, and found again later', async () => {
  await withStore(async (first, database) => {
    const accepted = await first.putSubmission(recordsOf(1, 2))
    assert.deepEqual(
      accepted.map(({ arrival }) => arrival),
      [1, 2],
    )
    await first.putSubmission(recordsOf(3))
    for (const store of [first, await PrivateStore.open(database)]) {
      assert.equal(store.size, 3)
      const { id, dedupeKey, metadata, raw } = recordOf(2)
      assert.deepEqual(store.getRecord(id), { id, arrival: 2, metadata, place: null })
      assert.deepEqual(await store.getRaw(id), raw)
      assert.deepEqual(store.findByDedupeKey(dedupeKey), id)
      assert.equal(store.getRecord(textBytes('id 9')), undefined)
      assert.equal(await store.getRaw(textBytes('id 9')), undefined)
      assert.deepEqual(
        (await store.pending(10)).map(({ arrival }) => arrival),
        [1, 2, 3],
      )
    }
  })
})

test('one duplicate refuses its whole submission', async () => {
  await withStore(async (store) => {
    await store.putSubmission(recordsOf(1))
    const sameId = { ...recordOf(5), id: recordOf(1).id }
    const sameKey = { ...recordOf(5), dedupeKey: recordOf(1).dedupeKey }
    const twice = [recordOf(6), { ...recordOf(7), id: recordOf(6).id }]
    const keyTwice = [recordOf(6), { ...recordOf(7), dedupeKey: recordOf(6).dedupeKey }]
    for (const submission of [[recordOf(4), sameId], [recordOf(4), sameKey], twice, keyTwice]) {
      await assert.rejects(store.putSubmission(submission), withCode('duplicate'))
    }
    assert.equal(store.size, 1)
    assert.equal(store.getRecord(recordOf(4).id), undefined)
    assert.equal(store.getRecord(recordOf(6).id), undefined)
  })
})

test('of equal submissions at once only one is stored', async () => {
  await withStore(async (store) => {
    const outcomes = await Promise.allSettled([
      store.putSubmission(recordsOf(1, 2)),
      store.putSubmission(recordsOf(2, 3)),
      store.putSubmission(recordsOf(4)),
    ])
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    )
    assert.equal(store.size, 3)
    assert.equal(store.getRecord(recordOf(4).id)?.arrival, 3)
  })
})

test('a batch takes records out of the queue, and is unanchored until its anchor is known', async () => {
  await withStore(async (first, database) => {
    await first.putSubmission(recordsOf(1, 2, 3))
    const taken = (await first.pending(2)).map((each, at) => ({ ...each, position: 7 + at }))
    assert.equal(await first.putBatch(textBytes('batch'), taken), 1)
    for (const store of [first, await PrivateStore.open(database)]) {
      assert.deepEqual(store.getRecord(recordOf(2).id)?.place, { sequence: 1, position: 8 })
      assert.deepEqual(
        (await store.pending(9)).map(({ arrival }) => arrival),
        [3],
      )
      assert.deepEqual(await store.unanchored(), [
        { sequence: 1, batch: textBytes('batch'), anchor: null },
      ])
    }
    await first.markAnchored(1, textBytes('anchor'))
    assert.deepEqual(await first.unanchored(), [])
    assert.deepEqual(first.getBatch(1)?.anchor, textBytes('anchor'))
    assert.equal(first.getBatch(2), undefined)
  })
})

test('no record comes into two batches', async () => {
  await withStore(async (store) => {
    await store.putSubmission(recordsOf(1, 2))
    const [one, two] = (await store.pending(2)).map((each) => ({ ...each, position: 0 }))
    assert.ok(one && two)
    const both = await Promise.allSettled([
      store.putBatch(textBytes('first'), [one]),
      store.putBatch(textBytes('second'), [one]),
    ])
    assert.deepEqual(
      both.map(({ status }) => status),
      ['fulfilled', 'rejected'],
    )
    for (const wrong of [[two, two], [{ ...two, id: one.id }], [{ ...two, arrival: 9 }]]) {
      await assert.rejects(store.putBatch(textBytes('wrong'), wrong), withCode('out_of_order'))
    }
    assert.equal(await store.putBatch(textBytes('next'), [two]), 2)
  })
})

test('records are listed newest first, page by page', async () => {
  await withStore(async (store) => {
    await store.putSubmission(recordsOf(1, 2, 3, 4, 5))
    const arrivals = async (before: number | null, limit: number) =>
      (await store.list(before, limit)).map(({ arrival }) => arrival)
    assert.deepEqual(await arrivals(null, 2), [5, 4])
    assert.deepEqual(await arrivals(4, 2), [3, 2])
    assert.deepEqual(await arrivals(2, 2), [1])
    assert.deepEqual(await arrivals(1, 2), [])
  })
})

test('what the database lost is an error, not an answer', async () => {
  const { id } = recordOf(2)
  for (const [lost, meet] of [
    [keys.rawKey(id), (store) => store.getRaw(id)],
    [keys.recordKey(id), (store) => store.list(null, 9)],
    [keys.arrivalKey(2), (store) => store.list(null, 9)],
    [keys.pendingKey(2), (store) => store.list(null, 9)],
  ] as [Uint8Array, (store: PrivateStore) => Promise<unknown>][]) {
    await withStore(async (store, database) => {
      await store.putSubmission(recordsOf(1, 2, 3))
      await database.batch([{ type: 'del', key: lost }], { sync: false })
      await assert.rejects(meet(store), withCode('missing'))
    })
  }
  await withStore(async (store, database) => {
    await store.putSubmission(recordsOf(1, 2))
    await database.batch([{ type: 'del', key: keys.arrivalKey(2) }], { sync: false })
    await assert.rejects(PrivateStore.open(database), withCode('missing'))
  })
})

test('an error names no record of a patient', async () => {
  await withStore(async (store, database) => {
    await store.putSubmission(recordsOf(1))
    const stranger = database.getSync(keys.rawKey(recordOf(1).id))
    assert.ok(stranger)
    await database.batch([{ type: 'del', key: keys.rawKey(recordOf(1).id) }], { sync: false })
    await assert.rejects(store.getRaw(recordOf(1).id), (error) => {
      assert.ok(error instanceof StorageError)
      assert.deepEqual(error.details, { key: 'raw bytes of a record' })
      return true
    })
  })
})

test.run()
