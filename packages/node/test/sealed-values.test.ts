import assert from 'node:assert/strict'
import { struct, text, toHex } from '@mooring/codec'
import { MemoryLevel, openDatabaseOn, PrivateValues } from '@mooring/storage'
import { test } from 'uvu'
import { AtRest } from '../src/at-rest.ts'
import { SealedValues } from '../src/sealed-values.ts'

const SECRET = new Uint8Array(32).fill(9)
const schema = struct({ said: text(64) })
const key = (byte: number): Uint8Array => new Uint8Array(16).fill(byte)

async function open(secret = SECRET) {
  const store = new PrivateValues(await openDatabaseOn(new MemoryLevel('sealed'), 'records'))
  return { store, values: new SealedValues(store, new AtRest(secret), 'questions', schema) }
}

test('a value comes back as it was put, one by one and all of them, and is sealed on the disk', async () => {
  const { store, values } = await open()
  for (let byte = 255; byte >= 0; byte -= 1) await values.put(key(byte), { said: `why ${byte}` })
  await values.put(new Uint8Array(17).fill(255), { said: 'last' })
  assert.deepEqual(values.get(key(7)), { said: 'why 7' })
  const said: string[] = []
  for await (const { value } of values.all()) said.push(value.said)
  assert.deepEqual(said, [...Array.from({ length: 256 }, (_, byte) => `why ${byte}`), 'last'])
  for (const { value } of await store.list('questions', null, 300))
    assert(!Buffer.from(value).includes('why'))
  await values.delete(key(7))
  assert.equal(values.get(key(7)), undefined)
})

test('those under a name are found page by page, and neither the name itself nor its neighbours', async () => {
  const { values } = await open()
  const under = (byte: number, number: number) =>
    new Uint8Array([...key(byte), number >> 8, number & 255])
  for (let number = 0; number < 600; number += 1)
    await values.put(under(2, number), { said: `${number}` }, { sync: false })
  for (const neighbour of [key(1), key(2), under(1, 3), under(3, 0)])
    await values.put(neighbour, { said: 'another' })
  const found = await values.under(key(2))
  assert.deepEqual(
    found.map(({ value }) => value.said),
    Array.from({ length: 600 }, (_, number) => `${number}`),
  )
  assert.deepEqual(await values.under(key(4)), [])
})

test('a value opens only in its place and with the secret it was sealed with', async () => {
  const { store, values } = await open()
  await values.put(key(1), { said: 'mine' })
  const value = store.get('questions', key(1)) ?? assert.fail()
  await store.put([{ namespace: 'questions', key: key(2), value }], { sync: true })
  await store.put([{ namespace: 'answers', key: key(1), value }], { sync: true })
  assert.throws(() => values.get(key(2)), { code: 'corrupt' })
  const answers = new SealedValues(store, new AtRest(SECRET), 'answers', schema)
  assert.throws(() => answers.get(key(1)), { code: 'corrupt' })
  const stranger = new SealedValues(store, new AtRest(key(1)), 'questions', schema)
  assert.throws(() => stranger.get(key(1)), { code: 'corrupt' })
})

test('names follow from the secret, the namespace and the parts', async () => {
  const { store, values } = await open()
  const part = new TextEncoder().encode('Patient/1')
  const answers = new SealedValues(store, new AtRest(SECRET), 'answers', schema)
  const stranger = new SealedValues(store, new AtRest(key(1)), 'questions', schema)
  const names = [values.name(part), answers.name(part), stranger.name(part), values.name(key(1))]
  assert.equal(new Set(names.map(toHex)).size, 4)
  assert.deepEqual(values.name(part), values.name(part))
})

test.run()
