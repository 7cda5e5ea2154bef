// A temporary folder that goes, whatever this process dies of.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const REAP = 'cat >&2; sleep 2; rm -rf "$0"'

export type Workplace = { folder: string; close: () => Promise<void> }

export async function createWorkplace(): Promise<Workplace> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'mooring-container-')))
  const reaper = spawn('/bin/sh', ['-c', REAP, folder], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  reaper.unref()
  return { folder, close: () => clear(folder, reaper) }
}

async function clear(folder: string, reaper: ChildProcess): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  reaper.ref()
  const gone = once(reaper, 'exit')
  reaper.kill()
  await gone
}
