// A database on a disk that fills up, and on one that becomes read-only: the error has its code, and what was
// written before is there, neither more nor less.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Database, openDatabase, StorageError } from '@mooring/storage'
import { test } from 'uvu'
import { catalogEntry } from '../../packages/node/src/errors.ts'
import { mountVolume, skipWithoutMounts, unmountVolume } from './small-volumes.ts'

const VALUE_BYTES = 64 * 1024
const VALUES_MAX = 1_000

skipWithoutMounts()

async function onVolume(size: string, work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'mooring-disk-'))
  mountVolume(folder, size)
  try {
    await work(folder)
  } finally {
    unmountVolume(folder)
    rmSync(folder, { recursive: true })
  }
}

const keyOf = (number: number) => new TextEncoder().encode(`r${String(number).padStart(6, '0')}`)
const valueOf = (number: number) => new Uint8Array(VALUE_BYTES).fill(number % 251)

async function put(database: Database, number: number): Promise<void> {
  const operation = { type: 'put', key: keyOf(number), value: valueOf(number) } as const
  await database.batch([operation], { sync: true })
}

/** How many values are there, each whole; none behind the first that is missing. */
function countOf(database: Database): number {
  let count = 0
  for (let number = 0; number < VALUES_MAX; number += 1) {
    const value = database.getSync(keyOf(number))
    if (value !== undefined) assert.deepEqual(value, valueOf(number))
    if (value !== undefined) count = number + 1
  }
  return count
}

test('acceptance 6: a full disk is told as full, and nothing half-written counts', async () => {
  await onVolume('8m', async (folder) => {
    const path = join(folder, 'records')
    const database = await openDatabase(path, { name: 'records' })
    let written = 0
    const failure = await (async () => {
      for (; written < VALUES_MAX; written += 1) await put(database, written)
      return undefined
    })().catch((error: unknown) => error)
    assert.ok(failure instanceof StorageError, String(failure))
    assert.equal(failure.code, 'full')
    assert.equal(catalogEntry(failure.code)?.exitCode, 11)
    assert.equal(countOf(database), written)
    await database.close()
  })
})

test('acceptance 6: a disk that became read-only is told as such, and what was there stays', async () => {
  await onVolume('32m', async (folder) => {
    const path = join(folder, 'records')
    const database = await openDatabase(path, { name: 'records' })
    for (let number = 0; number < 20; number += 1) await put(database, number)
    await database.close()
    execFileSync('mount', ['-o', 'remount,ro', folder])
    const failure = await openDatabase(path, { name: 'records' }).catch((error: unknown) => error)
    assert.ok(failure instanceof StorageError, String(failure))
    assert.equal(failure.code, 'read_only')
    assert.equal(catalogEntry(failure.code)?.exitCode, 11)
    execFileSync('mount', ['-o', 'remount,rw', folder])
    const again = await openDatabase(path, { name: 'records' })
    assert.equal(countOf(again), 20)
    await again.close()
  })
})

test.run()
