// Work on a home of which nothing runs.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { openDatabase } from '@mooring/storage'

/**
 * Works on a home whose node and signer are stopped, and keeps them from starting meanwhile.
 * @throws StorageError locked
 */
export async function inStoppedHome<T>(
  { home, dataDir }: { home: string; dataDir: string },
  work: () => Promise<T>,
): Promise<T> {
  const path = join(dataDir, 'chain')
  // Nobody can have started where there is none.
  if (!existsSync(path)) return work()
  const database = await openDatabase(path, { name: 'chain', home })
  try {
    return await work()
  } finally {
    await database.close()
  }
}
