import assert from 'node:assert/strict'
import { constants } from 'node:fs'
import { mkdtemp, readdir, readFile as readSystemFile, readlink, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import { StorageError, type StorageErrorCode } from '../src/errors.ts'
import type { FileSystem } from '../src/file-system.ts'
import { Journal } from '../src/journal.ts'
import { encodeGroup, type JournalRecord } from '../src/journal-format.ts'
import type { Marks } from '../src/marks.ts'
import { MemoryFileSystem } from '../src/memory-file-system.ts'
import { failing, type Operation, systemError } from './faults.ts'

const FIRST_SEGMENT = '/guard/votes/0-1.log'
const MARKS = '/guard/signer.state'

function open(fileSystem: FileSystem, segmentBytes = 1 << 20) {
  return Journal.open({ directory: '/guard', fileSystem, segmentBytes })
}

function marksAt(view: number, epoch = 0): Marks {
  return { epoch, notarized: view, nullified: 0, finalized: 0 }
}

function recordAt(view: number, type: JournalRecord['type'] = 'vote', epoch = 0): JournalRecord {
  return { epoch, view, type, payload: new TextEncoder().encode(`${type} ${epoch}.${view}`) }
}

async function vote(journal: Journal, view: number, epoch = 0): Promise<void> {
  journal.advance(marksAt(view, epoch))
  journal.append([recordAt(view, 'block', epoch), recordAt(view, 'vote', epoch)])
  await journal.sync()
}

async function journalWithVotes(fileSystem: FileSystem, views: number): Promise<void> {
  const { journal } = await open(fileSystem)
  for (let view = 1; view <= views; view += 1) await vote(journal, view)
  await journal.close()
}

async function readFile(fileSystem: FileSystem, path: string): Promise<Uint8Array> {
  const file = await fileSystem.openExisting(path)
  assert.ok(file, path)
  return file.read()
}

async function writeFile(fileSystem: FileSystem, path: string, bytes: Uint8Array): Promise<void> {
  const file = await fileSystem.create(path)
  await file.write(bytes, 0)
  await file.datasync()
  await fileSystem.syncDirectory('/guard/votes')
}

function withCode(code: StorageErrorCode): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof StorageError, String(error))
    assert.equal(error.code, code, error.message)
    return true
  }
}

const views = (records: JournalRecord[]) => records.map(({ type, view }) => `${type} ${view}`)

test('a reopened journal gives all records in order and the marks', async () => {
  const fileSystem = new MemoryFileSystem()
  const first = await open(fileSystem)
  assert.deepEqual(first.records, [])
  assert.deepEqual(first.marks, { epoch: 0, notarized: 0, nullified: 0, finalized: 0 })
  await vote(first.journal, 1)
  first.journal.append([recordAt(1, 'certificate')])
  await first.journal.sync()
  await vote(first.journal, 2)
  await first.journal.close()

  const second = await open(fileSystem)
  assert.deepEqual(views(second.records), [
    'block 1',
    'vote 1',
    'certificate 1',
    'block 2',
    'vote 2',
  ])
  assert.deepEqual(second.records[1]?.payload, recordAt(1).payload)
  assert.deepEqual(second.marks, marksAt(2))
})

test('closing makes what is still waiting durable', async () => {
  const fileSystem = new MemoryFileSystem()
  const { journal } = await open(fileSystem)
  journal.append([recordAt(9, 'certificate')])
  await journal.close()
  const survivor = fileSystem.afterPowerLoss(() => 0.99)
  assert.deepEqual(views((await open(survivor)).records), ['certificate 9'])
})

test('marks never go back', async () => {
  const { journal } = await open(new MemoryFileSystem())
  journal.advance({ epoch: 3, notarized: 5, nullified: 4, finalized: 5 })
  journal.advance({ epoch: 3, notarized: 5, nullified: 4, finalized: 5 })
  for (const lower of [
    { epoch: 3, notarized: 4, nullified: 4, finalized: 5 },
    { epoch: 3, notarized: 6, nullified: 3, finalized: 5 },
    { epoch: 3, notarized: 6, nullified: 6, finalized: 4 },
    { epoch: 2, notarized: 9, nullified: 9, finalized: 9 },
  ]) {
    assert.throws(() => journal.advance(lower), withCode('guard_regression'))
  }
  journal.advance(marksAt(1, 4))
  assert.deepEqual(journal.marks, marksAt(1, 4))
})

