// The guard of a signer: what it lets pass, for one node, for two with one key, and across lost power.

import assert from 'node:assert/strict'
import { type UnsignedVote, type Vote, type VoteKind, ZERO_DIGEST } from '@mooring/consensus'
import { MemoryFileSystem } from '@mooring/storage'
import * as fc from 'fast-check'
import { test } from 'uvu'
import {
  type Fault,
  type FaultKind,
  FaultyFileSystem,
} from '../../storage/test/faulty-file-system.ts'
import { contradictionsOf } from '../src/guard-check.ts'
import { SignerGuard } from '../src/signer-guard.ts'

const DIRECTORY = '/signer/guard'
const SIGNATURE = new Uint8Array(64).fill(5)

type Disk = MemoryFileSystem | FaultyFileSystem

async function open(fileSystem: Disk, how: { rejoin?: boolean } = {}): Promise<SignerGuard> {
  const { guard } = await SignerGuard.open({
    directory: DIRECTORY,
    machine: 'm',
    fileSystem,
    ...how,
  })
  return guard
}

function vote(kind: VoteKind, view: number, block = 'a', epoch = 0): UnsignedVote {
  const subject =
    kind === 'nullify'
      ? { epoch, view, parentView: 0, height: 0, digest: ZERO_DIGEST }
      : { epoch, view, parentView: view - 1, height: view, digest: block.repeat(64) }
  return { kind, subject, signer: 1 }
}

const sign = (guard: SignerGuard, asked: UnsignedVote) => guard.sign(asked, () => SIGNATURE)

async function gives(guard: SignerGuard, asked: UnsignedVote): Promise<void> {
  assert.equal(await sign(guard, asked), SIGNATURE, JSON.stringify(asked))
}

async function refuses(guard: SignerGuard, code: string, asked: UnsignedVote): Promise<void> {
  const answer = await sign(guard, asked)
  assert.ok(!(answer instanceof Uint8Array), JSON.stringify(asked))
  assert.equal(answer.code, code)
  assert.match(answer.asked, new RegExp(`${asked.kind} .*view ${asked.subject.view}`))
}

test('in one view, each vote is judged by those that were given before', async () => {
  const guard = await open(new MemoryFileSystem())
  await gives(guard, vote('notarize', 1))
  await gives(guard, vote('notarize', 1))
  await refuses(guard, 'signer_contradiction', vote('notarize', 1, 'b'))
  await refuses(guard, 'signer_contradiction', vote('finalize', 1, 'b'))
  await gives(guard, vote('finalize', 1))
  await gives(guard, vote('finalize', 1))
  await refuses(guard, 'signer_contradiction', vote('nullify', 1))
  await gives(guard, vote('notarize', 2))
  await gives(guard, vote('nullify', 2))
  await gives(guard, vote('nullify', 2))
  await refuses(guard, 'signer_contradiction', vote('notarize', 2, 'b'))
  await refuses(guard, 'signer_contradiction', vote('finalize', 2))
  await gives(guard, vote('finalize', 3))
  await refuses(guard, 'signer_contradiction', vote('finalize', 3, 'b'))
  await refuses(guard, 'signer_contradiction', vote('notarize', 3))
  await guard.close()
})

test('a node that goes back is behind: an older copy, or a second one', async () => {
  const guard = await open(new MemoryFileSystem())
  await gives(guard, vote('notarize', 1))
  await gives(guard, vote('notarize', 9))
  await refuses(guard, 'signer_behind', vote('notarize', 5))
  await refuses(guard, 'signer_behind', vote('nullify', 8))
  await gives(guard, vote('finalize', 5))
  await gives(guard, vote('notarize', 1, 'a', 2))
  await refuses(guard, 'signer_behind', vote('notarize', 10))
  await guard.close()
})

test('what was given is remembered by the next start', async () => {
  const disk = new MemoryFileSystem()
  const first = await open(disk)
  await gives(first, vote('notarize', 1))
  await gives(first, vote('nullify', 2))
  await first.close()
  const second = await open(disk)
  await gives(second, vote('notarize', 1))
  await refuses(second, 'signer_contradiction', vote('notarize', 2))
  await refuses(second, 'signer_contradiction', vote('notarize', 1, 'b'))
  await gives(second, vote('notarize', 3))
  await second.close()
})

