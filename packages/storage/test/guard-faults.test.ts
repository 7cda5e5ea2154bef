// One fault at every operation that the guard ever makes: opening, voting, a new segment, an epoch, pruning,
// closing, opening again, a rejoin. Then the power fails, with every kind of luck, and whoever opens the
// guard finds marks that cover each vote for which a sync had resolved, or a refusal with a code.

import assert from 'node:assert/strict'
import { test } from 'uvu'
import { StorageError } from '../src/errors.ts'
import { Guard } from '../src/guard.ts'
import type { Journal } from '../src/journal.ts'
import type { Marks } from '../src/marks.ts'
import { MemoryFileSystem } from '../src/memory-file-system.ts'
import { type Fault, type FaultKind, FaultyFileSystem, PowerLoss } from './faulty-file-system.ts'

const KINDS: readonly FaultKind[] = ['eio', 'enospc', 'short', 'lost-sync', 'lost-name', 'power']
const LUCKS: readonly (readonly number[])[] = [
  [0],
  [0.45],
  [0.6, 0.3],
  [0.99],
  [0, 0.99],
  [0.99, 0.2, 0.65],
]

/** What syncs have promised, by epoch. */
type Promised = { epoch: number; view: number }[]

async function vote(journal: Journal, epoch: number, view: number, promised: Promised) {
  journal.advance({ epoch, notarized: view, nullified: 0, finalized: 0 })
  const payload = new Uint8Array(40).fill(view)
  journal.append([
    { epoch, view, type: 'block', payload },
    { epoch, view, type: 'vote', payload },
  ])
  await journal.sync()
  promised.push({ epoch, view })
}

const open = (fileSystem: FaultyFileSystem | MemoryFileSystem, how: { rejoin?: boolean } = {}) =>
  Guard.open({ directory: '/guard', machine: '', fileSystem, segmentBytes: 500, ...how })

/** A life with everything in it, as far as it goes. */
async function live(fileSystem: FaultyFileSystem, promised: Promised): Promise<void> {
  const first = await open(fileSystem)
  for (let view = 1; view <= 4; view += 1) await vote(first.guard.journal, 0, view, promised)
  first.guard.journal.append([
    { epoch: 0, view: 4, type: 'certificate', payload: Uint8Array.of(1) },
  ])
  await first.guard.journal.sync()
  await first.guard.journal.prune(0, 3)
  await vote(first.guard.journal, 1, 1, promised)
  await first.guard.close()
  const second = await open(fileSystem)
  await second.guard.remember({ epoch: 1, view: 1 })
  await vote(second.guard.journal, 1, 2, promised)
  await second.guard.journal.prune(1, 1)
  await vote(second.guard.journal, 1, 3, promised)
  await second.guard.close()
}

function covers({ epoch, notarized }: Marks, votes: Promised): boolean {
  return votes.every(
    (each) => epoch > each.epoch || (epoch === each.epoch && notarized >= each.view),
  )
}

interface Tally {
  opened: number
  refused: Record<string, number>
}

async function judge(disk: MemoryFileSystem, promised: Promised, tally: Tally): Promise<void> {
  try {
    const { guard, marks } = await open(disk)
    await guard.journal.close()
    assert.ok(covers(marks, promised), `${JSON.stringify(marks)} do not cover what was promised`)
    tally.opened += 1
  } catch (error) {
    if (!(error instanceof StorageError)) throw error
    tally.refused[error.code] = (tally.refused[error.code] ?? 0) + 1
  }
}

async function withFault(fault: Fault, tally: Tally): Promise<boolean> {
  const disk = new MemoryFileSystem()
  const faulty = new FaultyFileSystem(disk, fault)
  const promised: Promised = []
  try {
    await live(faulty, promised)
  } catch (error) {
    const isExpected = error instanceof StorageError || error instanceof PowerLoss
    if (!isExpected) throw error
  }
  if (!faulty.hasHappened) return false
  for (const luck of LUCKS) {
    let drawn = 0
    await judge(
      disk.afterPowerLoss(() => luck[drawn++ % luck.length] ?? 0),
      promised,
      tally,
    )
  }
  if (fault.kind !== 'power') await judge(disk, promised, tally)
  return true
}

async function operationsOf(): Promise<number> {
  const healthy = new FaultyFileSystem(new MemoryFileSystem(), null)
  await live(healthy, [])
  return healthy.operations
}

for (const kind of KINDS) {
  test(`a vote that a sync promised is never forgotten: ${kind} at every operation`, async () => {
    const operations = await operationsOf()
    assert.ok(operations > 90, `${operations} operations`)
    const tally: Tally = { opened: 0, refused: {} }
    let happened = 0
    for (let at = 1; at <= operations; at += 1)
      if (await withFault({ kind, at }, tally)) happened += 1
    assert.ok(happened > 0 && tally.opened > 0)
    // A fault that a healthy machine may show must not keep the node from coming back.
    if (kind !== 'lost-sync' && kind !== 'lost-name') assert.deepEqual(tally.refused, {})
    process.stdout.write(
      `${kind}: ${happened} faults, opened ${tally.opened}, refused ${JSON.stringify(tally.refused)}\n`,
    )
  })
}

test('acceptance 7: a rejoin that ends at any operation is done again, and loses no vote of the old guard', async () => {
  for (const kind of ['power', 'eio', 'enospc'] as const) {
    for (let at = 1; ; at += 1) {
      const disk = new MemoryFileSystem()
      const { guard } = await open(disk)
      await vote(guard.journal, 0, 1, [])
      await guard.close()
      const faulty = new FaultyFileSystem(disk, { kind, at })
      try {
        const again = await open(faulty, { rejoin: true })
        await again.guard.journal.close()
      } catch (error) {
        if (!(error instanceof StorageError || error instanceof PowerLoss)) throw error
      }
      if (faulty.operations < at) break
      for (const luck of LUCKS) {
        let drawn = 0
        const after = disk.afterPowerLoss(() => luck[drawn++ % luck.length] ?? 0)
        const found = await open(after)
        const isOld = found.marks.notarized === 1
        assert.ok(isOld || found.guard.memory === 'lost', `${kind} at ${at}, luck ${luck.join()}`)
        await found.guard.close()
        // A real file system moves a name as one; this one may lose both ends, with mixed luck.
        if (isOld || luck.length > 1) continue
        const isKept = await keptVotes(after)
        assert.ok(isKept, `the old votes are gone: ${kind} at ${at}, luck ${luck.join()}`)
      }
    }
  }
})

/** Whether some guard that was put aside still has its vote. */
async function keptVotes(disk: MemoryFileSystem): Promise<boolean> {
  for (const kept of await disk.readDirectory('/guard')) {
    if (!kept.startsWith('kept-')) continue
    for (const name of await disk.readDirectory(`/guard/${kept}/votes`)) {
      const file = await disk.openExisting(`/guard/${kept}/votes/${name}`)
      const bytes = (await file?.read()) ?? new Uint8Array(0)
      if (Buffer.from(bytes).includes(Buffer.alloc(40, 1))) return true
    }
  }
  return false
}

test.run()
