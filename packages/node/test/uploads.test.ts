// Bytes that are no FHIR, of any size: sealed as they come, at their holders, and nothing left of what
// did not come whole.

import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { UploadSubmission } from '@mooring/api'
import { toHex, fromHex } from '@mooring/codec'
import { decodeShardSet } from '@mooring/records'
import { test } from 'uvu'
import {
  type Custody,
  eventually,
  Life,
  OWN,
  type Run,
  TICK_MS,
  withCustody,
} from './custody-world.ts'

const MIB = 1024 * 1024
const CANARY = 'DOE^JANE^CANARY-4711'

/** Not compressible, and different for each seed. */
function bytesOf(size: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(size)
  let state = seed
  for (let at = 0; at < size; at += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    bytes[at] = state >>> 24
  }
  bytes.set(new TextEncoder().encode(CANARY).subarray(0, size))
  return bytes
}

function upload(
  bytes: Uint8Array,
  { pieceBytes = 300_000, breakAt = Infinity } = {},
): UploadSubmission {
  const abort = new AbortController()
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      if (at >= breakAt) throw new Error('the client left')
      await nextTurn()
      yield bytes.subarray(at, at + pieceBytes)
    }
  }
  const contentType = 'application/dicom'
  return { body: pieces(), contentType, size: null, patient: 'Patient/7', signal: abort.signal }
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries.filter((each) => each.isFile()).map((each) => join(each.parentPath, each.name))
}

async function checkNothingIsClear({ folder }: Custody): Promise<void> {
  for (const path of await filesIn(folder)) {
    // A shard that its holder has by now is gone.
    if (existsSync(path)) assert.ok(!readFileSync(path).includes(CANARY), `in the clear in ${path}`)
  }
}

/** Files go after the step of their shard is on the disk, each in its own time. */
async function isPlaced({ folder, world }: Custody, { custodian }: Run): Promise<void> {
  await eventually(() => {
    world.clock.advance(50)
    return custodian.placing.status().waiting === 0
  }, 'every holder has its shard')
  const uploads = join(folder, 'uploads')
  await eventually(() => filesIn(uploads).then((files) => files.length === 0), 'its files are gone')
}

for (const size of [0, 1, 4_096, MIB - 1, MIB, MIB + 1, 5 * MIB]) {
  test(`an upload of ${size} bytes is placed, anchored and opened again`, () =>
    withCustody(async (custody) => {
      const run = await custody.run()
      const { custodian } = run
      const bytes = bytesOf(size)
      const { records, submission } = await custodian.submitUpload(upload(bytes))
      const [record] = records
      assert.ok(record !== undefined && record.resourceType === null)
      await isPlaced(custody, run)
      assert.deepEqual(run.content(record.id), bytes)
      assert.deepEqual(await filesIn(join(custody.folder, 'uploads')), [])
      await checkNothingIsClear(custody)

      const answer = await custodian.record(record.id)
      assert.deepEqual(
        [answer?.size, answer?.class, answer?.contentType, answer?.holders],
        [size, 'imaging', 'application/dicom', 4],
      )
      const again = await custodian.submitUpload(upload(bytes, { pieceBytes: 77_777 }))
      assert.deepEqual(
        again.records.map(({ id, status }) => [id, status]),
        [[record.id, 'known']],
      )
      assert.equal(again.submission, submission)
      custody.world.clock.advance(TICK_MS)
      await eventually(() => custody.world.mempool.size > 0, 'an anchor is at the door')
      await custody.block()
      await eventually(() => custodian.counts().anchored === 1, 'it is anchored')
    }))
}

test('a client that leaves, leaves nothing', () =>
  withCustody(async (custody) => {
    const { custodian } = await custody.run()
    const before = await filesIn(custody.folder)
    for (const breakAt of [0, 900_000, 4 * MIB]) {
      const broken = upload(bytesOf(5 * MIB), { breakAt })
      await assert.rejects(custodian.submitUpload(broken), /the client left/)
    }
    assert.deepEqual(await filesIn(join(custody.folder, 'uploads')), [])
    assert.equal(custodian.counts().accepted, 0)
    assert.equal(custodian.placing.status().waiting, 0)
    assert.deepEqual(await filesIn(custody.folder), before)
  }))

