// What a figure was measured on: without it a number is a rumour.

import { execFile } from 'node:child_process'
import { arch, availableParallelism, cpus, platform, release, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
  readonly system: string
  readonly node: string
  readonly commit: string
  /** RFC 3339, UTC. */
  readonly date: string
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

export async function describeMachine(): Promise<Machine> {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()} ${arch()}`,
    node: process.version,
    commit: await commitOf(),
    date: new Date().toISOString(),
  }
}

async function git(...args: string[]): Promise<string> {
  return (await promisify(execFile)('git', args, { cwd: ROOT })).stdout.trim()
}

async function commitOf(): Promise<string> {
  try {
    const commit = await git('rev-parse', '--short=10', 'HEAD')
    const changed = await git('status', '--porcelain', '--', 'packages', 'scripts')
    return changed === '' ? commit : `${commit} with changes`
  } catch {
    return 'unknown'
  }
}