test('a vote is refused until marks cover it', async () => {
  const { journal } = await open(new MemoryFileSystem())
  assert.throws(() => journal.append([recordAt(1)]), withCode('guard_regression'))
  journal.advance(marksAt(1))
  journal.append([recordAt(1)])
  assert.throws(() => journal.append([recordAt(2)]), withCode('guard_regression'))
  assert.throws(() => journal.append([recordAt(1, 'vote', 1)]), withCode('guard_regression'))
  journal.append([recordAt(2, 'certificate'), recordAt(2, 'certificate', 1)])
})

test('acceptance 6: a tail torn at any byte costs only what it tore', async () => {
  const fileSystem = new MemoryFileSystem()
  await journalWithVotes(fileSystem, 2)
  const before = (await readFile(fileSystem, FIRST_SEGMENT)).length
  const { journal } = await open(fileSystem)
  await vote(journal, 3)
  await journal.close()
  const whole = await readFile(fileSystem, FIRST_SEGMENT)
  for (let length = before; length < whole.length; length += 1) {
    await writeFile(fileSystem, FIRST_SEGMENT, whole.subarray(0, length))
    const torn = await open(fileSystem)
    const kept = views(torn.records)
    assert.deepEqual(kept.slice(0, 4), ['block 1', 'vote 1', 'block 2', 'vote 2'])
    assert.deepEqual(kept.slice(4), ['block 3', 'vote 3'].slice(0, kept.length - 4))
    assert.deepEqual(torn.marks, marksAt(3), 'the view of the lost vote counts as voted')
    await vote(torn.journal, 4)
    await torn.journal.close()
    const again = await open(fileSystem)
    assert.deepEqual(views(again.records), [...kept, 'block 4', 'vote 4'])
    await again.journal.close()
    await writeFile(fileSystem, MARKS, await marksOfViews(3))
  }
})

async function marksOfViews(count: number): Promise<Uint8Array> {
  const fileSystem = new MemoryFileSystem()
  await journalWithVotes(fileSystem, count)
  return readFile(fileSystem, MARKS)
}

test('acceptance 6: a byte flipped before the last group is never repaired', async () => {
  const fileSystem = new MemoryFileSystem()
  await journalWithVotes(fileSystem, 2)
  const lastGroup = (await readFile(fileSystem, FIRST_SEGMENT)).length
  const { journal } = await open(fileSystem)
  await vote(journal, 3)
  await journal.close()
  const whole = await readFile(fileSystem, FIRST_SEGMENT)
  for (let at = 0; at < lastGroup; at += 1) {
    for (const mask of [1, 0x80]) {
      const flipped = whole.slice()
      flipped[at] = (whole[at] ?? 0) ^ mask
      await writeFile(fileSystem, FIRST_SEGMENT, flipped)
      await assert.rejects(open(fileSystem), withCode('guard_corrupt'), `byte ${at}`)
    }
  }
  for (let at = lastGroup; at < whole.length; at += 1) {
    const flipped = whole.slice()
    flipped[at] = (whole[at] ?? 0) ^ 1
    await writeFile(fileSystem, FIRST_SEGMENT, flipped)
    await writeFile(fileSystem, MARKS, await marksOfViews(3))
    assert.deepEqual((await open(fileSystem)).marks, marksAt(3))
  }
})

test('a stranger cannot plant the start of a group in a block', async () => {
  const fileSystem = new MemoryFileSystem()
  const { journal } = await open(fileSystem)
  const planted = encodeGroup(
    new Uint8Array(8),
    { group: 1_000_000, batch: 1, marks: marksAt(1) },
    [],
  )
  journal.append([{ epoch: 0, view: 1, type: 'block', payload: planted }])
  await journal.close()
  const whole = await readFile(fileSystem, FIRST_SEGMENT)
  await writeFile(fileSystem, FIRST_SEGMENT, whole.subarray(0, whole.length - 1))
  assert.deepEqual((await open(fileSystem)).records, [])
  await writeFile(
    fileSystem,
    FIRST_SEGMENT,
    whole.map((byte, at) => (at === whole.length - planted.length - 1 ? byte ^ 1 : byte)),
  )
  assert.deepEqual((await open(fileSystem)).records, [])
})

test('a wiped journal is behind its marks', async () => {
  const fileSystem = new MemoryFileSystem()
  await journalWithVotes(fileSystem, 1)
  await fileSystem.remove(FIRST_SEGMENT)
  await assert.rejects(open(fileSystem), withCode('guard_behind'))
})

test('an older copy of the journal is behind its marks', async () => {
  const fileSystem = new MemoryFileSystem()
  await journalWithVotes(fileSystem, 2)
  const copy = await readFile(fileSystem, FIRST_SEGMENT)
  const { journal } = await open(fileSystem)
  await vote(journal, 3)
  await vote(journal, 4)
  await journal.close()
  await writeFile(fileSystem, FIRST_SEGMENT, copy)
  await assert.rejects(open(fileSystem), withCode('guard_behind'))
})

