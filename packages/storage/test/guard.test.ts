// What a guard makes of its own past: restarted, moved, copied, restored in every way that people do,
// lost, and begun anew. On a real disk, for it is the system's knowledge of files that decides.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import { StorageError, type StorageErrorCode } from '../src/errors.ts'
import { Guard, type GuardOptions } from '../src/guard.ts'
import type { Journal } from '../src/journal.ts'
import { inFolder } from './folder.ts'

const MACHINE = 'this machine'

function optionsOf(folder: string, more: Partial<GuardOptions> = {}): GuardOptions {
  return { directory: join(folder, 'guard'), machine: MACHINE, ...more }
}

async function vote(journal: Journal, view: number): Promise<void> {
  journal.advance({ epoch: 0, notarized: view, nullified: 0, finalized: 0 })
  journal.append([{ epoch: 0, view, type: 'vote', payload: Uint8Array.of(view) }])
  await journal.sync()
}

async function voteIn(options: GuardOptions, ...views: number[]): Promise<void> {
  const { guard } = await Guard.open(options)
  for (const view of views) await vote(guard.journal, view)
  await guard.close()
}

async function marksIn(options: GuardOptions): Promise<number> {
  const { guard, marks } = await Guard.open(options)
  await guard.close()
  return marks.notarized
}

async function refused(
  options: GuardOptions,
  what: string | undefined,
  code: StorageErrorCode = 'guard_moved',
): Promise<void> {
  await assert.rejects(Guard.open(options), (error) => {
    assert.ok(error instanceof StorageError, String(error))
    assert.deepEqual([error.code, error.details['what']], [code, what], error.message)
    return true
  })
}

const shell = (...args: string[]) => {
  const [file = '', ...rest] = args
  execFileSync(file, rest)
}

test('a guard goes on after every restart, whether it was closed in order or not', async () => {
  await inFolder(async (folder) => {
    const options = optionsOf(folder)
    const first = await Guard.open(options)
    assert.deepEqual([first.isUnused, first.guard.memory], [true, 'new'])
    await first.guard.remember({ epoch: 0, view: 0 })
    await vote(first.guard.journal, 1)
    // No close: the process was killed.
    const second = await Guard.open(options)
    assert.deepEqual([second.isUnused, second.guard.memory], [false, 'whole'])
    assert.equal(second.marks.notarized, 1)
    await vote(second.guard.journal, 2)
    await second.guard.close()
    assert.equal(await marksIn(options), 2)
    assert.equal(await marksIn(options), 2)
  })
})

test('a home moved within its file system is the same home', async () => {
  await inFolder(async (folder) => {
    await voteIn(optionsOf(join(folder, 'before')), 1)
    renameSync(join(folder, 'before'), join(folder, 'after'))
    assert.equal(await marksIn(optionsOf(join(folder, 'after'))), 1)
  })
})

const COPIES: Record<string, (from: string, to: string) => void> = {
  'cp -a': (from, to) => shell('cp', '-a', from, to),
  'cp of Node': (from, to) => cpSync(from, to, { recursive: true, preserveTimestamps: true }),
  tar: (from, to) => {
    mkdirSync(to)
    shell('sh', '-c', `tar -C '${from}' -cf - . | tar -C '${to}' -xpf -`)
  },
}

for (const [how, copy] of Object.entries(COPIES)) {
  test(`a copy does not vote, and the original goes on: ${how}`, async () => {
    await inFolder(async (folder) => {
      const original = optionsOf(join(folder, 'original'))
      await voteIn(original, 1, 2)
      copy(join(folder, 'original'), join(folder, 'copy'))
      await refused(optionsOf(join(folder, 'copy')), 'place')
      await voteIn(original, 3)
      assert.equal(await marksIn(original), 3)
    })
  })
}

test('acceptance 7: an older copy put back over the guard is found, also where it keeps the files', async () => {
  for (const restore of [
    (from: string, to: string) => {
      rmSync(to, { recursive: true })
      shell('cp', '-a', from, to)
    },
    (from: string, to: string) => shell('cp', '-a', `${from}/.`, to),
  ]) {
    await inFolder(async (folder) => {
      const options = optionsOf(folder)
      await voteIn(options, 1)
      shell('cp', '-a', options.directory, join(folder, 'backup'))
      await voteIn(options, 2, 3, 4)
      restore(join(folder, 'backup'), options.directory)
      await refused(options, 'place')
    })
  }
})

test('a backup taken from the running node and put back after it stopped is found', async () => {
  await inFolder(async (folder) => {
    const options = optionsOf(folder)
    const { guard } = await Guard.open(options)
    await vote(guard.journal, 1)
    shell('cp', '-a', options.directory, join(folder, 'backup'))
    await vote(guard.journal, 2)
    await guard.close()
    shell('cp', '-a', `${join(folder, 'backup')}/.`, options.directory)
    await refused(options, 'place')
  })
})

test('marks from elsewhere are found although the place is right', async () => {
  await inFolder(async (folder) => {
    const options = optionsOf(folder)
    await voteIn(options, 1)
    const marks = join(options.directory, 'signer.state')
    shell('cp', '-a', marks, join(folder, 'saved'))
    await voteIn(options, 2)
    rmSync(marks)
    shell('cp', '-a', join(folder, 'saved'), marks)
    await refused(options, 'signer.state')
  })
})

