// Files that are whole or as they were, and are there after a power cut: content first, then the name, then the
// folder that has the name.

import { randomUUID } from 'node:crypto'
import { open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

const OURS_ALONE = 0o600

export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

export async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')) return false
    throw error
  }
}

/** @throws EEXIST, and then nothing is written */
export async function writeNewFile(
  path: string,
  content: string | Uint8Array,
  mode = OURS_ALONE,
): Promise<void> {
  const file = await open(path, 'wx', mode)
  try {
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
  await syncFolder(dirname(path))
}

/**
 * In the place of what is there, if anything is. Whoever writes the same one meanwhile writes to another name: the
 * last to finish is what stays.
 */
export async function replaceFile(
  path: string,
  content: string | Uint8Array,
  mode = OURS_ALONE,
): Promise<void> {
  const beside = `${path}.${randomUUID()}.part`
  try {
    await writeNewFile(beside, content, mode)
    await rename(beside, path)
  } catch (error) {
    await rm(beside, { force: true })
    throw error
  }
  await syncFolder(dirname(path))
}

/** What was made, renamed or removed in it is on the disk. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
