// run/mooring.pid: which process uses a home, since when and under what name. It only informs;
// whether a home is in use is decided by LevelDB's lock on the databases, which the kernel releases
// however a process ends. So a file left by a crash is simply replaced.

import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { storageErrorOf } from './errors.ts'

export interface HomeUser {
  pid: number
  /** Milliseconds since the Unix epoch. */
  startedAt: number
  name: string
}

export interface HomeLock {
  /** Removes the file, unless it has become that of another process. */
  release(): Promise<void>
}

/** To be called once the databases are open. */
export async function lockHome(home: string, user: HomeUser): Promise<HomeLock> {
  const path = pidFile(home)
  try {
    await mkdir(join(home, 'run'), { recursive: true, mode: 0o700 })
    const temporary = `${path}.${user.pid}`
    await writeFile(temporary, `${JSON.stringify(user)}\n`, { mode: 0o600 })
    await rename(temporary, path)
  } catch (error) {
    throw storageErrorOf(error, 'the pid file cannot be written', path)
  }
  return {
    async release() {
      const current = await readHomeUser(home)
      if (current?.pid === user.pid && current.startedAt === user.startedAt) {
        await rm(path, { force: true })
      }
    },
  }
}

/** Undefined when nobody left a readable file. */
export async function readHomeUser(home: string): Promise<HomeUser | undefined> {
  let user: unknown
  try {
    user = JSON.parse(await readFile(pidFile(home), 'utf8'))
  } catch {
    return undefined
  }
  return isHomeUser(user) ? user : undefined
}

function pidFile(home: string): string {
  return join(home, 'run', 'mooring.pid')
}

function isHomeUser(value: unknown): value is HomeUser {
  return (
    typeof value === 'object' &&
    value !== null &&
    'pid' in value &&
    Number.isSafeInteger(value.pid) &&
    'startedAt' in value &&
    Number.isSafeInteger(value.startedAt) &&
    'name' in value &&
    typeof value.name === 'string'
  )
}
