// Legal holds, and several people who place and release them at once.

import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import { holdsFile, placeHold, readHolds, releaseHold } from '../src/holds.ts'

const hold = (name: string) => ({ name, reason: 'a court', placedAt: '2026-11-20T04:00:00Z' })

async function inHome(work: (home: string) => Promise<void>): Promise<void> {
  const home = await mkdtemp(join(tmpdir(), 'mooring-holds-'))
  try {
    await work(home)
  } finally {
    await rm(home, { recursive: true })
  }
}

test('of holds that are placed and released at once none is lost', () =>
  inHome(async (home) => {
    const names = ['a', 'b', 'c', 'd', 'e']
    await placeHold(home, hold('old'))
    await Promise.all([
      ...names.map((name) => placeHold(home, hold(name))),
      releaseHold(home, 'old'),
    ])
    assert.deepEqual((await readHolds(home)).map(({ name }) => name).toSorted(), names)
    assert.deepEqual(await readdir(home), ['holds.json'])
  }))

test('a lock that a crash has left is taken over', () =>
  inHome(async (home) => {
    // No process has this number: the kernel gives none as large.
    await writeFile(`${holdsFile(home)}.lock`, '4999999 left by a crash\n')
    await placeHold(home, hold('a'))
    assert.equal((await readHolds(home)).length, 1)
  }))

test.run()
