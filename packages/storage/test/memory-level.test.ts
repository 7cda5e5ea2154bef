import assert from 'node:assert/strict'
import { test } from 'uvu'
import { type Database, openDatabaseOn } from '../src/database.ts'
import { StorageError } from '../src/errors.ts'
import { blockKey } from '../src/keys.ts'
import { MemoryLevel } from '../src/memory-level.ts'

const put = (height: number, value = Uint8Array.of(height)) =>
  ({ type: 'put', key: blockKey(height), value }) as const
const open = (level: MemoryLevel): Promise<Database> => openDatabaseOn(level, 'chain')
const done = (): Promise<void> => Promise.resolve()
const never = (): Promise<void> => new Promise(() => undefined)
const lucky = (): number => 0
const unlucky = (): number => 0.999

async function heightsOf(level: MemoryLevel): Promise<number[]> {
  const database = await open(level)
  const heights: number[] = []
  for await (const { value } of database.iterate({ from: blockKey(0), to: blockKey(2 ** 40) }))
    heights.push(value[0] ?? 0)
  return heights
}

test('entries come in the order of their keys, as in the real one', async () => {
  const database = await open(new MemoryLevel('memory'))
  const numbers = [3, 1, 200, 2]
  await database.batch(
    numbers.map((number) => put(number)),
    { sync: true },
  )
  await database.batch([{ type: 'del', key: blockKey(2) }], { sync: false })
  const found: number[] = []
  const range = { from: blockKey(0), to: blockKey(2 ** 40), reverse: true, limit: 2 }
  for await (const { value } of database.iterate(range)) found.push(value[0] ?? 0)
  assert.deepEqual(found, [200, 3])
  assert.equal(database.getSync(blockKey(2)), undefined)
})

test('a power loss keeps what was synced, and of the rest a beginning', async () => {
  const level = new MemoryLevel('memory')
  const database = await open(level)
  await database.batch([put(1)], { sync: true })
  await database.batch([put(2)], { sync: false })
  await database.batch([put(3)], { sync: false })
  assert.deepEqual(await heightsOf(level.afterPowerLoss(lucky)), [1])
  assert.deepEqual(await heightsOf(level.afterPowerLoss(() => 0.5)), [1, 2])
  assert.deepEqual(await heightsOf(level.afterPowerLoss(unlucky)), [1, 2, 3])
  assert.deepEqual(await heightsOf(level.afterKill(unlucky)), [1, 2, 3])
  await database.batch([put(4)], { sync: true })
  assert.deepEqual(await heightsOf(level.afterPowerLoss(lucky)), [1, 2, 3, 4])
})

test('a batch under way is seen by nobody, and after a crash is there whole or not at all', async () => {
  let write = done
  const level = new MemoryLevel('memory', () => write())
  const database = await open(level)
  write = never
  database.batch([put(1), put(2)], { sync: true }).catch(assert.fail)
  await Promise.resolve()
  assert.equal(database.getSync(blockKey(1)), undefined)
  assert.deepEqual(await heightsOf(level.afterPowerLoss(lucky, done)), [1, 2])
  assert.deepEqual(await heightsOf(level.afterPowerLoss(unlucky, done)), [])
  assert.deepEqual(await heightsOf(level.afterKill(lucky, done)), [1, 2])
})

test('a log cut short loses the newest batches, synced or not, and no older ones', async () => {
  const level = new MemoryLevel('memory')
  const database = await open(level)
  for (const height of [1, 2, 3, 4]) await database.batch([put(height)], { sync: true })
  assert.deepEqual(await heightsOf(level.afterPowerLoss(unlucky, undefined, 2)), [1, 2])
  for (let height = 5; height < 30; height += 1) await database.batch([put(height)], { sync: true })
  const left = await heightsOf(level.afterPowerLoss(unlucky, undefined, 1_000))
  assert.deepEqual(
    left,
    Array.from({ length: left.length }, (_, index) => index + 1),
  )
  assert.ok(left.length >= 20)
})

test('a failed write changes nothing, and the next one is written', async () => {
  let isFull = false
  const full = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
  const level = new MemoryLevel('memory', () => (isFull ? Promise.reject(full) : Promise.resolve()))
  const database = await open(level)
  isFull = true
  await assert.rejects(database.batch([put(1)], { sync: true }), (error) => {
    assert.ok(error instanceof StorageError)
    assert.equal(error.code, 'full')
    return true
  })
  isFull = false
  await database.batch([put(2)], { sync: true })
  assert.deepEqual(await heightsOf(level), [2])
})

test('values are checked here too', async () => {
  const level = new MemoryLevel('memory')
  const database = await open(level)
  await database.batch([put(1)], { sync: true })
  const batch = level.batch()
  batch.put(blockKey(1), new Uint8Array(20))
  await batch.write({ sync: true })
  assert.throws(() => database.getSync(blockKey(1)), StorageError)
})

test.run()
