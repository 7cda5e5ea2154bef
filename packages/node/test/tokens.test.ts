// Tokens that several people change at once, while the file is read again.

import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import { homePaths } from '../src/home.ts'
import { writeLocalFile } from '../src/local-file.ts'
import { Tokens } from '../src/tokens.ts'

const now = () => 1_000_000

const wish = (name: string) => ({ name, role: 'viewer', lifetimeMs: 86_400_000 }) as const

async function inHome(scenario: (home: string) => Promise<void>): Promise<void> {
  const home = await mkdtemp(join(tmpdir(), 'mooring-tokens-'))
  try {
    await mkdir(homePaths(home).keys)
    await scenario(home)
  } finally {
    await rm(home, { recursive: true, force: true })
  }
}

test('changes that overlap are all kept, on disk as in memory', () =>
  inHome(async (home) => {
    const tokens = await Tokens.open(home, now)
    const { kept: lost } = await tokens.create(wish('lost'))
    const made = ['a', 'b', 'c', 'd'].map((name) => tokens.create(wish(name)))
    await Promise.all([...made, tokens.revoke(lost.id), tokens.reload(), tokens.create(wish('e'))])
    const again = await Tokens.open(home, now)
    for (const { list } of [tokens, again]) {
      assert.deepEqual(
        list.map(({ name }) => name),
        ['lost', 'a', 'b', 'c', 'd', 'e'],
      )
      assert.equal(list.find(({ id }) => id === lost.id)?.revokedAt, now())
    }
    await tokens.close()
  }))

test('writers of one file do not meet, and what fails leaves nothing', () =>
  inHome(async (home) => {
    const path = join(home, 'small.json')
    await Promise.all([1, 2, 3, 4].map((count) => writeLocalFile(path, { count })))
    await mkdir(join(home, 'taken'))
    await assert.rejects(writeLocalFile(join(home, 'taken'), {}))
    assert.deepEqual((await readdir(home)).toSorted(), ['keys', 'small.json', 'taken'])
  }))

test.run()
