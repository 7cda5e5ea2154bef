// A run of the custodian ends between any two of its steps, and the next one goes on: nothing that
// was accepted is lost, nothing is stored twice, nothing is anchored twice.

import assert from 'node:assert/strict'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { SubmissionOutcome } from '@mooring/api'
import { verifyProof } from '@mooring/api/verify'
import { toHex } from '@mooring/codec'
import { genesisDigest } from '@mooring/ledger'
import { test } from 'uvu'
import { decodeBatch } from '../src/custody.ts'
import {
  anchorsOn,
  type Custody,
  Life,
  observations,
  type Run,
  TICK_MS,
  withCustody,
} from './custody-world.ts'

const SUBMISSIONS = [observations(5), observations(20, 3), observations(1, 100)]
const DISTINCT = 24
const DEADLINE_MS = 10_000

/** What the client was told; it sends again what it got no answer to. */
type Answers = Map<number, SubmissionOutcome>

/** Until everything is anchored, or the run ends. */
async function live(custody: Custody, run: Run, answers: Answers): Promise<void> {
  const { custodian, life } = run
  const { clock, mempool } = custody.world
  for (const [index, each] of SUBMISSIONS.entries()) {
    if (answers.has(index)) continue
    const outcome = await Promise.race([custodian.submitRecords(each), life.died])
    if (outcome === undefined) return
    answers.set(index, outcome)
    const end = clock.monotonic() + 2 * TICK_MS
    const before = mempool.size
    const isAtDoor = () => mempool.size > before || clock.monotonic() > end
    await pass(custody, life, { until: isAtDoor, withBlocks: false })
    if (index === 1 && !life.isDead) await custody.block()
  }
  const isDone = () => custodian.counts().pending === 0
  await pass(custody, life, { until: isDone, withBlocks: true })
}

/** Time goes by until something holds or the run ends. */
async function pass(
  { world: { clock }, block }: Custody,
  life: Life,
  { until, withBlocks }: { until: () => boolean; withBlocks: boolean },
): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS
  while (!until() && !life.isDead) {
    assert.ok(performance.now() < deadline, 'the records are anchored in time')
    clock.advance(100)
    for (let turn = 0; turn < 5; turn += 1) await nextTurn()
    if (withBlocks) await block()
  }
}

async function checkAll(custody: Custody, run: Run, answers: Answers): Promise<void> {
  const { store, proofs } = run
  assert.deepEqual(run.failures, [])
  assert.equal(store.size, DISTINCT)
  const anchors = anchorsOn(custody.world)
  const roots = anchors.map(({ root }) => root)
  assert.equal(new Set(roots).size, roots.length, 'no root is anchored twice')
  assert.deepEqual(
    anchors.map(({ sequence }) => sequence),
    anchors.map((_, index) => index + 1),
  )
  let batched = 0
  for (const [index, root] of roots.entries()) {
    const stored = store.getBatch(index + 1)
    assert.ok(stored !== undefined && stored.anchor !== null)
    const batch = decodeBatch(stored.batch)
    assert.ok(roots.includes(toHex(batch.root)), root)
    batched += batch.positions.length
  }
  assert.equal(batched, DISTINCT, 'every record is in one batch')
  assert.equal(store.getBatch(roots.length + 1), undefined)
  const told = [...answers.values()].flatMap(({ records }) => records)
  assert.equal(new Set(told.map(({ id }) => id)).size, DISTINCT)
  const trust = { genesisDigest: genesisDigest(custody.world.genesis) }
  for (const id of new Set(told.map((each) => each.id))) {
    const proof = proofs.record(id, true)
    const content = run.content(id)
    assert.ok(proof?.kind === 'record' && content !== undefined)
    assert.ok(verifyProof(proof.json, trust, content).ok)
  }
}

/** The steps of the first run; each number in `ends` ends one more run after so many. */
async function tell(ends: readonly number[]): Promise<number> {
  let steps = 0
  await withCustody(async (custody) => {
    const answers: Answers = new Map()
    for (const end of [...ends, Number.POSITIVE_INFINITY]) {
      const life = new Life(end)
      const run = await custody.run({ life })
      await live(custody, run, answers)
      steps ||= life.steps
      if (!life.isDead) {
        await checkAll(custody, run, answers)
        return
      }
    }
  })
  return steps
}

test('a run that ends at any of its steps is taken up by the next', async () => {
  const steps = await tell([])
  assert.ok(steps >= 24, `${steps} steps`)
  for (let end = 1; end <= steps; end += 1) await tell([end])
})

test('runs that end again and again still come through', async () => {
  for (let end = 1; end <= 5; end += 1) await tell([4 * end, 2 * end, 3 * end, 5])
})

test.run()