test('a guard that is new although its key is not, or begins anew, lets three views go by', async () => {
  const late = await open(new MemoryFileSystem())
  await refuses(late, 'signer_forgotten', vote('notarize', 40))
  await refuses(late, 'signer_forgotten', vote('notarize', 42))
  await gives(late, vote('notarize', 43))
  await late.close()

  const inLaterEpoch = await open(new MemoryFileSystem())
  await refuses(inLaterEpoch, 'signer_forgotten', vote('notarize', 1, 'a', 2))
  await gives(inLaterEpoch, vote('notarize', 4, 'a', 2))
  await inLaterEpoch.close()

  const disk = new MemoryFileSystem()
  const before = await open(disk)
  await gives(before, vote('notarize', 1))
  await before.close()
  const again = await open(disk, { rejoin: true })
  await refuses(again, 'signer_forgotten', vote('notarize', 1, 'b'))
  await again.close()
  const later = await open(disk)
  await refuses(later, 'signer_forgotten', vote('notarize', 1, 'b'))
  await gives(later, vote('notarize', 4))
  await later.close()
})

interface Step {
  kind: VoteKind
  view: number
  block: string
  isRestart: boolean
}

const steps = fc.array(
  fc.record({
    kind: fc.constantFrom<VoteKind>('notarize', 'nullify', 'finalize'),
    view: fc.integer({ min: 1, max: 6 }),
    block: fc.constantFrom('a', 'b'),
    isRestart: fc.boolean(),
  }),
  { minLength: 5, maxLength: 40 },
)

/** What left the signer; null when the power failed first. */
async function tryStep(guard: SignerGuard, { kind, view, block }: Step): Promise<Vote | null> {
  const asked = vote(kind, view, block)
  try {
    const answer = await sign(guard, asked)
    return answer instanceof Uint8Array ? { ...asked, signature: answer } : null
  } catch {
    return null
  }
}

const faults = fc.record({
  kind: fc.constantFrom<FaultKind>('power', 'lost-sync', 'eio', 'short'),
  at: fc.integer({ min: 1, max: 90 }),
})

/** One operation of the first life fails, and the power with it or whenever a step says so. */
async function live(asked: readonly Step[], fault: Fault, random: () => number): Promise<Vote[]> {
  const left: Vote[] = []
  let memory = new MemoryFileSystem()
  const faulty = new FaultyFileSystem(memory, fault)
  let guard = await open(faulty).catch(() => null)
  let isFirstLife = true
  for (const step of asked) {
    const given = guard === null ? null : await tryStep(guard, step)
    if (given !== null) left.push(given)
    const isDark = isFirstLife && faulty.hasHappened && fault.kind !== 'lost-sync'
    if (!step.isRestart && !isDark) continue
    isFirstLife = false
    memory = memory.afterPowerLoss(random)
    guard = await open(memory)
  }
  return left
}

test('acceptance 7: no order of questions and no failing disk makes a signer contradict itself', () => {
  const chances = fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true }))
  return fc.assert(
    fc.asyncProperty(steps, faults, chances, async (asked, fault, chance) => {
      const left = await live(asked, fault, () => chance.next().value ?? 0)
      assert.deepEqual(contradictionsOf(left), [])
    }),
    { numRuns: 500 },
  )
})

test('what only the marks tell of is not signed again, in whatever way the journal lost it', async () => {
  const chances = [0, 0.3, 0.6, 0.99]
  for (let at = 1; at <= 40; at += 1) {
    for (const chance of chances) {
      for (const [first, second] of [
        [vote('notarize', 1), vote('notarize', 1, 'b')],
        [vote('nullify', 1), vote('finalize', 1)],
        [vote('finalize', 1), vote('nullify', 1)],
        [vote('finalize', 1), vote('finalize', 1, 'b')],
      ] as const) {
        const memory = new MemoryFileSystem()
        const before = await open(new FaultyFileSystem(memory, { kind: 'lost-sync', at }))
        await gives(before, first)
        const after = await open(memory.afterPowerLoss(() => chance)).catch(() => null)
        const answer = after && (await sign(after, second))
        assert.ok(!(answer instanceof Uint8Array), `${second.kind} after ${first.kind}, at ${at}`)
      }
    }
  }
})

test.run()
