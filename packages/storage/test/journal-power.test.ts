// The journal over many lives: each ends with the power failing in the middle of some disk
// operation, and the next finds what the disk was lucky to keep. Whatever a sync promised must be
// there in every later life, and no crash may look like a lost or damaged guard.

import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { test } from 'uvu'
import { Journal } from '../src/journal.ts'
import type { JournalRecord } from '../src/journal-format.ts'
import type { Marks } from '../src/marks.ts'
import { MemoryFileSystem } from '../src/memory-file-system.ts'
import { failing } from './faults.ts'

interface Life {
  /** Killed, the process dies and the machine does not. */
  isKilled: boolean
  /** The disk operation at which the power fails. */
  end: number
  luck: number[]
  kinds: ('vote' | 'certificate' | 'prune' | 'epoch')[]
}

interface Promised {
  /** Of all records ever appended; it makes them distinct. */
  count: number
  records: string[]
  marks: Marks
  prunedBelow: string
}

const life: fc.Arbitrary<Life> = fc.record({
  isKilled: fc.boolean(),
  end: fc.oneof(fc.integer({ min: 3, max: 16 }), fc.integer({ min: 1, max: 60 })),
  luck: fc.array(fc.constantFrom(0, 0.05, 0.3, 0.45, 0.6, 0.99), { minLength: 5, maxLength: 5 }),
  kinds: fc.array(
    fc.constantFrom(
      'vote' as const,
      'vote' as const,
      'certificate' as const,
      'prune' as const,
      'epoch' as const,
    ),
    { maxLength: 25 },
  ),
})

const sortable = (epoch: number, view: number) =>
  `${String(epoch).padStart(6, '0')}.${String(view).padStart(6, '0')}`
const nameOf = ({ epoch, view, type, payload }: JournalRecord) =>
  `${sortable(epoch, view)} ${type} ${new TextDecoder().decode(payload)}`

async function live(fileSystem: MemoryFileSystem, { end, kinds }: Life, promised: Promised) {
  let isDead = false
  const mortal = failing(fileSystem, ({ number }) => {
    isDead ||= number >= end
    if (isDead) throw new Error('the power failed')
    return undefined
  })
  try {
    const opened = await Journal.open({
      directory: '/guard',
      fileSystem: mortal,
      segmentBytes: 400,
    })
    checkPromises(opened, promised)
    // Votes that were found are sent again, so they are promised now.
    promised.records = opened.records.map(nameOf)
    promised.marks = opened.marks
    await run(opened.journal, kinds, promised)
  } catch (error) {
    if (!isDead) throw error
  }
}

function checkPromises(opened: { records: JournalRecord[]; marks: Marks }, promised: Promised) {
  const found = opened.records.map(nameOf)
  const expected = promised.records.filter((name) => name >= promised.prunedBelow)
  assert.deepEqual(
    found.filter((name) => expected.includes(name)),
    expected,
  )
  const { epoch, notarized } = opened.marks
  assert.ok(sortable(epoch, notarized) >= sortable(promised.marks.epoch, promised.marks.notarized))
}

async function run(journal: Journal, kinds: Life['kinds'], promised: Promised): Promise<void> {
  let { epoch, notarized: view } = journal.marks
  for (const kind of kinds) {
    if (kind === 'prune') {
      promised.prunedBelow = sortable(epoch, view)
      await journal.prune(epoch, view)
      continue
    }
    if (kind === 'epoch') {
      epoch += 1
      view = 0
    }
    if (kind !== 'certificate') {
      view += 1
      journal.advance({ epoch, notarized: view, nullified: 0, finalized: 0 })
    }
    const type = kind === 'certificate' ? 'certificate' : 'vote'
    const payload = new TextEncoder().encode(`${promised.count++}`.padEnd((view * 37) % 90))
    const records: JournalRecord[] = [
      { epoch, view, type: 'block', payload },
      { epoch, view, type, payload },
    ]
    journal.append(records)
    await journal.sync()
    promised.records.push(...records.map(nameOf))
    promised.marks = journal.marks
  }
  await journal.close()
}

test('acceptance 7: what a sync promised survives every later power failure', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(life, { minLength: 1, maxLength: 12 }), async (lives) => {
      let fileSystem = new MemoryFileSystem()
      const promised: Promised = {
        count: 0,
        records: [],
        marks: { epoch: 0, notarized: 0, nullified: 0, finalized: 0 },
        prunedBelow: '',
      }
      for (const each of lives) {
        await live(fileSystem, each, promised)
        if (each.isKilled) continue
        let drawn = 0
        fileSystem = fileSystem.afterPowerLoss(() => each.luck[drawn++ % each.luck.length] ?? 0)
      }
      const opened = await Journal.open({ directory: '/guard', fileSystem })
      checkPromises(opened, promised)
    }),
    { numRuns: 600 },
  )
})

test('nothing a sync promised depends on luck', async () => {
  for (const luck of [0, 0.3, 0.5, 0.99]) {
    const fileSystem = new MemoryFileSystem()
    const promised: Promised = {
      count: 0,
      records: [],
      marks: { epoch: 0, notarized: 0, nullified: 0, finalized: 0 },
      prunedBelow: '',
    }
    await live(
      fileSystem,
      { isKilled: true, end: 1e9, luck: [], kinds: ['vote', 'certificate', 'vote'] },
      promised,
    )
    assert.equal(promised.records.length, 6)
    const survivor = fileSystem.afterPowerLoss(() => luck)
    checkPromises(await Journal.open({ directory: '/guard', fileSystem: survivor }), promised)
  }
})

test.run()
