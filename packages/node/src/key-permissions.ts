// Files of a home that hold secrets, and that somebody besides their owner may read.

import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { HomePaths } from './home.ts'

export interface OpenFile {
  path: string
  /** The mode that it should have. */
  wanted: number
}

const OTHERS = 0o077

/** The folders themselves as well: who may list keys/ learns what there is to look for. */
export async function keyFilesOpen({ home, keys, guard }: HomePaths): Promise<OpenFile[]> {
  const open: OpenFile[] = []
  const look = async (path: string, forbidden: number): Promise<void> => {
    const mode = await modeOf(path)
    if (mode !== undefined && (mode & forbidden) !== 0)
      open.push({ path, wanted: mode & ~forbidden })
  }
  await look(home, 0o027)
  for (const folder of [keys, guard]) {
    await look(folder, OTHERS)
    for (const name of await filesIn(folder)) await look(join(folder, name), OTHERS)
  }
  return open
}

async function modeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mode & 0o777
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

async function filesIn(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true, recursive: true })
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}
