// What a node has on disk: the chain database, the custodian's private store, what is kept for other
// custodians, and the vote journal, opened together and closed in reverse.

import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { blockDigest, decodeHeader, type Genesis, genesisState } from '@mooring/ledger'
import {
  AccessStore,
  AccountStore,
  type BlobPlace,
  type BlobStore,
  ChainStore,
  type Database,
  EvidenceStore,
  Guard,
  type Journal,
  type JournalRecord,
  LeafStore,
  LibraryStore,
  LocalBlobs,
  lockHome,
  type Marks,
  type OpenedGuard,
  openBlobStore,
  openDatabase,
  PendingTransactions,
  PrivateStore,
  PrivateValues,
  ShardStore,
} from '@mooring/storage'
import { Amnesia } from './amnesia.ts'
import { prepareHomeFormat, refuseNewerHome } from './home-format.ts'
import { type LostMark, readLostMark } from './lost-mark.ts'
import { finishRenewals } from './renewed-database.ts'
import { inRealSlices } from './time-slices.ts'

export interface StoresOptions {
  home: string
  name: string
  dataDir: string
  /** Where large shards are; else beside the databases. */
  blobs?: BlobPlace
  guardDir: string
  /** Where the high-water marks are; null: in the guard. */
  marksPath?: string | null
  /** The name of the machine, as far as it has one. */
  machine?: string
  /** Put the guard aside, and begin a new one that observes first. */
  rejoin?: boolean
  genesis: Genesis
  genesisDigest: Uint8Array
}

export interface OpenedDatabase {
  readonly name: 'chain' | 'records' | 'vault'
  readonly database: Pick<Database, 'observe' | 'levelFiles' | 'pin'>
}

export interface Stores {
  chain: ChainStore
  pending: PendingTransactions
  records: PrivateStore
  accounts: AccountStore
  /** Small things that the node keeps for itself; see SealedValues. */
  privateValues: PrivateValues
  /** Long shards that wait for holders. */
  uploads: LocalBlobs
  /** What is kept for other custodians. */
  shards: ShardStore
  /** Leaves of their anchored batches. */
  leaves: LeafStore
  /** What this organisation may read elsewhere. */
  manifests: LibraryStore
  /** Who has asked for records here. */
  accesses: AccessStore
  /** Shards that are too long for a database. */
  blobs: BlobStore
  evidence: EvidenceStore
  journal: Journal
  remembered: { records: readonly JournalRecord[]; marks: Marks }
  guard: Pick<Guard, 'memory' | 'floor'>
  amnesia: Amnesia
  /** Where this start put the old guard; null when it did not. */
  guardKeptAt: string | null
  databases: readonly OpenedDatabase[]
  /** Whether a repair gave up a part of what was here. */
  repaired: LostMark
  /** Of the home, before this start brought it to the present one. */
  formatBefore: number
  close(): Promise<void>
}

/** @throws StorageError */
export async function openStores(options: StoresOptions): Promise<Stores> {
  const { home, name, dataDir, genesis, genesisDigest } = options
  const closers: (() => Promise<void>)[] = []
  const close = async (): Promise<void> => {
    for (const closeOne of closers.toReversed()) await closeOne()
  }
  const keep = (database: Database): Database => {
    closers.push(() => database.close())
    return database
  }
  try {
    await refuseNewerHome(dataDir)
    const database = keep(await openDatabase(join(dataDir, 'chain'), { name: 'chain', home }))
    const lock = await lockHome(home, { pid: process.pid, startedAt: Date.now(), name })
    closers.push(() => lock.release())
    const formatBefore = await prepareHomeFormat(dataDir)
    await finishRenewals(dataDir, new Date())
    const repaired = await readLostMark(dataDir)
    const chain = await ChainStore.open(database, {
      genesis: {
        digest: genesisDigest,
        time: genesis.time,
        state: genesisState(genesis).values(),
      },
      decodeHeader: readHeader,
      turns: inRealSlices,
    })
    const privateDatabase = await openDatabase(join(dataDir, 'records'), { name: 'records', home })
    const records = await PrivateStore.open(keep(privateDatabase))
    const accounts = await AccountStore.open(privateDatabase)
    const privateValues = new PrivateValues(privateDatabase)
    const vault = keep(await openDatabase(join(dataDir, 'vault'), { name: 'vault', home }))
    const shards = await ShardStore.open(vault)
    const manifests = new LibraryStore(vault)
    closers.push(() => shards.idle())
    const leaves = new LeafStore(vault)
    closers.push(() => leaves.idle())
    const accesses = await AccessStore.open(vault)
    closers.push(() => accesses.idle())
    const beside = { kind: 'local', directory: join(dataDir, 'blobs') } as const
    const blobs = await openBlobStore(options.blobs ?? beside)
    closers.push(() => blobs.close())
    const { guard, keptAt: guardKeptAt, ...opened } = await openGuard(options)
    closers.push(() => guard.close())
    const { journal } = guard
    const amnesia = new Amnesia({
      guard,
      records: opened.records,
      marks: () => journal.marks,
      nonce: () => 1 + randomBytes(6).readUIntBE(0, 6),
    })
    const remembered = { records: opened.records, marks: opened.marks }
    const pending = new PendingTransactions(database)
    const evidence = await EvidenceStore.open(database)
    const uploads = await LocalBlobs.open({ directory: join(dataDir, 'uploads') })
    closers.push(() => uploads.close())
    const kept = { accounts, privateValues, uploads, shards, leaves, manifests, accesses, blobs }
    const stored = { chain, pending, records, ...kept, evidence, journal, remembered }
    const databases = [
      { name: 'chain', database },
      { name: 'records', database: privateDatabase },
      { name: 'vault', database: vault },
    ] as const
    const state = { guard, amnesia, guardKeptAt, databases, repaired, formatBefore }
    return { ...stored, ...state, close }
  } catch (error) {
    await close()
    throw error
  }
}

function openGuard({ guardDir, marksPath, machine, rejoin }: StoresOptions): Promise<OpenedGuard> {
  return Guard.open({
    directory: guardDir,
    machine: machine ?? '',
    rejoin: rejoin ?? false,
    ...(typeof marksPath === 'string' ? { marksPath } : {}),
  })
}

export function readHeader(
  encoded: Uint8Array,
): ReturnType<typeof decodeHeader> & { digest: Uint8Array } {
  const header = decodeHeader(encoded)
  return { ...header, digest: blockDigest(header) }
}
