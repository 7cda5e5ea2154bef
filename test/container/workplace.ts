// A temporary folder that goes, whatever this process dies of.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

// The engine ends with us; what its containers were counted in does not.
const REAP = `
cat >&2; sleep 2; rm -rf "$0"
find /sys/fs/cgroup -depth -type d -path "*/$1*" -exec rmdir {} +`

/** Where containers of this process are counted. */
export const CGROUP = `mooring-test-${process.pid}`

export type Workplace = { folder: string; close: () => Promise<void> }

export async function createWorkplace(): Promise<Workplace> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'mooring-container-')))
  const reaper = spawn('/bin/sh', ['-c', REAP, folder, CGROUP], {
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
