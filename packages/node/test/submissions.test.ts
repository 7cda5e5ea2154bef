// The parts a submission passes: the door, the reader, the secret that names bytes, the waits.

import assert from 'node:assert/strict'
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toHex } from '@mooring/codec'
import { commitRecord, fieldsOf, readSubmission, recordSecrets } from '@mooring/records'
import { test } from 'uvu'
import { decodeRecord } from '../src/custody.ts'
import { loadLocalSecret } from '../src/local-secret.ts'
import { readRecords, THREAD_BYTES_MIN } from '../src/record-reader.ts'
import { SubmissionDoor } from '../src/submission-door.ts'
import { SubmissionWaits } from '../src/submission-waits.ts'
import { runInSlices } from '../src/time-slices.ts'
import { eventually, observations } from './custody-world.ts'

const PREPARATION = {
  format: 'ndjson',
  isPartial: false,
  mediaType: 'application/fhir+ndjson',
  receivedAt: 1_790_000_000_000,
  secret: new Uint8Array(32).fill(3),
} as const

test('a submission is read alike in turns and on a thread', async () => {
  const lines = Math.ceil(THREAD_BYTES_MIN / 40)
  const { bytes: large } = observations(lines)
  const small = large.subarray(0, large.indexOf(10, 4_000))
  assert.ok(large.length >= THREAD_BYTES_MIN && small.length < THREAD_BYTES_MIN)
  const onThread = await readRecords(large, PREPARATION)
  const inTurns = await readRecords(small, PREPARATION)
  assert.equal(onThread.records.length, lines)
  for (const [index, record] of inTurns.records.entries()) {
    const other = onThread.records[index]
    assert.deepEqual(other?.dedupeKey, record.dedupeKey)
    assert.deepEqual([other?.start, other?.end], [record.start, record.end])
    assert.notDeepEqual(other?.id, record.id)
  }
  for (const record of onThread.records.slice(-100)) {
    const raw = large.subarray(record.start, record.end)
    const [resource] = readSubmission(raw).resources
    assert.ok(resource !== undefined)
    const { entry, size } = decodeRecord(record)
    const secrets = recordSecrets(entry.rec)
    const { recordCommit } = commitRecord(fieldsOf(resource.node), raw, secrets)
    assert.deepEqual(recordCommit, record.id)
    assert.equal(size, raw.length)
    assert.equal(entry.mediaType, 'application/fhir+json')
    assert.equal(entry.receivedAt, PREPARATION.receivedAt)
  }
  assert.notEqual(toHex(onThread.submission), toHex(inTurns.submission))
})

test('problems of a large submission come back from its thread', async () => {
  const { bytes } = observations(Math.ceil(THREAD_BYTES_MIN / 40))
  const bad = bytes.slice()
  bad[bad.length - 1] = 0x7b
  const refused = await readRecords(bad, PREPARATION)
  assert.equal(refused.records.length, 0)
  assert.deepEqual(
    refused.problems.map(({ code }) => code),
    ['not_json'],
  )
})

test('long work leaves turns for others', async () => {
  let turns = 0
  let isDone = false
  const count = () => {
    turns += 1
    if (!isDone) setImmediate(count)
  }
  setImmediate(count)
  const work = Array.from({ length: 50 }, (_, index) => index)
  const taken: number[] = []
  await runInSlices(work.values(), (item) => {
    const end = performance.now() + 2
    while (performance.now() < end);
    taken.push(item)
  })
  isDone = true
  assert.deepEqual(taken, work)
  assert.ok(turns >= 10, `${turns} turns`)
})

test('a few are inside, some stand in line, and the rest come back later', async () => {
  const door = new SubmissionDoor({ insideMax: 2, waitingMax: 1 })
  const order: string[] = []
  const ends: (() => void)[] = []
  const visit = (name: string) =>
    door.enter(async () => {
      order.push(name)
      await new Promise<void>((resolve) => ends.push(resolve))
    })
  const first = visit('first')
  const second = visit('second')
  const third = visit('third')
  await assert.rejects(visit('fourth'), { code: 'busy' })
  assert.deepEqual(order, ['first', 'second'])
  ends[1]?.()
  await second
  await eventually(() => order.length === 3, 'the third is inside')
  const closed = door.close()
  await assert.rejects(visit('fifth'), { code: 'closing' })
  for (const end of ends) end()
  await Promise.all([first, third, closed])
})

test('a failed submission leaves its place', async () => {
  const door = new SubmissionDoor({ insideMax: 1, waitingMax: 0 })
  await assert.rejects(
    door.enter(() => Promise.reject(new Error('no'))),
    /no/,
  )
  assert.equal(await door.enter(() => Promise.resolve(1)), 1)
  await door.close()
})

function answer(id: string, height: number | null = null) {
  return { id, resourceType: 'Basic', entry: 0, status: 'accepted' as const, height }
}

function heights(answers: { height: number | null }[]): (number | null)[] {
  return answers.map(({ height }) => height)
}

test('a wait ends when all its records are anchored, in whatever submissions they are', async () => {
  const waits = new SubmissionWaits()
  waits.track('one', [answer('a'), answer('b')])
  waits.track('two', [answer('b'), answer('b'), answer('c', 4)])
  const signal = new AbortController().signal
  const one = waits.wait('one', signal)
  const two = waits.wait('two', signal)
  waits.anchored(['b'], 5)
  assert.deepEqual(heights(await two), [5, 5, 4])
  assert.deepEqual(heights(await waits.wait('one', AbortSignal.abort())), [null, 5])
  waits.anchored(['a', 'a', 'unknown'], 6)
  assert.deepEqual(heights(await one), [6, 5])
})

test('the oldest submissions are forgotten when there are too many, unless somebody waits', async () => {
  const waits = new SubmissionWaits(4)
  const signal = new AbortController().signal
  waits.track('one', [answer('a'), answer('b')])
  const waiting = waits.wait('one', signal)
  waits.track('two', [answer('c'), answer('d')])
  waits.track('three', [answer('e')])
  assert.equal(waits.size, 3)
  await assert.rejects(waits.wait('two', signal), { code: 'unknown_submission' })
  waits.anchored(['a', 'b', 'c'], 1)
  assert.equal((await waiting).length, 2)
  waits.track('three', [answer('e'), answer('f')])
  assert.equal(waits.size, 4)
  waits.close()
  assert.equal((await waits.wait('three', signal)).length, 2)
})

test('the secret of a node is made once, for its owner alone', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mooring-secret-'))
  try {
    const path = join(folder, 'dedupe.key')
    const secret = await loadLocalSecret(path)
    assert.equal(secret.length, 32)
    assert.deepEqual(await loadLocalSecret(path), secret)
    assert.equal(statSync(path).mode & 0o777, 0o600)
    assert.deepEqual(readdirSync(folder), ['dedupe.key'])
    assert.notDeepEqual(await loadLocalSecret(join(folder, 'other.key')), secret)
    chmodSync(path, 0o640)
    await assert.rejects(loadLocalSecret(path), { code: 'key_open' })
    chmodSync(path, 0o600)
    writeFileSync(path, readFileSync(path, 'utf8').slice(1))
    await assert.rejects(loadLocalSecret(path), { code: 'key_malformed' })
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test.run()
