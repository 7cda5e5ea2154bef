import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import { DiskUsage } from '../src/disk-usage.ts'
import { TestClock } from './test-clock.ts'

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'mooring-disk-'))
  try {
    await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

test('sizes are measured on demand and not twice in half a minute', async () => {
  await inFolder(async (folder) => {
    const clock = new TestClock()
    const warnings: string[] = []
    const disk = new DiskUsage(folder, clock, { warn: (sentence) => warnings.push(sentence) })
    await mkdir(join(folder, 'chain'))
    await writeFile(join(folder, 'chain', 'one.ldb'), new Uint8Array(1_000))
    await writeFile(join(folder, 'two'), new Uint8Array(24))
    assert.deepEqual(disk.current(), { bytes: null, freeBytes: null })
    await disk.idle()
    assert.equal(disk.current().bytes, 1_024)
    assert.ok((disk.current().freeBytes ?? 0) > 0)

    await writeFile(join(folder, 'three'), new Uint8Array(976))
    clock.advance(29_000)
    disk.current()
    await disk.idle()
    assert.equal(disk.current().bytes, 1_024)
    clock.advance(1_000)
    assert.equal(disk.current().bytes, 1_024)
    await disk.idle()
    assert.equal(disk.current().bytes, 2_000)
    assert.deepEqual(warnings, [])
  })
})

test('a folder that cannot be read is told in the log, and nothing is claimed of it', async () => {
  await inFolder(async (folder) => {
    const warnings: string[] = []
    const logger = { warn: (sentence: string) => warnings.push(sentence) }
    const disk = new DiskUsage(join(folder, 'gone'), new TestClock(), logger)
    disk.current()
    await disk.idle()
    assert.deepEqual(disk.current(), { bytes: null, freeBytes: null })
    assert.equal(warnings.length, 1)
  })
})

test.run()