test('a journal that lost exactly its last batch opens, and the marks stand for it', async () => {
  const fileSystem = new MemoryFileSystem()
  await journalWithVotes(fileSystem, 2)
  const copy = await readFile(fileSystem, FIRST_SEGMENT)
  const { journal } = await open(fileSystem)
  await vote(journal, 3)
  await journal.close()
  await writeFile(fileSystem, FIRST_SEGMENT, copy)
  const lost = await open(fileSystem)
  assert.deepEqual(views(lost.records), ['block 1', 'vote 1', 'block 2', 'vote 2'])
  assert.deepEqual(lost.marks, marksAt(3))
  assert.throws(() => lost.journal.advance(marksAt(2)), withCode('guard_regression'))
  await lost.journal.close()
  assert.deepEqual((await open(fileSystem)).marks, marksAt(3))
})

test('missing marks are told from a fresh home', async () => {
  const fileSystem = new MemoryFileSystem()
  await journalWithVotes(fileSystem, 0)
  await fileSystem.remove(MARKS)
  await journalWithVotes(fileSystem, 1)
  await fileSystem.remove(MARKS)
  await assert.rejects(open(fileSystem), withCode('guard_behind'))
})

test('marks that missed one batch are brought up, older ones are refused', async () => {
  const fileSystem = new MemoryFileSystem()
  await journalWithVotes(fileSystem, 3)
  await writeFile(fileSystem, MARKS, await marksOfViews(2))
  const { journal, marks } = await open(fileSystem)
  assert.deepEqual(marks, marksAt(3))
  await journal.close()
  await writeFile(fileSystem, MARKS, await marksOfViews(1))
  await assert.rejects(open(fileSystem), withCode('guard_behind'))
})

test('marks of another life of the same key are refused', async () => {
  const fileSystem = new MemoryFileSystem()
  await journalWithVotes(fileSystem, 3)
  const other = new MemoryFileSystem()
  const { journal } = await open(other)
  for (const view of [1, 2, 5]) await vote(journal, view)
  await journal.close()
  await writeFile(fileSystem, MARKS, await readFile(other, MARKS))
  await assert.rejects(open(fileSystem), withCode('guard_behind'))
})

test('one torn slot of the marks leaves the one before, two are damage', async () => {
  const fileSystem = new MemoryFileSystem()
  await journalWithVotes(fileSystem, 3)
  const whole = await readFile(fileSystem, MARKS)
  assert.equal(whole.length, 1024)
  for (const slot of [0, 512]) {
    const torn = whole.slice()
    torn.fill(0xee, slot, slot + 20)
    await writeFile(fileSystem, MARKS, torn)
    const { journal, marks } = await open(fileSystem)
    assert.deepEqual(marks, marksAt(3))
    await journal.close()
  }
  await writeFile(fileSystem, MARKS, whole.fill(0xee))
  await assert.rejects(open(fileSystem), withCode('guard_corrupt'))
})

test('segments follow size and epoch, and only settled ones are pruned', async () => {
  const fileSystem = new MemoryFileSystem()
  const { journal } = await open(fileSystem, 300)
  for (let view = 1; view <= 6; view += 1) await vote(journal, view)
  await vote(journal, 1, 1)
  const names = async () => (await fileSystem.readDirectory('/guard/votes')).toSorted()
  assert.deepEqual(await names(), ['0-1.log', '0-2.log', '0-3.log', '1-4.log'])
  assert.equal(await journal.prune(0, 1), 0)
  assert.equal(await journal.prune(0, 4), 1)
  assert.deepEqual(await names(), ['0-2.log', '0-3.log', '1-4.log'])
  const reopened = await open(fileSystem)
  assert.equal(views(reopened.records)[0], 'block 3')
  assert.deepEqual(reopened.marks, marksAt(1, 1))
  assert.equal(await reopened.journal.prune(1, 100), 2)
  assert.deepEqual(await names(), ['1-4.log'], 'the segment in use stays')
  await vote(reopened.journal, 2, 1)
  await reopened.journal.close()
  assert.deepEqual(views((await open(fileSystem)).records), [
    'block 1',
    'vote 1',
    'block 2',
    'vote 2',
  ])
})

test('acceptance 6: a missing segment in the middle is damage', async () => {
  const fileSystem = new MemoryFileSystem()
  const { journal } = await open(fileSystem, 300)
  for (let view = 1; view <= 6; view += 1) await vote(journal, view)
  await journal.close()
  await fileSystem.remove('/guard/votes/0-2.log')
  await assert.rejects(open(fileSystem), withCode('guard_corrupt'))
})

