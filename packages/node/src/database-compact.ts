// The databases of a stopped home without the room that deleted and replaced values take.

import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type DatabaseName, DATABASES } from './backup-format.ts'
import { openHomeDatabase } from './home-database.ts'
import type { HomeOptions } from './load-options.ts'

export interface Compacted {
  name: DatabaseName
  before: number
  after: number
}

const FIRST = new Uint8Array(0)
const LAST = new Uint8Array(64).fill(0xff)

/** @throws StorageError locked when the node runs; corrupt when a database does not hold */
export async function compactDatabases({
  home,
  storage,
}: Pick<HomeOptions, 'home' | 'storage'>): Promise<Compacted[]> {
  const compacted: Compacted[] = []
  for (const name of DATABASES) {
    const path = join(storage.dir, name)
    const before = await sizeOf(path)
    if (before === null) continue
    // All of its files are checked: compacting a damaged one loses what is around the damage.
    const database = await openHomeDatabase({ home, dataDir: storage.dir }, name, {
      checkedBytesMax: Number.POSITIVE_INFINITY,
    })
    try {
      await database.compact(FIRST, LAST)
    } finally {
      await database.close()
    }
    compacted.push({ name, before, after: (await sizeOf(path)) ?? 0 })
  }
  return compacted
}

async function sizeOf(folder: string): Promise<number | null> {
  try {
    let bytes = 0
    for (const name of await readdir(folder)) bytes += (await stat(join(folder, name))).size
    return bytes
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}
