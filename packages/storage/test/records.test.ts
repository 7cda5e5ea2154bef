import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'uvu'
import { type Database, openDatabase, openDatabaseOn } from '../src/database.ts'
import { StorageError, type StorageErrorCode } from '../src/errors.ts'
import * as keys from '../src/keys.ts'
import { MemoryLevel } from '../src/memory-level.ts'
import type { HolderUpdate, NewRecord } from '../src/private-record.ts'
import { PrivateStore } from '../src/records.ts'
import { inFolder } from './folder.ts'

const textBytes = (text: string) => new TextEncoder().encode(text)

function recordOf(number: number): NewRecord {
  return {
    id: textBytes(`id ${number}`),
    dedupeKey: textBytes(`key ${number}`),
    setName: textBytes(`set ${number}`),
    account: textBytes(number % 2 === 0 ? 'even' : 'odd'),
    order: { account: textBytes(`order ${number}`), sequence: 1, resource: null },
    metadata: textBytes(`sealed ${number}`),
    holders: textBytes(`holders ${number}`),
    queued: textBytes(`shards ${number}`),
  }
}

/** The step of the record with this number, which arrived as this one. */
function updateOf(
  number: number,
  step: HolderUpdate['step'],
  arrival: number = number,
): HolderUpdate {
  return { id: recordOf(number).id, arrival, holders: textBytes(`at ${number}`), step }
}

async function withAccepted(
  numbers: readonly number[],
  work: (store: PrivateStore, database: Database) => Promise<void>,
): Promise<void> {
  await withStore(async (store, database) => {
    await store.putSubmission(recordsOf(...numbers))
    await store.updateHolders(numbers.map((number, at) => updateOf(number, 'accepted', at + 1)))
    await work(store, database)
  })
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
      const { id, dedupeKey, setName, metadata, holders, queued } = recordOf(2)
      const expected = { id, arrival: 2, status: 'received', metadata, holders, place: null }
      assert.deepEqual(store.getRecord(id), expected)
      assert.deepEqual(await store.getQueued(2), queued)
      assert.deepEqual(store.findByDedupeKey(dedupeKey), id)
      assert.deepEqual(store.findBySet(setName), id)
      assert.equal(store.getRecord(textBytes('id 9')), undefined)
      assert.equal(await store.getQueued(9), undefined)
      assert.deepEqual([store.received, store.waiting], [3, 0])
      const waiting: unknown[] = []
      for await (const { arrival, isAccepted } of store.queued()) waiting.push(arrival, isAccepted)
      assert.deepEqual(waiting, [1, false, 2, false, 3, false])
      assert.deepEqual(await store.pending(10), [])
    }
  })
})

test('a record is accepted in any order, and waits for a batch in the order of arrival', async () => {
  await withStore(async (first, database) => {
    await first.putSubmission(recordsOf(1, 2, 3))
    await first.updateHolders([updateOf(3, 'accepted')])
    await first.updateHolders([updateOf(1, 'none'), updateOf(2, 'whole')])
    await first.updateHolders([updateOf(3, 'accepted')])
    for (const store of [first, await PrivateStore.open(database)]) {
      assert.deepEqual(
        [1, 2, 3].map((number) => store.getRecord(recordOf(number).id)?.status),
        ['received', 'accepted', 'accepted'],
      )
      assert.deepEqual(store.getRecord(recordOf(1).id)?.holders, textBytes('at 1'))
      assert.deepEqual([store.received, store.waiting], [1, 2])
      assert.deepEqual(
        (await store.pending(9)).map(({ arrival }) => arrival),
        [2, 3],
      )
    }
  })
})

test('a step that is to be durable outlasts a power failure, and others may not', async () => {
  for (const sync of [true, false]) {
    const level = new MemoryLevel('memory')
    const store = await PrivateStore.open(await openDatabaseOn(level, 'records'))
    await store.putSubmission(recordsOf(1))
    await store.updateHolders([updateOf(1, 'short')], { sync })
    const left = level.afterPowerLoss(() => 0)
    const again = await PrivateStore.open(await openDatabaseOn(left, 'records'))
    assert.equal((await again.short(0, 9)).length, sync ? 1 : 0)
  }
})

test('what all holders have leaves the queue, and so does what is left a shard short', async () => {
  await withStore(async (store) => {
    await store.putSubmission(recordsOf(1, 2, 3))
    await store.updateHolders([updateOf(1, 'whole'), updateOf(2, 'short')])
    assert.equal(await store.getQueued(1), undefined)
    assert.equal(await store.getQueued(2), undefined)
    const queued: number[] = []
    for await (const { arrival } of store.queued()) queued.push(arrival)
    assert.deepEqual(queued, [3])
    await assert.rejects(store.updateHolders([updateOf(1, 'none')]), withCode('out_of_order'))
    assert.deepEqual(await store.short(0, 9), [{ arrival: 2, id: recordOf(2).id }])
    assert.deepEqual(await store.short(2, 9), [])
    await store.moveHolders(2, textBytes('elsewhere'), { isShort: false })
    assert.deepEqual(await store.short(0, 9), [])
    assert.deepEqual(store.getRecord(recordOf(2).id)?.holders, textBytes('elsewhere'))
  })
})

test('the records of one account are listed apart', async () => {
  await withStore(async (store) => {
    await store.putSubmission(recordsOf(1, 2, 3, 4, 5))
    const odd = async (before: number | null, limit: number) =>
      (await store.listAccount(textBytes('odd'), before, limit)).map(({ arrival }) => arrival)
    assert.deepEqual(await odd(null, 2), [5, 3])
    assert.deepEqual(await odd(3, 2), [1])
    assert.deepEqual(await store.listAccount(textBytes('nobody'), null, 2), [])
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
  await withAccepted([1, 2, 3], async (first, database) => {
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
  await withAccepted([1, 2], async (store) => {
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
    [keys.queuedKey(2), (store) => store.getQueued(2)],
    [keys.holdersKey(2), (store) => store.list(null, 9)],
    [keys.recordKey(id), (store) => store.list(null, 9)],
    [keys.arrivalKey(2), (store) => store.list(null, 9)],
    [keys.pendingKey(2), (store) => store.list(null, 9)],
  ] as [Uint8Array, (store: PrivateStore) => Promise<unknown>][]) {
    await withAccepted([1, 2, 3], async (store, database) => {
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
    await database.batch([{ type: 'del', key: keys.recordKey(recordOf(1).id) }], { sync: false })
    await assert.rejects(store.list(null, 1), (error) => {
      assert.ok(error instanceof StorageError)
      assert.deepEqual(error.details, { key: 'record' })
      return true
    })
  })
})

test.run()
