// A home that is in use, with the process that has it named.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { homePaths } from '@mooring/node/home'

// Who has the home already, as the process that has it wrote down.
export async function addHolder(error: unknown, home: string): Promise<unknown> {
  if (!(error instanceof Error && 'code' in error && error.code === 'locked')) return error
  try {
    const text = await readFile(join(homePaths(home).run, 'mooring.pid'), 'utf8')
    const user: { pid: number; startedAt: number; name: string } = JSON.parse(text)
    const since = new Date(user.startedAt).toISOString()
    error.message = `${home} is in use by mooring pid ${user.pid} (started ${since}, node "${user.name}").`
  } catch {
    // The file only informs; without it the lock is no less taken.
    error.message = `${home} is in use by another process.`
  }
  return error
}
