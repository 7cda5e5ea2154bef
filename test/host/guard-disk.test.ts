// A volume of its own for guard/, and no room left on it: the node ends with the code, nothing that was
// signed is missing, and it goes on when there is room again.

import assert from 'node:assert/strict'
import { cp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { generatePatient } from '@mooring/records'
import { test } from 'uvu'
import { endOf, spawnMooring } from '../e2e/command.ts'
import { nodeAt, startDevnet } from '../e2e/devnet.ts'
import { eventually } from '../e2e/eventually.ts'
import { mountVolume, skipWithoutMounts, unmountVolume } from './small-volumes.ts'

const STOP_MS = 40_000
const FINAL = { contentType: 'application/fhir+json', waitMs: 15_000 }

skipWithoutMounts()

test('a full guard ends the node with the code, and it goes on when there is room', async () => {
  const devnet = await startDevnet()
  const { home, client } = nodeAt(devnet, 3)
  const guard = join(home, 'guard')
  await devnet.succeed('devnet kill 3')
  await cp(guard, join(devnet.folder, 'guard'), { recursive: true })
  mountVolume(guard, '1m')
  try {
    // What comes onto another volume is a copy: the guard begins anew, and observes first.
    const first = spawnMooring(['--home', home, 'start', '--rejoin'], devnet.folder)
    const ended = endOf(first, 120_000)
    let seed = 900
    const submit = async (): Promise<void> => {
      seed += 1
      await nodeAt(devnet, 0).client.submitRecords(generatePatient(seed), FINAL)
    }
    await eventually('it takes part', STOP_MS, async () => {
      const { chain } = await client.status()
      return chain.height > 0 ? true : undefined
    })
    await writeFile(join(guard, 'ballast'), new Uint8Array(2 << 20)).catch(() => undefined)
    await eventually('it has ended', STOP_MS, async () => {
      if (first.exitCode !== null) return true
      await submit()
      return undefined
    })
    const { code, stderr } = await ended
    assert.equal(code, 11, stderr)
    assert.match(stderr, /MOR-1022/)

    await rm(join(guard, 'ballast'), { force: true })
    const second = spawnMooring(['--home', home, 'start'], devnet.folder)
    const over = endOf(second, 120_000)
    await eventually('it follows again', STOP_MS, async () => {
      if (second.exitCode !== null) assert.fail((await over).stderr)
      await submit()
      const { chain } = await client.status()
      return chain.height > 0 ? true : undefined
    })
    second.kill('SIGTERM')
    assert.equal((await over).code, 0)
  } finally {
    unmountVolume(guard)
    await devnet.close()
  }
})

test.run()
