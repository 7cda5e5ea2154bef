// One program at a time in a file that people's commands change: a file beside it names the process.
//
// A lock whose process is gone, or that is older than the running system, was left by a crash, and is
// taken over: moved away under a name of its own first, so that of two who notice at once only one
// gets it.

import { randomUUID } from 'node:crypto'
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { uptime } from 'node:os'
import { hasCode } from './durable-files.ts'

// For the moment between the making of a lock and its content.
const TRIES_MAX = 20
const TRY_MS = 50
// A clock that was set right after the start.
const CLOCK_STEP_MS = 60_000

export type FileLock = { release: () => Promise<void> } | { heldBy: number }

/** Of the file at the path, for this process, or the process that has it. */
export async function lockFile(path: string): Promise<FileLock> {
  const lock = `${path}.lock`
  const content = `${process.pid} ${randomUUID()}\n`
  for (let tries = 0; ; tries += 1) {
    if (await isMade(lock, content)) return { release: () => release(lock, content) }
    const found = await contentOf(lock)
    if (found === undefined) continue
    const pid = Number(/^(\d+) /.exec(found)?.[1] ?? 0)
    if (pid > 0 && isAlive(pid) && (await isOfThisBoot(lock))) return { heldBy: pid }
    if (pid > 0 || tries >= TRIES_MAX) await takeAway(lock, found)
    else await new Promise((resolve) => setTimeout(resolve, TRY_MS))
  }
}

async function isMade(lock: string, content: string): Promise<boolean> {
  try {
    await writeFile(lock, content, { flag: 'wx', mode: 0o600 })
    return true
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false
    throw error
  }
}

async function release(lock: string, content: string): Promise<void> {
  if ((await contentOf(lock)) === content) await rm(lock, { force: true })
}

async function takeAway(lock: string, content: string): Promise<void> {
  const away = `${lock}.${randomUUID()}`
  try {
    await rename(lock, away)
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return
    throw error
  }
  const isLeftOver = (await contentOf(away)) === content
  // Somebody was faster, and this is the new lock: back to its place.
  if (isLeftOver) await rm(away, { force: true })
  else await rename(away, lock)
}

async function contentOf(lock: string): Promise<string | undefined> {
  try {
    return await readFile(lock, 'utf8')
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  }
}

// After a restart of the computer, the number may be that of any program.
async function isOfThisBoot(lock: string): Promise<boolean> {
  try {
    const { mtimeMs } = await stat(lock)
    return mtimeMs >= Date.now() - uptime() * 1_000 - CLOCK_STEP_MS
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return true
    throw error
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return !hasCode(error, 'ESRCH')
  }
}
