// What a node has on disk: the chain database, the custodian's private store, and the vote journal,
// opened together and closed in reverse.

import { join } from 'node:path'
import { blockDigest, decodeHeader, type Genesis, genesisState } from '@mooring/ledger'
import {
  ChainStore,
  type Database,
  Journal,
  type JournalRecord,
  lockHome,
  type Marks,
  openDatabase,
  PendingTransactions,
  PrivateStore,
} from '@mooring/storage'

export interface StoresOptions {
  home: string
  name: string
  dataDir: string
  guardDir: string
  genesis: Genesis
  genesisDigest: Uint8Array
}

export interface Stores {
  chain: ChainStore
  pending: PendingTransactions
  records: PrivateStore
  journal: Journal
  remembered: { records: readonly JournalRecord[]; marks: Marks }
  close(): Promise<void>
}

/** @throws StorageError */
export async function openStores(options: StoresOptions): Promise<Stores> {
  const { home, name, dataDir, guardDir, genesis, genesisDigest } = options
  const closers: (() => Promise<void>)[] = []
  const close = async (): Promise<void> => {
    for (const closeOne of closers.toReversed()) await closeOne()
  }
  const keep = (database: Database): Database => {
    closers.push(() => database.close())
    return database
  }
  try {
    const database = keep(await openDatabase(join(dataDir, 'chain'), { name: 'chain', home }))
    const lock = await lockHome(home, { pid: process.pid, startedAt: Date.now(), name })
    closers.push(() => lock.release())
    const chain = await ChainStore.open(database, {
      genesis: {
        digest: genesisDigest,
        time: genesis.time,
        state: genesisState(genesis).values(),
      },
      decodeHeader: readHeader,
    })
    const privateDatabase = await openDatabase(join(dataDir, 'records'), { name: 'records', home })
    const records = await PrivateStore.open(keep(privateDatabase))
    const { journal, ...remembered } = await Journal.open({ directory: guardDir })
    closers.push(() => journal.close())
    const pending = new PendingTransactions(database)
    return { chain, pending, records, journal, remembered, close }
  } catch (error) {
    await close()
    throw error
  }
}

export function readHeader(
  encoded: Uint8Array,
): ReturnType<typeof decodeHeader> & { digest: Uint8Array } {
  const header = decodeHeader(encoded)
  return { ...header, digest: blockDigest(header) }
}
