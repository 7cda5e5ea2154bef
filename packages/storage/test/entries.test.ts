import assert from 'node:assert/strict'
import { encode, struct, text, uint } from '@mooring/codec'
import { test } from 'uvu'
import { checkEntries } from '../src/check-entries.ts'
import { openDatabase, openDatabaseOn } from '../src/database.ts'
import { exportEntries, importEntries } from '../src/entries.ts'
import { storageErrorOf } from '../src/errors.ts'
import { formatKey, recordKey, privateValueKey } from '../src/keys.ts'
import { MemoryLevel } from '../src/memory-level.ts'
import { isRecordIndex, salvage } from '../src/salvage.ts'
import { withDatabase } from './folder.ts'
import { join } from 'node:path'
import { inFolder } from './folder.ts'

const key = (number: number): Uint8Array => recordKey(new Uint8Array(32).fill(number))

test('a pinned database goes out in chunks and comes back, whatever is written meanwhile', () =>
  withDatabase(async (database) => {
    const value = new Uint8Array(300_000).fill(7)
    for (let number = 0; number < 40; number += 1) {
      await database.batch([{ type: 'put', key: key(number), value }], { sync: false })
    }
    const pinned = database.pin()
    await database.batch([{ type: 'del', key: key(3) }], { sync: false })
    const chunks: Uint8Array[] = []
    let entries = 0
    for await (const chunk of exportEntries(pinned)) {
      chunks.push(chunk.bytes)
      entries += chunk.entries
    }
    await pinned.close()
    assert.equal(entries, 41, 'forty and the format')
    assert.ok(chunks.length >= 3, `${chunks.length} chunks`)
    const copy = await openDatabaseOn(new MemoryLevel('memory'), 'chain')
    let imported = 0
    for (const chunk of chunks) imported += await importEntries(copy, chunk, { sync: true })
    assert.equal(imported, entries)
    assert.deepEqual(copy.getSync(key(3)), value)
    const [torn] = chunks
    assert.ok(torn)
    for (const length of [1, 4, 20, torn.length - 1]) {
      await assert.rejects(importEntries(copy, torn.slice(0, length), { sync: true }), {
        code: 'corrupt',
      })
    }
  }))

test('what is damaged is counted and left out, what is good is kept, an index may be dropped', () =>
  inFolder(async (folder) => {
    const level = new MemoryLevel('memory')
    const database = await openDatabaseOn(level, 'records')
    const grant = privateValueKey('grant', Uint8Array.of(1))
    const bad = privateValueKey('grant', Uint8Array.of(2))
    const value = Uint8Array.of(1, 2, 3)
    for (const each of [key(1), grant, bad]) {
      await database.batch([{ type: 'put', key: each, value }], { sync: true })
    }
    const stored = await level.get(bad)
    assert.ok(stored)
    const flipped = stored.slice()
    flipped[20] = (flipped[20] ?? 0) ^ 1
    const batch = level.batch()
    batch.put(
      bad,
      flipped.map((byte, at) => (at === 0 ? byte ^ 1 : byte)),
    )
    await batch.write({ sync: true })
    const { problems, damaged, entries } = await checkEntries(database)
    assert.equal(entries, 4)
    assert.equal(damaged, 1)
    assert.deepEqual(
      problems.map(({ code }) => code),
      ['corrupt'],
    )

    const fresh = await openDatabase(join(folder, 'records'), { name: 'records' })
    const salvaged = await salvage(database, fresh, isRecordIndex)
    assert.equal(salvaged.kept, 1)
    assert.deepEqual([...salvaged.dropped], [['record', 1]])
    assert.deepEqual([...salvaged.damaged], [['private value', 1]])
    assert.deepEqual(fresh.getSync(grant), value)
    assert.equal(fresh.getSync(key(1)), undefined)
    await fresh.close()
  }))

const formatSchema = struct({ name: text(32), version: uint() })

test('acceptance 18: a database of a newer format is refused as newer, one of an older as older', async () => {
  for (const [version, code] of [
    [99, 'format_newer'],
    [2, 'format'],
  ] as const) {
    await inFolder(async (folder) => {
      const path = join(folder, 'records')
      const database = await openDatabase(path, { name: 'records' })
      const value = encode(formatSchema, { name: 'records', version })
      await database.batch([{ type: 'put', key: formatKey(), value }], { sync: true })
      await database.close()
      await assert.rejects(openDatabase(path, { name: 'records' }), { code })
    })
  }
})

test('acceptance 6: a full disk, a read-only one and one that fails have codes of their own', () => {
  for (const [system, code] of [
    ['ENOSPC', 'full'],
    ['EDQUOT', 'full'],
    ['EROFS', 'read_only'],
    ['EIO', 'io'],
  ] as const) {
    const cause = Object.assign(new Error(system), { code: system })
    assert.equal(storageErrorOf(cause, 'a write failed', '/srv').code, code)
  }
  const level = new Error('IO error: /srv/data/000003.log: Read-only file system')
  assert.equal(storageErrorOf(level, 'a write failed', '/srv').code, 'read_only')
})

test.run()
