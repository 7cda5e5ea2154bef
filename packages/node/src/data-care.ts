// What a running node does for what it keeps: backups, checks of its databases; what of it an operator must
// know; and how it answers for it.

import type { AdminDataHandlers } from '@mooring/api'
import type { Finding } from './alarms.ts'
import type { OpenDatabases } from './backup-create.ts'
import { BackupKeeper } from './backup-keeper.ts'
import { systemClock } from './clock.ts'
import type { NodeOptions } from './load-options.ts'
import type { RootLogger } from './logger.ts'
import type { Metrics } from './metrics.ts'
import { NodeError } from './node-error.ts'
import type { OpenedDatabase, Stores } from './stores.ts'
import { Verification } from './verification.ts'

export interface DataCareGround {
  readonly options: NodeOptions
  readonly logger: RootLogger
  readonly metrics: Metrics
  readonly stores: Stores
}

export interface DataCare {
  readonly answers: AdminDataHandlers
  findings(): Finding[]
  close(): Promise<void>
}

export async function openDataCare({
  options,
  logger,
  metrics,
  stores,
}: DataCareGround): Promise<DataCare> {
  const { chain, blobs } = stores
  const databases = byName(stores.databases)
  const modules = { databases, clock: systemClock, metrics }
  const backups = await BackupKeeper.start(options, {
    ...modules,
    logger: logger.module('backup'),
  })
  const verification = new Verification(options, {
    ...modules,
    chain,
    blobs,
    logger: logger.module('storage'),
  })
  return {
    answers: {
      backups: () => backups.status(),
      beginBackup: async (wish) => {
        await backups.begin(wish)
        return await backups.status()
      },
      verifications: () => verification.status(),
      beginVerification: () => {
        verification.begin()
        return verification.status()
      },
    },
    findings: () => [backups.finding(), verification.finding()].filter((each) => each !== null),
    close: async () => {
      await backups.close()
      await verification.close()
    },
  }
}

function byName(databases: readonly OpenedDatabase[]): OpenDatabases {
  const of = (wanted: OpenedDatabase['name']) => {
    const found = databases.find(({ name }) => name === wanted)
    if (found === undefined) throw new NodeError('internal', {})
    return found.database
  }
  return { chain: of('chain'), records: of('records'), vault: of('vault') }
}
