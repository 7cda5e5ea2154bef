import assert from 'node:assert/strict'
import { test } from 'uvu'
import { openDatabaseOn } from '../src/database.ts'
import { MemoryLevel } from '../src/memory-level.ts'
import { PRIVATE_VALUE_BYTES_MAX, PrivateValues } from '../src/private-values.ts'

const open = async () =>
  new PrivateValues(await openDatabaseOn(new MemoryLevel('values'), 'records'))
const bytes = (...all: number[]): Uint8Array => Uint8Array.from(all)

test('a namespace has its own values, in the order of their keys, page by page', async () => {
  const values = await open()
  const put = (namespace: string, key: Uint8Array, value: number) => ({
    namespace,
    key,
    value: bytes(value),
  })
  await values.put(
    [
      put('tickets', bytes(2), 1),
      put('tickets', bytes(1, 0), 2),
      put('tickets', bytes(1), 3),
      put('tickets', bytes(...Array.from({ length: 128 }, () => 0xff)), 4),
      put('ticket', bytes(9), 5),
      put('tickets-used', bytes(9), 6),
    ],
    { sync: true },
  )
  const all = await values.list('tickets', null, 10)
  assert.deepEqual(
    all.map(({ key, value }) => [key.length, value[0]]),
    [
      [1, 3],
      [2, 2],
      [1, 1],
      [128, 4],
    ],
  )
  const [first] = await values.list('tickets', null, 1)
  assert.deepEqual(first?.key, bytes(1))
  const rest = await values.list('tickets', bytes(1), 10)
  assert.deepEqual(
    rest.map(({ value }) => value[0]),
    [2, 1, 4],
  )
  assert.deepEqual(values.get('ticket', bytes(9)), bytes(5))
  assert.equal(values.get('ticket', bytes(1)), undefined)
})

test('what is taken out is gone, and only that', async () => {
  const values = await open()
  const both = [bytes(1), bytes(2)].map((key) => ({ namespace: 'notices', key, value: key }))
  await values.put(both, { sync: true })
  await values.delete('notices', bytes(1))
  assert.equal(values.get('notices', bytes(1)), undefined)
  assert.deepEqual(values.get('notices', bytes(2)), bytes(2))
})

test('what is no namespace, too long a key or too large a value is refused before anything is written', async () => {
  const values = await open()
  const good = { namespace: 'a', key: bytes(1), value: bytes(1) }
  for (const bad of [
    { ...good, namespace: 'a\0b' },
    { ...good, namespace: '' },
    { ...good, key: new Uint8Array(129) },
    { ...good, value: new Uint8Array(PRIVATE_VALUE_BYTES_MAX + 1) },
  ])
    await assert.rejects(values.put([good, bad], { sync: true }), RangeError)
  assert.equal(values.get('a', bytes(1)), undefined)
})

test.run()
