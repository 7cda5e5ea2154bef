// The databases of a home for whoever works on it while its node is stopped. A home of a newer format is refused
// before anything is opened, for opening writes. Who has the chain has the lock of the home, and ends a rewrite
// of the other databases that the power has cut short.

import { join } from 'node:path'
import { type Database, type DatabaseOptions, openDatabase } from '@mooring/storage'
import type { DatabaseName } from './backup-format.ts'
import { refuseNewerHome } from './home-format.ts'
import { finishRenewals } from './renewed-database.ts'

export interface HomeData {
  readonly home: string
  readonly dataDir: string
}

/** @throws NodeError home_newer; StorageError locked when the node runs */
export async function openHomeDatabase(
  { home, dataDir }: HomeData,
  name: DatabaseName,
  options: Pick<DatabaseOptions, 'checkedBytesMax'> = {},
): Promise<Database> {
  await refuseNewerHome(dataDir)
  const database = await openDatabase(join(dataDir, name), { ...options, name, home })
  if (name !== 'chain') return database
  try {
    await finishRenewals(dataDir, new Date())
    return database
  } catch (error) {
    await database.close()
    throw error
  }
}