test('an upload for which the disk runs out of room is refused, and leaves nothing', () =>
  withCustody(async (custody) => {
    let room = 4 * MIB
    const { custodian } = await custody.run({
      takeRoom: (bytes) => {
        room -= bytes
        return Promise.resolve(room >= 0)
      },
    })
    await assert.rejects(custodian.submitUpload(upload(bytesOf(5 * MIB))), { code: 'disk_low' })
    assert.deepEqual(await filesIn(join(custody.folder, 'uploads')), [])
    const bytes = new TextEncoder().encode('{"resourceType":"Patient"}')
    const contentType = 'application/fhir+json'
    const whole = { bytes, format: 'json' as const, contentType, isPartial: false }
    await assert.rejects(custodian.submitRecords(whole), { code: 'disk_low' })
    assert.equal(custodian.counts().accepted, 0)
  }))

test('a holder that was away gets the rest after a restart, and the files go', () =>
  withCustody(async (custody) => {
    const { holders } = custody
    holders.set('away', 'county', 'riverside')
    const first = await custody.run()
    const bytes = bytesOf(9 * MIB, 5)
    let id = ''
    const answering = first.custodian.submitUpload(upload(bytes)).then(({ records }) => {
      id = records[0]?.id ?? ''
    })
    await eventually(() => {
      custody.world.clock.advance(50)
      return id !== ''
    }, 'there is an answer')
    await answering
    const spooled = await filesIn(join(custody.folder, 'uploads'))
    assert.ok(spooled.length >= 2 && spooled.length <= 4, `${spooled.length} files`)
    const entry = first.custodian.index.get(fromHex(id))
    const leaves = decodeShardSet(entry?.set ?? new Uint8Array(0)).leaves.map(toHex)
    assert.ok(spooled.every((path) => leaves.some((leaf) => path.endsWith(leaf))))
    await checkNothingIsClear(custody)

    const second = await custody.run()
    holders.set('up', 'county', 'riverside')
    await isPlaced(custody, second)
    await eventually(() => second.custodian.placing.status().waiting === 0, 'all have theirs')
    assert.deepEqual(second.content(id), bytes)
    await custody.run()
    assert.deepEqual(await filesIn(join(custody.folder, 'uploads')), [])
  }))

test('a run that ends at any step of an upload leaves it whole or not at all', async () => {
  const bytes = bytesOf(MIB + 200_000, 7)
  for (const end of [1, 2, 3, 5, 8, 11, 14, 18, 22, 26]) {
    await withCustody(async (custody) => {
      const life = new Life()
      const first = await custody.run({ life })
      // The account and its key are there: the first step is that the record becomes durable.
      await first.custodian.submitUpload(upload(bytesOf(10)))
      await isPlaced(custody, first)
      life.dieIn(end)
      const answer = await Promise.race([first.custodian.submitUpload(upload(bytes)), life.died])
      const second = await custody.run()
      const again = await second.custodian.submitUpload(upload(bytes))
      assert.equal(second.custodian.counts().accepted, 2)
      const id = again.records[0]?.id ?? ''
      if (answer !== undefined) assert.equal(answer.records[0]?.id, id)
      await isPlaced(custody, second)
      assert.deepEqual(second.content(id), bytes)
      assert.deepEqual(await filesIn(join(custody.folder, 'uploads')), [])
    })
  }
})

test('a resource that is longer than a segment is spooled like an upload', () =>
  withCustody(async (custody) => {
    const run = await custody.run()
    const data = Buffer.from(bytesOf(3 * MIB, 9)).toString('base64')
    const text = JSON.stringify({ resourceType: 'Binary', contentType: 'image/png', data })
    const bytes = new TextEncoder().encode(text)
    const { records } = await run.custodian.submitRecords({
      bytes,
      format: 'json',
      contentType: 'application/fhir+json',
      isPartial: false,
    })
    await isPlaced(custody, run)
    assert.deepEqual(run.content(records[0]?.id ?? ''), bytes)
    assert.deepEqual(await filesIn(join(custody.folder, 'uploads')), [])
    assert.equal(run.custodian.counts().accepted, 1)
    assert.equal(custody.holders.holder(OWN).shards.size, 1)
  }))

test.run()
