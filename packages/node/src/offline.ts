// Snapshots and pruning of a home whose node does not run, and the making of a chain from a snapshot: what
// a running node does with its own databases, done by a command that opens them.

import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { genesisState } from '@mooring/ledger'
import {
  ChainStore,
  exportSnapshot,
  PrivateStore,
  SnapshotFile,
  snapshotPath,
  type SnapshotManifest,
  tidySnapshots,
  type Tip,
} from '@mooring/storage'
import { type HomeData, openHomeDatabase } from './home-database.ts'
import type { HomeOptions } from './load-options.ts'
import { NodeError } from './node-error.ts'
import { type PrunePlan, type PruningModules, planPruning, runPruning } from './pruning.ts'
import { type SnapshotTrust, windowMsOf } from './snapshot-check.ts'
import { fetchSnapshot, type FetchOptions, type SnapshotSource } from './snapshot-fetch.ts'
import { hasChain, importSnapshot, type ReadOptions, verifySnapshot } from './snapshot-import.ts'
import { SNAPSHOTS_KEPT } from './snapshots.ts'
import { readHeader } from './stores.ts'

/**
 * Takes a snapshot of the newest block of a stopped home.
 * @throws StorageError locked when its node runs
 */
export function createSnapshotOffline(options: HomeOptions): Promise<SnapshotManifest> {
  return withChain(options, async (chain) => {
    const { snapshotsDir: folder, genesis, genesisDigest } = options
    const pinned = await chain.pin()
    try {
      const manifest = await exportSnapshot(pinned, {
        folder,
        genesisDigest,
        windowMs: windowMsOf(chain.state(), genesis),
        laterFinality: () => {
          const detail =
            'The newest block has no finalization of its own; let the node run a moment.'
          return Promise.reject(new NodeError('not_ready', { detail }))
        },
      })
      await tidySnapshots(folder, SNAPSHOTS_KEPT)
      return manifest
    } finally {
      await pinned.close()
    }
  })
}

/** @throws StorageError locked when the node runs */
export function planPruningOffline(options: HomeOptions): Promise<PrunePlan> {
  return withPruning(options, (modules) => planPruning(pruningOf(options), modules))
}

/** @throws StorageError locked when the node runs */
export function runPruningOffline(
  options: HomeOptions,
): Promise<{ plan: PrunePlan; blocks: number }> {
  return withPruning(options, (modules) => runPruning(pruningOf(options), modules))
}

/** All checks of a snapshot file; nothing is kept. */
export async function verifySnapshotFile(
  path: string,
  trust: SnapshotTrust & Pick<ReadOptions, 'onChunk'>,
): Promise<{ tip: Tip; manifest: SnapshotManifest; bytes: number }> {
  const file = await SnapshotFile.open(path)
  const folder = await mkdtemp(join(tmpdir(), 'mooring-verify-'))
  try {
    const tip = await verifySnapshot(file, trust, folder)
    return { tip, manifest: file.manifest, bytes: file.bytes }
  } finally {
    await file.close()
    await rm(folder, { recursive: true, force: true })
  }
}

export type StartOptions = Pick<FetchOptions, 'height' | 'onProgress' | 'onBad'> &
  Pick<ReadOptions, 'onChunk'>

/** Makes the chain of an empty home from a snapshot that others have. */
export async function startHomeFrom(
  options: HomeOptions,
  sources: readonly SnapshotSource[],
  start: StartOptions,
): Promise<Tip> {
  await refuseChain(options)
  const { genesis, genesisDigest, snapshotsDir: folder } = options
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const fetching = { ...start, genesis, genesisDigest, folder }
  return fetchSnapshot(sources, fetching, (path) => startHomeFromFile(options, path, start))
}

/** The same from a file. */
export async function startHomeFromFile(
  options: HomeOptions,
  path: string,
  { onChunk }: Pick<ReadOptions, 'onChunk'> = {},
): Promise<Tip> {
  await refuseChain(options)
  const { genesis, genesisDigest, storage } = options
  const file = await SnapshotFile.open(path)
  try {
    const trust = { genesis, genesisDigest, dataDir: storage.dir }
    return await importSnapshot(file, { ...trust, ...(onChunk && { onChunk }) })
  } finally {
    await file.close()
  }
}

/** Where the snapshot of a height is, or would be. */
export function snapshotFile(folder: string, height: number): string {
  return snapshotPath(folder, height)
}

async function refuseChain({ storage }: HomeOptions): Promise<void> {
  if (!(await hasChain(storage.dir))) return
  throw new NodeError('chain_exists', { path: join(storage.dir, 'chain') })
}

function pruningOf({ home, snapshotsDir, storage, genesis }: HomeOptions) {
  return { home, snapshotsFolder: snapshotsDir, retention: storage.retention, genesis }
}

async function withPruning<T>(
  options: HomeOptions,
  work: (modules: PruningModules) => Promise<T>,
): Promise<T> {
  return withChain(options, async (chain) => {
    const database = await openHomeDatabase(dataOf(options), 'records')
    try {
      const unanchored = await (await PrivateStore.open(database)).unanchored()
      // Where the anchors of the last moment are, a node looks up when it starts.
      const needsBlocks = () => unanchored.length > 0
      return await work({ chain, now: () => Date.now(), needsBlocks })
    } finally {
      await database.close()
    }
  })
}

async function withChain<T>(
  options: HomeOptions,
  work: (chain: ChainStore) => Promise<T>,
): Promise<T> {
  const { genesis, genesisDigest } = options
  const database = await openHomeDatabase(dataOf(options), 'chain')
  try {
    const chain = await ChainStore.open(database, {
      genesis: { digest: genesisDigest, time: genesis.time, state: genesisState(genesis).values() },
      decodeHeader: readHeader,
    })
    return await work(chain)
  } finally {
    await database.close()
  }
}

function dataOf({ home, storage }: HomeOptions): HomeData {
  return { home, dataDir: storage.dir }
}
