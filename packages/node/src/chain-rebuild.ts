// A chain database that is made anew beside the one that is there, and put in its place. The old one goes to
// data/trash/ as it is; nothing there is ever opened or deleted by a node. The guard is not touched: whoever
// votes afterwards does so with the same memory.
//
// Between the two renames a power cut leaves a home without a chain: its node begins at genesis, or where
// `[sync] mode` says, and fetches what was there.

import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Genesis, genesisState } from '@mooring/ledger'
import {
  ChainStore,
  copyBeside,
  type Database,
  listSnapshots,
  openDatabase,
  SnapshotFile,
  snapshotPath,
  StorageError,
  storedBlocks,
} from '@mooring/storage'
import { replayChain, type Replayed } from './chain-replay.ts'
import { syncFolder } from './durable-files.ts'
import { openHomeDatabase } from './home-database.ts'
import type { HomeOptions } from './load-options.ts'
import { importSnapshot } from './snapshot-import.ts'
import { readHeader } from './stores.ts'
import { moveToTrash } from './trash.ts'

export type ChainHome = Pick<
  HomeOptions,
  'home' | 'storage' | 'genesis' | 'genesisDigest' | 'snapshotsDir'
>

/** Where the blocks are executed from. */
export type RebuildStart = { from: 'genesis' } | { from: 'snapshot'; height: number }

export interface Rebuilt extends Replayed {
  start: RebuildStart
  /** Where the old database is now. */
  trash: string
}

const STAGING = 'rebuilding'

/**
 * From the beginning where all bodies are there, else from the newest good snapshot at or below the height.
 * Null when there is neither.
 */
export async function startFor(
  { snapshotsDir }: ChainHome,
  { height, prunedTo }: { height: number; prunedTo: number },
): Promise<RebuildStart | null> {
  if (prunedTo === 0) return { from: 'genesis' }
  const snapshots = await listSnapshots(snapshotsDir)
  const usable = snapshots.find((at) => at <= height && at >= prunedTo)
  return usable === undefined ? null : { from: 'snapshot', height: usable }
}

export interface RebuildPlan {
  start: RebuildStart
  /** The last block that is to be in it. */
  to: number
  /** For the name in the trash. */
  tip: number | null
  now: Date
  onHeight?: (height: number) => void
  /** Whether its blocks are executed; else only what is beside them is taken over. */
  isReplayed?: boolean
  /** Throws when what came out is not good enough; then everything stays as it was. */
  accept?: (replayed: Replayed) => void
}

/**
 * With the blocks of the old database, as far as they are good; without one, with nothing but the start.
 * Closes the old database.
 */
export async function rebuildChain(
  home: ChainHome,
  old: Database | null,
  { start, to, tip, now, onHeight, accept, isReplayed = true }: RebuildPlan,
): Promise<Rebuilt> {
  const { dir } = home.storage
  const staging = join(dir, STAGING)
  await rm(staging, { recursive: true, force: true })
  await mkdir(staging, { recursive: true, mode: 0o700 })
  try {
    await beginChain(home, staging, start)
    const replayed = await fillChain(home, staging, old, {
      to: isReplayed ? to : 0,
      ...(onHeight && { onHeight }),
    })
    accept?.(replayed)
    await old?.close()
    const name = `chain-${tip === null ? 'unread' : `h${tip}`}`
    const trash = await moveToTrash(home.storage.dir, 'chain', { name, now })
    await rename(join(staging, 'chain'), join(dir, 'chain'))
    await syncFolder(dir)
    return { ...replayed, start, trash }
  } finally {
    await rm(staging, { recursive: true, force: true })
  }
}

async function beginChain(home: ChainHome, staging: string, start: RebuildStart): Promise<void> {
  if (start.from === 'genesis') return
  const { genesis, genesisDigest, snapshotsDir } = home
  const file = await SnapshotFile.open(snapshotPath(snapshotsDir, start.height))
  try {
    await importSnapshot(file, { genesis, genesisDigest, dataDir: staging })
  } finally {
    await file.close()
  }
}

async function fillChain(
  { genesis, genesisDigest }: ChainHome,
  staging: string,
  old: Database | null,
  plan: { to: number; onHeight?: (height: number) => void },
): Promise<Replayed> {
  const database = await openDatabase(join(staging, 'chain'), { name: 'chain' })
  try {
    const chain = await openChainStore(database, { genesis, genesisDigest })
    if (old === null) return { height: chain.tip.height, fault: null }
    await copyBeside(old, database)
    return await replayChain(storedBlocks(old), chain, { genesisDigest, ...plan })
  } finally {
    await database.close()
  }
}

export function openChainStore(
  database: Database,
  { genesis, genesisDigest }: { genesis: Genesis; genesisDigest: Uint8Array },
): Promise<ChainStore> {
  return ChainStore.open(database, {
    genesis: { digest: genesisDigest, time: genesis.time, state: genesisState(genesis).values() },
    decodeHeader: readHeader,
  })
}

/** The old database as far as it opens at all; null when it does not. */
export async function openDamaged(home: ChainHome): Promise<Database | null> {
  try {
    return await openHomeDatabase({ home: home.home, dataDir: home.storage.dir }, 'chain', {
      checkedBytesMax: 0,
    })
  } catch (error) {
    if (error instanceof StorageError && error.code !== 'locked') return null
    throw error
  }
}
