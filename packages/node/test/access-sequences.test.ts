import assert from 'node:assert/strict'
import { MemoryLevel, openDatabaseOn, PrivateValues } from '@mooring/storage'
import { test } from 'uvu'
import { AccessSequences, sequenceSchema } from '../src/access-sequences.ts'
import { AtRest } from '../src/at-rest.ts'
import { SealedValues } from '../src/sealed-values.ts'

const GRANT = { custodian: 'st-mary', id: new Uint8Array(16).fill(1) }

async function opened() {
  const store = new PrivateValues(await openDatabaseOn(new MemoryLevel('sequences'), 'records'))
  const atRest = new AtRest(new Uint8Array(32).fill(9))
  const again = () =>
    new AccessSequences(new SealedValues(store, atRest, 'access-sequences', sequenceSchema))
  return { sequences: again(), again, store }
}

test('entries under a grant are numbered from 1, also when many come at once', async () => {
  const { sequences } = await opened()
  const numbers = await Promise.all(Array.from({ length: 20 }, () => sequences.next(GRANT)))
  assert.deepEqual(
    numbers.toSorted((a, b) => a - b),
    Array.from({ length: 20 }, (_, at) => at + 1),
  )
})

test('each grant of each custodian has numbers of its own', async () => {
  const { sequences } = await opened()
  assert.equal(await sequences.next(GRANT), 1)
  assert.equal(await sequences.next({ ...GRANT, custodian: 'lakeview' }), 1)
  assert.equal(await sequences.next({ ...GRANT, id: new Uint8Array(16).fill(2) }), 1)
  assert.equal(await sequences.next(GRANT), 2)
})

test('a number is never given twice, whatever was lost with the process', async () => {
  const { sequences, again } = await opened()
  assert.equal(await sequences.next(GRANT), 1)
  assert.equal(await again().next(GRANT), 2)
})

test('one that could not be written holds nobody up, and the next is the same', async () => {
  const { sequences, store } = await opened()
  let isFull = true
  const put = store.put.bind(store)
  store.put = (operations, how) =>
    isFull ? Promise.reject(new Error('no space left')) : put(operations, how)
  await assert.rejects(sequences.next(GRANT), /no space left/)
  isFull = false
  assert.equal(await sequences.next(GRANT), 1)
})

test.run()
