// What is in the databases of a stopped home, without reading all of it: formats, sizes, where the chain
// begins and ends, which snapshots are kept, and what waits in the trash.

import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { toHex } from '@mooring/codec'
import { type Database, formatOf, listSnapshots, storedBlocks } from '@mooring/storage'
import { type DatabaseName, DATABASES } from './backup-format.ts'
import { openHomeDatabase } from './home-database.ts'
import { trashOf } from './trash.ts'
import { HOME_FORMAT, readHomeFormat } from './home-format.ts'
import type { HomeOptions } from './load-options.ts'

export interface DatabaseInfo {
  home: { format: number | null; known: number; writtenBy: string | null }
  databases: { name: DatabaseName; format: number; files: number; bytes: number }[]
  chain: {
    height: number
    digest: string
    stateRoot: string
    time: string
    base: number
    prunedTo: number
  } | null
  snapshots: number[]
  trash: { path: string; bytes: number }[]
}

export type InfoOptions = Pick<HomeOptions, 'home' | 'storage' | 'snapshotsDir'>

/** @throws StorageError locked when the node runs */
export async function databaseInfo(options: InfoOptions): Promise<DatabaseInfo> {
  const { home, storage, snapshotsDir } = options
  const found = await readHomeFormat(storage.dir)
  const info: DatabaseInfo = {
    home: { format: found?.format ?? null, known: HOME_FORMAT, writtenBy: found?.mooring ?? null },
    databases: [],
    chain: null,
    snapshots: await listSnapshots(snapshotsDir),
    trash: [],
  }
  for (const name of DATABASES) {
    const path = join(storage.dir, name)
    const { files, bytes } = await sizeOf(path)
    if (files === 0) continue
    const database = await openHomeDatabase({ home, dataDir: storage.dir }, name, {
      checkedBytesMax: 0,
    })
    try {
      info.databases.push({ name, format: formatOf(database), files, bytes })
      if (name === 'chain') info.chain = chainOf(database)
    } finally {
      await database.close()
    }
  }
  for (const name of await namesIn(trashOf(options.storage.dir))) {
    const path = join(trashOf(options.storage.dir), name)
    info.trash.push({ path, bytes: (await sizeOf(path)).bytes })
  }
  return info
}

function chainOf(database: Database): DatabaseInfo['chain'] {
  const { tip, floor } = storedBlocks(database)
  if (tip === undefined) return null
  return {
    height: tip.height,
    digest: toHex(tip.digest),
    stateRoot: toHex(tip.stateRoot),
    time: new Date(tip.time).toISOString(),
    base: floor?.height ?? 0,
    prunedTo: floor?.prunedTo ?? 0,
  }
}

async function sizeOf(folder: string): Promise<{ files: number; bytes: number }> {
  const size = { files: 0, bytes: 0 }
  for (const name of await namesIn(folder, true)) {
    const found = await stat(join(folder, name))
    if (!found.isFile()) continue
    size.files += 1
    size.bytes += found.size
  }
  return size
}

async function namesIn(folder: string, recursive = false): Promise<string[]> {
  try {
    return (await readdir(folder, { recursive })).toSorted()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}
