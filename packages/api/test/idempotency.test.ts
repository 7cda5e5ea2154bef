import assert from 'node:assert/strict'
import { test } from 'uvu'
import type { SubmissionOutcome } from '../src/handlers.ts'
import { IdempotencyKeys } from '../src/idempotency.ts'

const limits = { lifetimeMs: 1_000, entriesMax: 3, recordsMax: 10 }

function outcome(submission: string, records: number): SubmissionOutcome {
  const record = { id: 'r', resourceType: null, status: 'accepted' as const, height: null }
  return {
    submission,
    records: Array.from({ length: records }, (_, entry) => ({ ...record, entry })),
    problems: [],
  }
}

/** Work that notes each of its runs. */
function counting(result: SubmissionOutcome) {
  const work = {
    runs: 0,
    run: () => {
      work.runs += 1
      return Promise.resolve(result)
    },
  }
  return work
}

const failing = () => Promise.reject(new Error('disk'))

test('a key runs its work once and forgets it after its life', async () => {
  const keys = new IdempotencyKeys(limits)
  const work = counting(outcome('a', 1))
  await keys.once('k', 'f', 0, work.run)
  await keys.once('k', 'f', 999, work.run)
  assert.equal(work.runs, 1)
  await keys.once('k', 'f', 1_000, work.run)
  assert.equal(work.runs, 2)
})

test('too many keys push the oldest out', async () => {
  const keys = new IdempotencyKeys(limits)
  for (const key of ['a', 'b', 'c', 'd'])
    await keys.once(key, 'f', 0, counting(outcome(key, 1)).run)
  assert.equal(keys.size, 3)
  const again = counting(outcome('a', 1))
  await keys.once('d', 'f', 0, again.run)
  assert.equal(again.runs, 0)
  await keys.once('a', 'f', 0, again.run)
  assert.equal(again.runs, 1)
})

test('large outcomes push the oldest out, at last themselves', async () => {
  const keys = new IdempotencyKeys(limits)
  await keys.once('a', 'f', 0, counting(outcome('a', 6)).run)
  await keys.once('b', 'f', 0, counting(outcome('b', 6)).run)
  assert.equal(keys.size, 1)
  await keys.once('c', 'f', 0, counting(outcome('c', 11)).run)
  assert.equal(keys.size, 0)
  const work = counting(outcome('d', 10))
  await keys.once('d', 'f', 0, work.run)
  await keys.once('d', 'f', 0, work.run)
  assert.equal(work.runs, 1)
})

test('work that fails leaves the key free', async () => {
  const keys = new IdempotencyKeys(limits)
  await assert.rejects(keys.once('k', 'f', 0, failing), /disk/)
  assert.equal(keys.size, 0)
  await keys.once('k', 'other', 0, counting(outcome('a', 1)).run)
})

test('work that ends after its key was pushed out keeps nothing', async () => {
  const keys = new IdempotencyKeys(limits)
  const slow = Promise.withResolvers<SubmissionOutcome>()
  const first = keys.once('slow', 'f', 0, () => slow.promise)
  for (const key of ['a', 'b', 'c']) await keys.once(key, 'f', 0, counting(outcome(key, 1)).run)
  slow.resolve(outcome('slow', 10))
  assert.equal((await first).submission, 'slow')
  assert.equal(keys.size, 3)
})

test.run()
