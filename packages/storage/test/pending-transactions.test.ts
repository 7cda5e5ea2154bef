import assert from 'node:assert/strict'
import { toHex } from '@mooring/codec'
import { test } from 'uvu'
import { PendingTransactions } from '../src/pending-transactions.ts'
import { withDatabase } from './folder.ts'

const idOf = (number: number) => new Uint8Array(32).fill(number)
const bytesOf = (number: number) => Uint8Array.of(number, number)

test('what was kept is there for the next process, until it is forgotten', async () => {
  await withDatabase(async (database) => {
    const pending = new PendingTransactions(database)
    await Promise.all([1, 2, 0xff].map((number) => pending.keep(idOf(number), bytesOf(number))))
    const numbers = async () =>
      (await new PendingTransactions(database).all()).map(({ id, bytes }) => {
        const [number] = id
        assert.ok(number !== undefined)
        assert.equal(toHex(bytes), toHex(bytesOf(number)))
        return number
      })
    assert.deepEqual(await numbers(), [1, 2, 0xff])
    await pending.forget([idOf(2), idOf(9)])
    assert.deepEqual(await numbers(), [1, 0xff])
  })
})

test('a transaction kept while a write is under way is on the disk when its promise resolves', async () => {
  await withDatabase(async (database) => {
    const pending = new PendingTransactions(database)
    const waits: Promise<void>[] = []
    for (let number = 1; number <= 30; number += 1) {
      const kept = pending.keep(idOf(number), bytesOf(number)).then(async () => {
        const found = await pending.all()
        assert.ok(found.some(({ id }) => id[0] === number))
      })
      waits.push(kept)
      if (number % 7 === 0) await waits[number - 4]
    }
    await Promise.all(waits)
  })
})

test('what is forgotten before it is on the disk does not come back', async () => {
  await withDatabase(async (database) => {
    const pending = new PendingTransactions(database)
    const kept = [1, 2, 3].map((number) => pending.keep(idOf(number), bytesOf(number)))
    await Promise.resolve()
    kept.push(pending.keep(idOf(4), bytesOf(4)), pending.keep(idOf(5), bytesOf(5)))
    await pending.forget([idOf(2), idOf(5)])
    await Promise.all(kept)
    assert.deepEqual(
      (await pending.all()).map(({ id }) => id[0]),
      [1, 3, 4],
    )
  })
})

test('a failed write is told to everyone who waited for it', async () => {
  await withDatabase(async (database) => {
    const pending = new PendingTransactions(database)
    await database.close()
    const waits = [1, 2].map((number) => pending.keep(idOf(number), bytesOf(number)))
    const outcomes = await Promise.allSettled(waits)
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['rejected', 'rejected'],
    )
  })
})

test.run()
