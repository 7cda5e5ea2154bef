// A database that was written anew, at every place where the power can fail.

import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import { beginRenewal, endRenewal, finishRenewals } from '../src/renewed-database.ts'

const now = new Date('2026-11-20T04:00:00Z')

async function inData(work: (dir: string) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'mooring-renewed-'))
  try {
    await mkdir(join(dir, 'records'))
    await writeFile(join(dir, 'records', 'what'), 'old')
    await work(dir)
  } finally {
    await rm(dir, { recursive: true })
  }
}

async function begun(dir: string): Promise<void> {
  const staging = await beginRenewal(dir, 'records')
  await mkdir(staging)
  await writeFile(join(staging, 'what'), 'new')
}

const read = (dir: string) => readFile(join(dir, 'records', 'what'), 'utf8')

async function trashed(dir: string): Promise<string[]> {
  const [place = ''] = await readdir(join(dir, 'trash'))
  const [name = ''] = await readdir(join(dir, 'trash', place))
  return [name, await readFile(join(dir, 'trash', place, name, 'what'), 'utf8')]
}

test('the new one is in the place of the old one, which is in the trash', () =>
  inData(async (dir) => {
    await begun(dir)
    await endRenewal(dir, { name: 'records', now })
    assert.equal(await read(dir), 'new')
    assert.deepEqual(await trashed(dir), ['records', 'old'])
    assert.deepEqual((await readdir(dir)).toSorted(), ['records', 'trash'])
  }))

test('cut short while it is written: the old one stays, and the piece goes', () =>
  inData(async (dir) => {
    await begun(dir)
    await finishRenewals(dir, now)
    assert.equal(await read(dir), 'old')
    await beginRenewal(dir, 'records')
    assert.deepEqual(await readdir(dir), ['records'])
  }))

test('cut short when it was complete: whoever opens the home next ends it', () =>
  inData(async (dir) => {
    await begun(dir)
    await rename(join(dir, 'records.renewing'), join(dir, 'records.renewed'))
    await finishRenewals(dir, now)
    assert.equal(await read(dir), 'new')
    assert.deepEqual(await trashed(dir), ['records', 'old'])
  }))

test('cut short between the two renames: what was saved is not lost', () =>
  inData(async (dir) => {
    await begun(dir)
    await rename(join(dir, 'records.renewing'), join(dir, 'records.renewed'))
    await rm(join(dir, 'records'), { recursive: true })
    await finishRenewals(dir, now)
    assert.equal(await read(dir), 'new')
    await finishRenewals(dir, now)
    assert.deepEqual(await readdir(dir), ['records'])
  }))

test.run()
