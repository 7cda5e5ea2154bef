// No room on the disk of a custodian: what it is sent is refused with 507 and leaves nothing behind, what it
// has taken before stays readable, and it takes records again when there is room.

import assert from 'node:assert/strict'
import { closeSync, cpSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { ApiProblem } from '@mooring/api/client'
import { generatePatient } from '@mooring/records'
import { test } from 'uvu'
import { nodeAt, startDevnet } from '../e2e/devnet.ts'
import { eventually } from '../e2e/eventually.ts'
import { mountVolume, skipWithoutMounts, unmountVolume } from './small-volumes.ts'

const MIB = 1024 * 1024
const LARGE_BYTES = 200 * MIB
const BACK_MS = 60_000
const PATIENT = 'no-room'
const FINAL = { contentType: 'application/fhir+json', waitMs: 60_000 }

skipWithoutMounts()

test('a record that does not fit is refused whole, and others are taken when there is room', async () => {
  const devnet = await startDevnet('-n 5')
  const { home, client } = nodeAt(devnet, 0)
  const data = join(home, 'data')
  await devnet.succeed('devnet kill 0')
  // The volume is smaller than what a node keeps free by default.
  await devnet.succeed(['--home', home, 'config', 'set', 'storage.min_free', '0B'])
  const aside = join(devnet.folder, 'data')
  cpSync(data, aside, { recursive: true })
  mountVolume(data, '96m')
  try {
    cpSync(aside, data, { recursive: true })
    await devnet.succeed('devnet restart 0 --timeout 100s')
    const before = (await client.submitRecords(generatePatient(1), FINAL)).records
    const refusal = await client
      .uploadRecord(endless(), {
        contentType: 'application/dicom',
        patient: PATIENT,
        size: LARGE_BYTES,
      })
      .then(
        () => undefined,
        (error: unknown) => error,
      )
    assert.ok(refusal instanceof ApiProblem, String(refusal))
    assert.equal(refusal.status, 507, refusal.message)
    assert.deepEqual(readdirSync(join(data, 'uploads', 'incoming')), [])
    const { records } = await client.status()
    assert.equal(records.accepted, before.length, 'half of a record was taken')

    fill(join(data, 'ballast'))
    const full = await eventually('a full disk takes nothing', BACK_MS, async () => {
      const taken = client.submitRecords(generatePatient(3), { contentType: FINAL.contentType })
      return await taken.then(
        () => undefined,
        (error: unknown) => error,
      )
    })
    assert.ok(full instanceof ApiProblem, String(full))
    // A database that could not write ends the node; before it comes to that, 507.
    assert.ok(full.status === 507 || full.code === 'unreachable', full.message)
    rmSync(join(data, 'ballast'))
    await devnet.succeed('devnet restart 0 --timeout 100s')
    process.stdout.write(`figure: a full disk was told as ${full.status} ${full.code}\n`)
    const [first] = before
    assert.ok(first !== undefined)
    assert.ok((await client.recordContent(first.id)).bytes.length > 0)
    await eventually('records are taken again', BACK_MS, async () => {
      const taken = await client.submitRecords(generatePatient(2), FINAL)
      return taken.records.length > 0 ? true : undefined
    })
  } finally {
    await devnet.succeed('devnet kill 0')
    unmountVolume(data)
    await devnet.close()
  }
})

// Until nothing more goes in.
function fill(path: string): void {
  const file = openSync(path, 'w')
  try {
    for (;;) writeSync(file, new Uint8Array(64 * 1024).fill(1))
  } catch (error) {
    assert.ok(error instanceof Error && 'code' in error && error.code === 'ENOSPC', String(error))
  } finally {
    closeSync(file)
  }
}

async function* endless(): AsyncGenerator<Uint8Array> {
  for (let sent = 0; sent < LARGE_BYTES; sent += MIB) yield new Uint8Array(MIB).fill(sent / MIB)
}

test.run()
