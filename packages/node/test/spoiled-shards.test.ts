// Files of long shards that a disk has lost while they waited for their holders.

import assert from 'node:assert/strict'
import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { UploadSubmission } from '@mooring/api'
import { fromHex } from '@mooring/codec'
import { test } from 'uvu'
import { type Custody, eventually, OWN, type Run, withCustody } from './custody-world.ts'

const SIZE = 3 * 1024 * 1024 + 7

function bytesOf(seed: number): Uint8Array {
  return Uint8Array.from({ length: SIZE }, (_, at) => (at * seed + (at >>> 8)) & 255)
}

function upload(bytes: Uint8Array): UploadSubmission {
  async function* pieces(): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(bytes)
  }
  const { signal } = new AbortController()
  return { body: pieces(), contentType: 'image/png', size: null, patient: null, signal }
}

async function filesIn({ folder }: Custody): Promise<string[]> {
  const uploads = join(folder, 'uploads')
  const entries = await readdir(uploads, { recursive: true, withFileTypes: true })
  return entries.filter((each) => each.isFile()).map((each) => join(each.parentPath, each.name))
}

async function submitted({ world }: Custody, { custodian }: Run, bytes: Uint8Array) {
  let id = ''
  const answering = custodian.submitUpload(upload(bytes)).then(({ records }) => {
    id = records[0]?.id ?? ''
  })
  await eventually(() => {
    world.clock.advance(50)
    return id !== ''
  }, 'there is an answer')
  await answering
  return id
}

function others({ holders }: Custody): string[] {
  return [...holders.holders.keys()].filter((name) => name !== OWN)
}

const goes = ({ world }: Custody, is: () => boolean, what: string) =>
  eventually(() => {
    world.clock.advance(50)
    return is()
  }, what)

/** Started again with these holders up, until nothing waits. */
async function placedAgain(custody: Custody, ...up: string[]): Promise<Run> {
  const run = await custody.run()
  custody.holders.set('up', ...up)
  await goes(custody, () => run.custodian.placing.status().waiting === 0, 'it left the queue')
  assert.deepEqual(run.failures, [])
  return run
}

const lostShards = ({ lines }: Custody) =>
  lines.filter((line) => line.includes('"event":"queued_shard_lost"'))

test('a record that enough others have leaves the queue without the shard that is lost', () =>
  withCustody(async (custody) => {
    const [away = ''] = others(custody)
    custody.holders.set('away', away)
    const first = await custody.run()
    const bytes = bytesOf(3)
    const [record] = (await first.custodian.submitUpload(upload(bytes))).records
    const id = record?.id ?? ''
    await eventually(() => filesIn(custody).then(({ length }) => length === 1), 'one file waits')
    assert.equal(first.custodian.index.get(fromHex(id))?.status, 'accepted')
    for (const path of await filesIn(custody)) rmSync(path)

    const second = await placedAgain(custody, away)
    const short = await second.custodian.index.listShort(0, 10)
    assert.deepEqual(
      short.map(({ holders, missing }) => missing.map((index) => holders[index])),
      [[away]],
    )
    assert.equal(lostShards(custody).length, 1)
    assert.match(lostShards(custody).join(), new RegExp(`${id}.*blob_missing`))
    assert.equal(second.custodian.placing.finding(), null)
    assert.deepEqual(second.content(id), bytes)
  }))

test('a record that enough others can still get is accepted, and only then left to the repair', () =>
  withCustody(async (custody) => {
    custody.holders.set('away', ...others(custody))
    const first = await custody.run()
    const bytes = bytesOf(5)
    const id = await submitted(custody, first, bytes)
    await eventually(() => filesIn(custody).then(({ length }) => length === 3), 'three files wait')
    const [path = ''] = await filesIn(custody)
    truncateSync(path, 100_000)

    const second = await placedAgain(custody, ...others(custody))
    assert.notEqual(second.custodian.index.get(fromHex(id))?.status, 'received')
    assert.equal((await second.custodian.index.listShort(0, 10)).length, 1)
    assert.equal(second.custodian.placing.finding(), null)
    assert.deepEqual(second.content(id), bytes)
  }))

test('a record of which too little is left is named, and the node goes on', () =>
  withCustody(async (custody) => {
    custody.holders.set('away', ...others(custody))
    const first = await custody.run()
    const id = await submitted(custody, first, bytesOf(7))
    await eventually(() => filesIn(custody).then(({ length }) => length === 3), 'three files wait')
    const [one = '', two = ''] = await filesIn(custody)
    const before = readFileSync(one)
    writeFileSync(one, before.with(5, (before[5] ?? 0) ^ 1))
    rmSync(two)

    const second = await custody.run()
    custody.holders.set('up', ...others(custody))
    await goes(custody, () => second.custodian.placing.finding() !== null, 'there is an alarm')
    const finding = second.custodian.placing.finding()
    assert.equal(finding?.code, 'upload_spoiled')
    assert.match(finding?.detail ?? '', new RegExp(id))
    const bytes = bytesOf(11)
    const next = await submitted(custody, second, bytes)
    await goes(custody, () => second.custodian.placing.status().waiting === 1, 'another is placed')
    assert.deepEqual(second.content(next), bytes)
    assert.deepEqual(second.failures, [])
    assert.equal(lostShards(custody).length, 2)

    writeFileSync(one, before)
    const third = await custody.run()
    await goes(custody, () => third.custodian.placing.status().waiting === 0, 'its file is back')
    assert.deepEqual(third.content(id), bytesOf(7))
  }))

test.run()
