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
import {
  commitRecord,
  decodeShardSet,
  fieldsOf,
  openManifest,
  openRecord,
  readSubmission,
  recordSecrets,
} from '@mooring/records'
import { test } from 'uvu'
import { loadLocalSecret } from '../src/local-secret.ts'
import { shardOf } from '../src/queued-records.ts'
import { RecordReader, THREAD_BYTES_MIN } from '../src/record-reader.ts'
import { SubmissionDoor } from '../src/submission-door.ts'
import { SubmissionWaits } from '../src/submission-waits.ts'
import { runInSlices } from '../src/time-slices.ts'
import { eventually, observations } from './custody-world.ts'
import { TestClock } from './test-clock.ts'

const PREPARATION = {
  format: 'ndjson',
  isPartial: false,
  mediaType: 'application/fhir+ndjson',
  receivedAt: 1_790_000_000_000,
  secret: new Uint8Array(32).fill(3),
} as const

const KEY = {
  patientKey: new Uint8Array(32).fill(4),
  class: 'general',
  epoch: 1,
  key: new Uint8Array(32).fill(5),
}
const HOLDERS = ['a', 'b', 'c', 'd'].map((id) => ({ id, legalGroup: id }))

async function withReader(
  work: (reader: RecordReader, clock: TestClock) => Promise<void>,
): Promise<void> {
  const clock = new TestClock()
  const reader = new RecordReader(clock)
  try {
    await work(reader, clock)
  } finally {
    await reader.close()
  }
}

test('a submission is read and sealed alike in turns and on a thread', () =>
  withReader(async (reader) => {
    const lines = Math.ceil(THREAD_BYTES_MIN / 40)
    const { bytes: large } = observations(lines)
    const small = large.subarray(0, large.indexOf(10, 4_000))
    assert.ok(large.length >= THREAD_BYTES_MIN && small.length < THREAD_BYTES_MIN)
    const onThread = await reader.read(large, PREPARATION)
    const inTurns = await reader.read(small, PREPARATION)
    assert.equal(onThread.found.records.length, lines)
    const count = inTurns.found.records.length
    assert.deepEqual(onThread.found.records.slice(0, count), inTurns.found.records)
    assert.notEqual(toHex(onThread.found.submission), toHex(inTurns.found.submission))

    const { resources } = readSubmission(large, { format: 'ndjson' })
    for (const read of [onThread, inTurns]) {
      const wanted = [0, 7, count - 1]
      const sealed = await read.seal({
        custodian: 'a',
        split: { k: 2, n: 4 },
        holders: HOLDERS,
        keys: [KEY],
        records: wanted.map((position, at) => ({
          position,
          key: 0,
          place: { account: new Uint8Array(16), sequence: at + 1, resource: null },
          supersedes: null,
          follows: at === 0 ? null : at - 1,
        })),
      })
      read.forget()
      assert.deepEqual(
        sealed.map(({ position }) => position),
        wanted,
      )
      for (const [at, record] of sealed.entries()) {
        const resource = resources[record.position]
        const manifest = openManifest(record.manifest, KEY.key, record.setId)
        assert.ok(resource !== undefined && manifest !== undefined)
        const secrets = recordSecrets(manifest.rec)
        const { recordCommit } = commitRecord(fieldsOf(resource.node), resource.raw, secrets)
        assert.deepEqual(record.id, recordCommit)
        assert.deepEqual(manifest.supersedes, sealed[at - 1]?.id ?? null)
        assert.equal(manifest.sequence, at + 1)
        assert.equal(manifest.mediaType, 'application/fhir+json')
        assert.equal(manifest.receivedAt, PREPARATION.receivedAt)
        const shards = [null, shardOf(record.queued, 1), null, shardOf(record.queued, 3)]
        const opened = openRecord(decodeShardSet(record.set), manifest, shards)
        assert.deepEqual(opened.ok && opened.raw, resource.raw)
        assert.equal(new Set(record.places).size, 4)
      }
    }
  }))

test('problems of a large submission come back from its thread', () =>
  withReader(async (reader) => {
    const { bytes } = observations(Math.ceil(THREAD_BYTES_MIN / 40))
    const bad = bytes.slice()
    bad[bad.length - 1] = 0x7b
    const { found } = await reader.read(bad, PREPARATION)
    assert.equal(found.records.length, 0)
    assert.deepEqual(
      found.problems.map(({ code }) => code),
      ['not_json'],
    )
  }))

test('the thread ends when nothing was on it for half a minute, and another starts', () =>
  withReader(async (reader, clock) => {
    const { bytes } = observations(Math.ceil(THREAD_BYTES_MIN / 40))
    const [first, second] = [
      await reader.read(bytes, PREPARATION),
      await reader.read(bytes, PREPARATION),
    ]
    first.forget()
    clock.advance(60_000)
    assert.ok(reader.hasThread)
    second.forget()
    clock.advance(29_000)
    const third = await reader.read(bytes, PREPARATION)
    clock.advance(60_000)
    assert.ok(reader.hasThread)
    third.forget()
    clock.advance(30_000)
    assert.ok(!reader.hasThread)
    assert.ok((await reader.read(bytes, PREPARATION)).found.records.length > 0)
  }))

test('what was forgotten is not sealed, and the thread goes on', () =>
  withReader(async (reader) => {
    const { bytes } = observations(Math.ceil(THREAD_BYTES_MIN / 40))
    const read = await reader.read(bytes, PREPARATION)
    read.forget()
    const nothing = {
      custodian: 'a',
      split: { k: 2, n: 4 },
      holders: HOLDERS,
      keys: [],
      records: [],
    }
    await assert.rejects(read.seal(nothing), /nothing was read/)
    assert.ok((await reader.read(bytes, PREPARATION)).found.records.length > 0)
  }))

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
