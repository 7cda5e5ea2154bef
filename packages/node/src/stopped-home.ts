// Work on a home of which nothing runs.

import { join } from 'node:path'
import { isThere } from './durable-files.ts'
import { type HomeData, openHomeDatabase } from './home-database.ts'

/**
 * Works on a home whose node and signer are stopped, and keeps them from starting meanwhile.
 * @throws StorageError locked; NodeError home_newer
 */
export async function inStoppedHome<T>(data: HomeData, work: () => Promise<T>): Promise<T> {
  // Nobody can have started where there is none.
  if (!(await isThere(join(data.dataDir, 'chain')))) return work()
  const database = await openHomeDatabase(data, 'chain')
  try {
    return await work()
  } finally {
    await database.close()
  }
}
