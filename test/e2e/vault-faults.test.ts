// What a holder may do to the others: be down, be slow, be full. Records are taken and read meanwhile, and are
// whole again when it is well. And records of every size that is an edge: nothing, one byte, exactly a
// bucket, and far more than a message.

import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generatePatient } from '@mooring/records'
import { test } from 'uvu'
import { readDevnetState } from '../../packages/cli/src/devnet/state.ts'
import { type Devnet, nodeAt, startDevnet } from './devnet.ts'
import { eventually } from './eventually.ts'
import { grantAll, readAll } from './granted-reads.ts'
import { type SpreadRecord, spreadRecordsOf } from './provider-spread.ts'
import { sourceOf } from './sources.ts'

const CUSTODIAN = 0
const BAD = 2
const READER = 4
const WHOLE_MS = 180_000
const TAKEN_MS = 60_000
const KIB = 1024
const LARGE_BYTES = 200_000_000
const PIECE_BYTES = 1_000_000
const PATIENT = 'edge-of-size'

const starting = startDevnet('-n 5')
let seed = 70_000

test('a holder that is down is done without, and gets what it missed', async () => {
  const devnet = await starting
  await devnet.succeed(`devnet kill ${BAD}`)
  await takenAndRead(devnet)
  await devnet.succeed(`devnet restart ${BAD} --timeout 100s`)
  await whole(devnet)
})

test('a holder that answers nobody for a while holds nobody up', async () => {
  const devnet = await starting
  const state = await readDevnetState(devnet.dir)
  const pid = state?.nodes[BAD]?.pid
  assert.ok(typeof pid === 'number')
  process.kill(pid, 'SIGSTOP')
  try {
    await takenAndRead(devnet)
  } finally {
    process.kill(pid, 'SIGCONT')
  }
  await whole(devnet)
})

test('a holder that is full says so, and takes its shards when it has room', async () => {
  const devnet = await starting
  await restartWith(devnet, 'quota = "1KiB"')
  await takenAndRead(devnet)
  const { stdout } = await devnet.run(['--home', nodeAt(devnet, CUSTODIAN).home, 'vault', 'status'])
  const { records } = await nodeAt(devnet, CUSTODIAN).client.vault()
  assert.ok(records.reduced + records.waiting > 0, stdout)
  await restartWith(devnet, '')
  await whole(devnet)
})

test('records of no byte, one byte and exactly a bucket come back as they were', async () => {
  const devnet = await starting
  const { client } = nodeAt(devnet, CUSTODIAN)
  for (const size of [0, 1, 4 * KIB - 1, 4 * KIB, 4 * KIB + 1, 256 * KIB, 1024 * KIB]) {
    const bytes = new Uint8Array(randomBytes(size))
    const how = { contentType: 'application/octet-stream', patient: PATIENT, size }
    const { records } = await client.uploadRecord(listed(bytes), how)
    const [record] = records
    assert.ok(record !== undefined)
    const back = await client.recordContent(record.id)
    assert.deepEqual(back.bytes, bytes, `${size} bytes`)
    assert.equal(back.contentType, 'application/octet-stream')
  }
})

test('a record of 200 MB comes back at another hospital, in pieces', async () => {
  const devnet = await starting
  const { client } = nodeAt(devnet, CUSTODIAN)
  const sent = createHash('sha256')
  const how = { contentType: 'application/dicom', patient: PATIENT, size: LARGE_BYTES }
  const started = performance.now()
  const { records } = await client.uploadRecord(pieces(sent), how)
  const [record] = records
  assert.ok(record !== undefined)
  await eventually('k others have it', WHOLE_MS, async () => {
    const { status } = await client.record(record.id)
    return status === 'received' ? undefined : true
  })
  const uploaded = performance.now()
  const grant = await client.createGrant({
    patient: PATIENT,
    recipient: nodeAt(devnet, READER).name,
    classes: ['imaging'],
    purposes: ['TREAT'],
    expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
  })
  const under = { grant, purpose: 'TREAT' }
  const { body, size } = await nodeAt(devnet, READER).client.readRecord(record.id, under)
  assert.equal(size, LARGE_BYTES)
  const got = createHash('sha256')
  for await (const piece of body) got.update(piece)
  assert.equal(got.digest('hex'), sent.digest('hex'))
  process.stdout.write(
    `figure: 200 MB taken in ${seconds(uploaded - started)} s, ` +
      `read in ${seconds(performance.now() - uploaded)} s\n`,
  )
})

test('it stops and leaves nothing behind', async () => {
  const devnet = await starting
  await devnet.close()
})

// Without the bad one: k others are enough.
async function takenAndRead(devnet: Devnet): Promise<void> {
  seed += 1
  const source = sourceOf(`patient ${seed}`, generatePatient(seed))
  const { contentType } = source
  const records = await eventually('a patient is taken', TAKEN_MS, async () => {
    const taken = await nodeAt(devnet, CUSTODIAN).client.submitRecords(source.bytes, {
      contentType,
      idempotencyKey: `faults-${seed}`,
    })
    return spreadRecordsOf(source, taken.records, CUSTODIAN)
  })
  await read(devnet, records)
}

async function read(devnet: Devnet, records: readonly SpreadRecord[]): Promise<void> {
  const reader = nodeAt(devnet, READER)
  await readAll(reader, records, await grantAll(devnet, records, reader))
}

async function whole(devnet: Devnet): Promise<void> {
  const { client } = nodeAt(devnet, CUSTODIAN)
  await eventually('every record is at full strength again', WHOLE_MS, async () => {
    const { records } = await client.vault()
    if (records.full === records.total && records.waiting === 0) return true
    throw new Error(JSON.stringify(records))
  })
}

// Another line in the [vault] part of the bad one's configuration.
async function restartWith(devnet: Devnet, line: string): Promise<void> {
  const path = join(nodeAt(devnet, BAD).home, 'config', 'mooring.toml')
  const config = readFileSync(path, 'utf8').replace(/^\[vault\]\n(?:quota = .*\n)?/m, '[vault]\n')
  writeFileSync(path, config.replace('[vault]\n', line === '' ? '[vault]\n' : `[vault]\n${line}\n`))
  await devnet.succeed(`devnet kill ${BAD}`)
  await devnet.succeed(`devnet restart ${BAD} --timeout 100s`)
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(1)
}

async function* listed(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

async function* pieces(hash: ReturnType<typeof createHash>): AsyncGenerator<Uint8Array> {
  for (let sent = 0; sent < LARGE_BYTES; sent += PIECE_BYTES) {
    const piece = randomBytes(PIECE_BYTES)
    hash.update(piece)
    yield piece
  }
}

test.run()
