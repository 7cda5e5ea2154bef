import assert from 'node:assert/strict'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { toHex } from '@mooring/codec'
import { test } from 'uvu'
import { openDatabase } from '../src/database.ts'
import { StorageError, storageErrorOf } from '../src/errors.ts'
import { lockHome, readHomeUser } from '../src/home-lock.ts'
import { blockKey, formatDatabaseKey, historyKey, pageKey, recordKey, tipKey } from '../src/keys.ts'
import { RecentCache } from '../src/recent-cache.ts'
import { inFolder, withDatabase } from './folder.ts'

const USER = { pid: 4711, startedAt: 1_700_000_000_000, name: 'north' }

const put = (height: number) =>
  ({ type: 'put', key: blockKey(height), value: new Uint8Array(height) }) as const
const codeOf = (cause: unknown) => storageErrorOf(cause, 'it failed', '/home').code
const withCause = (code: string) =>
  new Error('outside', { cause: Object.assign(new Error('inside'), { code }) })

test('values come back as written, in the order of their keys', async () => {
  await withDatabase(async (database) => {
    await database.batch([300, 2, 1, 255, 256].map(put), { sync: true })
    const heights: number[] = []
    const range = { from: blockKey(0), to: blockKey(2 ** 40) }
    for await (const { value } of database.iterate(range)) heights.push(value.length)
    assert.deepEqual(heights, [1, 2, 255, 256, 300])
    const last: number[] = []
    for await (const { value } of database.iterate({ ...range, reverse: true, limit: 2 })) {
      last.push(value.length)
    }
    assert.deepEqual(last, [300, 256])
    assert.equal(database.getSync(blockKey(300))?.length, 300)
    assert.equal((await database.get(blockKey(2)))?.constructor, Uint8Array)
    await database.batch([{ type: 'del', key: blockKey(2) }], { sync: false })
    assert.equal(await database.get(blockKey(2)), undefined)
  })
})

test('a locked database says who has it open and since when', async () => {
  await inFolder(async (home) => {
    const path = join(home, 'data', 'chain')
    const database = await openDatabase(path, { name: 'chain', home })
    const lock = await lockHome(home, USER)
    await assert.rejects(openDatabase(path, { name: 'chain', home }), (error) => {
      assert.ok(error instanceof StorageError)
      assert.equal(error.code, 'locked')
      assert.deepEqual(error.details, { path, home, ...USER })
      return true
    })
    await lock.release()
    await assert.rejects(openDatabase(path, { name: 'chain', home }), (error) => {
      assert.ok(error instanceof StorageError)
      assert.deepEqual(error.details, { path, home })
      return true
    })
    await database.close()
    await (await openDatabase(path, { name: 'chain', home })).close()
  })
})

test('the pid file goes with its process and not with another', async () => {
  await inFolder(async (home) => {
    const first = await lockHome(home, USER)
    assert.deepEqual(await readHomeUser(home), USER)
    const second = await lockHome(home, { ...USER, pid: 4712 })
    await first.release()
    assert.equal((await readHomeUser(home))?.pid, 4712)
    await second.release()
    assert.equal(await readHomeUser(home), undefined)
    assert.deepEqual(await readdir(join(home, 'run')), [])
    await writeFile(join(home, 'run', 'mooring.pid'), '{"pid": "no number"}')
    assert.equal(await readHomeUser(home), undefined)
  })
})

test('a database of another kind, or of unknown contents, is refused', async () => {
  await inFolder(async (folder) => {
    const path = join(folder, 'chain')
    await (await openDatabase(path, { name: 'chain' })).close()
    await assert.rejects(
      openDatabase(path, { name: 'records' }),
      (error) => error instanceof StorageError && error.code === 'format',
    )
    await mkdir(join(folder, 'other'))
    await writeFile(join(folder, 'other', '000001.log'), 'not a log, and no CURRENT')
    await assert.rejects(
      openDatabase(join(folder, 'other'), { name: 'chain' }),
      (error) => error instanceof StorageError && error.code === 'corrupt',
    )
  })
})

test('causes become codes', () => {
  assert.equal(codeOf(withCause('LEVEL_LOCKED')), 'locked')
  assert.equal(codeOf(withCause('LEVEL_CORRUPTION')), 'corrupt')
  assert.equal(codeOf(withCause('ENOSPC')), 'full')
  assert.equal(codeOf(new Error('IO error: 000005.log: No space left on device')), 'full')
  assert.equal(codeOf('thrown text'), 'io')
  assert.equal(codeOf(new StorageError('missing', 'already one')), 'missing')
})

test('keys are named in words, except those of records', () => {
  assert.equal(formatDatabaseKey(blockKey(17)), 'block 17')
  assert.equal(formatDatabaseKey(tipKey()), 'tip')
  assert.equal(formatDatabaseKey(pageKey('0a3')), "state page '0a3'")
  assert.equal(formatDatabaseKey(historyKey(2, 1)), `history node ${'00'.repeat(7)}0102`)
  assert.equal(formatDatabaseKey(recordKey(new Uint8Array(32))), 'record')
  assert.equal(formatDatabaseKey(new Uint8Array(0)), 'unknown key')
  assert.equal(toHex(blockKey(2 ** 40 + 1)), '420000010000000001')
})

test('a cache keeps what is used and stays within its bytes', () => {
  const cache = new RecentCache<number>(100, () => 10)
  for (let round = 0; round < 100; round += 1) {
    cache.set(`${round}`, round)
    assert.equal(cache.get('0'), 0, `${round}`)
  }
  const held = Array.from({ length: 100 }, (_, key) => cache.get(`${key}`)).filter(
    (value) => value !== undefined,
  )
  assert.ok(held.length <= 12, `${held.length}`)
  cache.delete('0')
  assert.equal(cache.get('0'), undefined)
})

test.run()
