// What is measured of the databases of a node: how long they take, how many files they have, and every
// value that was not what had been written.

import type { Metrics } from './metrics.ts'
import type { OpenedDatabase } from './stores.ts'

export function measureDatabases(databases: readonly OpenedDatabase[], metrics: Metrics): void {
  for (const { database } of databases) {
    database.observe({
      operation: (op, ms) => metrics.dbOperation.observe({ op }, ms / 1_000),
      damaged: () => metrics.dbIntegrityErrors.inc(),
    })
  }
  metrics.beforeScrape(() => {
    for (const { name: db, database } of databases) {
      for (const [level, files] of database.levelFiles().entries())
        metrics.dbLevelFiles.set({ db, level: String(level) }, files)
    }
  })
}