test('marks on a second path tell of votes when the whole home came from a backup', async () => {
  await inFolder(async (folder) => {
    const home = join(folder, 'home')
    const options = optionsOf(home, { marksPath: join(folder, 'disk', 'signer.state') })
    await voteIn(options, 1)
    shell('cp', '-a', home, join(folder, 'backup'))
    await voteIn(options, 2, 3)
    rmSync(home, { recursive: true })
    renameSync(join(folder, 'backup'), home)
    await refused(options, 'place')
    // Even if the copy passed for the original, as that of a block device does.
    rmSync(join(home, 'guard', 'place'))
    await refused(options, undefined, 'guard_behind')
    rmSync(join(home, 'guard'), { recursive: true })
    await refused(options, undefined, 'guard_behind')
  })
})

test('the same disk in another machine does not vote', async () => {
  await inFolder(async (folder) => {
    await voteIn(optionsOf(folder), 1)
    await refused(optionsOf(folder, { machine: 'another machine' }), 'the machine')
    assert.equal(
      await marksIn(optionsOf(folder, { machine: '' })),
      1,
      'not every machine has a name',
    )
    assert.equal(await marksIn(optionsOf(folder)), 1)
  })
})

test('a part of a guard is not a new guard', async () => {
  await inFolder(async (folder) => {
    const options = optionsOf(folder)
    await voteIn(options, 1)
    rmSync(join(options.directory, 'place'))
    await refused(options, 'place')
    shell('sh', '-c', `: > '${join(options.directory, 'place')}'`)
    await refused(options, undefined, 'guard_corrupt')
  })
})

test('a guard made with its key knows all votes; one made because there was none does not', async () => {
  await inFolder(async (folder) => {
    const options = optionsOf(folder)
    const first = await Guard.open({ ...options, isFirst: true })
    assert.equal(first.guard.memory, 'whole')
    await first.guard.close()
    const second = await Guard.open(options)
    assert.equal(second.guard.memory, 'whole')
    await second.guard.close()
    const known = await Guard.open({ ...options, isFirst: true })
    assert.equal(known.guard.memory, 'whole')
    await known.guard.close()
    rmSync(options.directory, { recursive: true })
    const other = await Guard.open(options)
    assert.equal(other.guard.memory, 'new')
    await other.guard.close()
    const again = await Guard.open({ ...options, isFirst: true })
    assert.equal(again.guard.memory, 'new', 'what was made once is not made again')
    await again.guard.close()
  })
})

test('a guard that has never voted may be moved, and is new where it comes to', async () => {
  await inFolder(async (folder) => {
    const { guard } = await Guard.open({ ...optionsOf(join(folder, 'desk')), isFirst: true })
    await guard.close()
    shell('cp', '-a', join(folder, 'desk'), join(folder, 'server'))
    const moved = await Guard.open(optionsOf(join(folder, 'server'), { machine: 'a server' }))
    assert.deepEqual([moved.isUnused, moved.guard.memory], [true, 'new'])
    await vote(moved.guard.journal, 1)
    await moved.guard.close()
    shell('cp', '-a', join(folder, 'server'), join(folder, 'copy'))
    await refused(optionsOf(join(folder, 'copy')), 'place')
  })
})

test('a rejoin puts the old guard aside whole, and is remembered until it is over', async () => {
  await inFolder(async (folder) => {
    const options = optionsOf(join(folder, 'copy'))
    await voteIn(optionsOf(join(folder, 'original')), 1, 2)
    shell('cp', '-a', join(folder, 'original'), join(folder, 'copy'))
    const again = await Guard.open({ ...options, rejoin: true })
    assert.deepEqual([again.guard.memory, again.isUnused, again.records], ['lost', true, []])
    assert.equal(again.keptAt, join(options.directory, 'kept-1'))
    assert.deepEqual(readdirSync(join(options.directory, 'kept-1')).toSorted(), [
      'place',
      'signer.state',
      'votes',
    ])
    assert.deepEqual(readdirSync(join(options.directory, 'kept-1', 'votes')), ['0-1.log'])
    await vote(again.guard.journal, 9)
    await again.guard.close()
    const later = await Guard.open(options)
    assert.deepEqual([later.guard.memory, later.isUnused, later.keptAt], ['lost', false, null])
    const floor = { epoch: 3, view: 8 }
    await later.guard.remember(floor)
    // Killed right after.
    const over = await Guard.open(options)
    assert.deepEqual([over.guard.memory, over.guard.floor], ['whole', floor])
    assert.equal(over.marks.notarized, 9)
    await over.guard.close()
    const second = await Guard.open({ ...options, rejoin: true })
    assert.equal(second.keptAt, join(options.directory, 'kept-2'))
    await second.guard.close()
  })
})

test('a rejoin of a guard that is gone has nothing to put aside', async () => {
  await inFolder(async (folder) => {
    const opened = await Guard.open(optionsOf(folder, { rejoin: true }))
    assert.deepEqual([opened.guard.memory, opened.keptAt], ['lost', null])
    await opened.guard.close()
    assert.equal((statSync(join(folder, 'guard', 'place')).mode & 0o777).toString(8), '600')
  })
})

test('a rejoin keeps the marks of the second path beside the new ones', async () => {
  await inFolder(async (folder) => {
    const disk = join(folder, 'disk')
    const options = optionsOf(folder, { marksPath: join(disk, 'signer.state') })
    await voteIn(options, 1)
    const { guard } = await Guard.open({ ...options, rejoin: true })
    await guard.close()
    assert.deepEqual(readdirSync(disk).toSorted(), ['signer.state', 'signer.state.kept-1'])
  })
})

test.run()