test('short writes are completed', async () => {
  const inner = new MemoryFileSystem()
  const stingy = failing(inner, ({ name }) => (name === 'write' ? 7 : undefined))
  await journalWithVotes(stingy, 2)
  assert.equal((await open(inner)).records.length, 4)
})

test('a failed write or sync stops the journal for good', async () => {
  for (const [name, system, code] of [
    ['write', 'ENOSPC', 'full'],
    ['write', 'EIO', 'io'],
    ['datasync', 'EIO', 'io'],
    ['datasync', 'EDQUOT', 'full'],
  ] as const) {
    for (const path of [FIRST_SEGMENT, MARKS]) {
      let isArmed = false
      const fileSystem = new MemoryFileSystem()
      const fault = (operation: Operation): undefined => {
        if (isArmed && operation.name === name && operation.path.startsWith(path)) {
          isArmed = false
          throw systemError(system)
        }
      }
      const { journal } = await open(failing(fileSystem, fault))
      await vote(journal, 1)
      isArmed = true
      await assert.rejects(vote(journal, 2), withCode(code))
      assert.equal(isArmed, false)
      await assert.rejects(vote(journal, 3), withCode('guard_stopped'))
      await assert.rejects(journal.sync(), withCode('guard_stopped'))
      await journal.close()
      const { marks, records } = await open(fileSystem)
      assert.ok(marks.notarized <= 2)
      assert.deepEqual(views(records).slice(0, 2), ['block 1', 'vote 1'])
    }
  }
})

test('syncs that overlap keep their order', async () => {
  const fileSystem = new MemoryFileSystem()
  const { journal } = await open(fileSystem)
  const syncs: Promise<void>[] = []
  for (let view = 1; view <= 20; view += 1) {
    journal.advance(marksAt(view))
    journal.append([recordAt(view)])
    syncs.push(journal.sync())
    if (view % 3 === 0) await syncs[view - 2]
  }
  await Promise.all(syncs)
  const { records } = await open(fileSystem.afterPowerLoss(() => 0.99))
  assert.deepEqual(
    records.map(({ view }) => view),
    Array.from({ length: 20 }, (_, index) => index + 1),
  )
})

test('the journal works on a real disk, with its marks elsewhere', async () => {
  const home = await mkdtemp(join(tmpdir(), 'mooring-journal-'))
  try {
    const options = {
      directory: join(home, 'guard'),
      marksPath: join(home, 'elsewhere', 'signer.state'),
      segmentBytes: 300,
    }
    const { journal } = await Journal.open(options)
    for (let view = 1; view <= 5; view += 1) await vote(journal, view)
    assert.equal(await journal.prune(0, 3), 1)
    await journal.close()
    const { records, marks, journal: again } = await Journal.open(options)
    assert.equal(records.length, 6)
    assert.deepEqual(marks, marksAt(5))
    await again.close()
    await rm(join(home, 'guard'), { recursive: true })
    await assert.rejects(Journal.open(options), withCode('guard_behind'))
  } finally {
    await rm(home, { recursive: true })
  }
})

test('on a disk of Linux no write of the guard is left in memory', async () => {
  if (process.platform !== 'linux') return
  const home = await mkdtemp(join(tmpdir(), 'mooring-journal-'))
  try {
    const { journal } = await Journal.open({ directory: home, segmentBytes: 300 })
    for (let view = 1; view <= 5; view += 1) await vote(journal, view)
    assert.deepEqual(await openUnsynced(home), [])
    await journal.close()
    const { journal: again } = await Journal.open({ directory: home, segmentBytes: 300 })
    assert.deepEqual(await openUnsynced(home), [])
    await again.close()
  } finally {
    await rm(home, { recursive: true })
  }
})

/** The files below a folder that this process has open and whose writes return before they are on the disk. */
async function openUnsynced(folder: string): Promise<string[]> {
  const unsynced: string[] = []
  let found = 0
  for (const descriptor of await readdir('/proc/self/fd')) {
    const path = await readlink(`/proc/self/fd/${descriptor}`).catch(() => '')
    if (!path.startsWith(folder)) continue
    const about = await readSystemFile(`/proc/self/fdinfo/${descriptor}`, 'utf8')
    const flags = Number.parseInt(/^flags:\s+(\d+)/m.exec(about)?.[1] ?? '0', 8)
    found += 1
    if ((flags & constants.O_DSYNC) === 0) unsynced.push(path)
  }
  assert.equal(found, 2)
  return unsynced
}

test.run()
