import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Database, openDatabase } from '../src/database.ts'

/** Runs the work in a new folder, which is gone afterwards. */
export async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'mooring-storage-'))
  try {
    await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Runs the work on a new chain database, which is closed and gone afterwards. */
export async function withDatabase(
  work: (database: Database, path: string) => Promise<void>,
): Promise<void> {
  await inFolder(async (folder) => {
    const path = join(folder, 'chain')
    const database = await openDatabase(path, { name: 'chain' })
    try {
      await work(database, path)
    } finally {
      await database.close()
    }
  })
}
