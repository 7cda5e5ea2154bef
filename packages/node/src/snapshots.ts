// The snapshots of a running node: taken of agreed heights while it goes on, kept a few, served to others.
//
// The chain is pinned between two commits, so that the state is exactly that of the height; the export
// reads from there as long as it takes. One at a time: a height that comes while an older one is being
// exported has none on this node. A node that catches up takes none of the heights that it runs through.

import { toHex } from '@mooring/codec'
import { type Genesis, parametersOf, type State } from '@mooring/ledger'
import {
  type ChainStore,
  exportSnapshot,
  type PinnedChain,
  type SnapshotManifest,
  tidySnapshots,
} from '@mooring/storage'
import type { Clock } from './clock.ts'
import type { Logger } from './logger.ts'
import { NodeError } from './node-error.ts'
import { windowMsOf } from './snapshot-check.ts'
import { readSnapshots, type SnapshotEntry } from './snapshot-exchange.ts'

export const SNAPSHOTS_KEPT = 3

const FINALITY_POLL_MS = 200
const FINALITY_WAIT_MS = 60_000

export interface SnapshotsOptions {
  folder: string
  genesis: Genesis
  genesisDigest: Uint8Array
}

export interface SnapshotsModules {
  chain: ChainStore
  clock: Clock
  logger: Logger
  /** More than an interval behind the others, as far as is known. */
  isBehind: (height: number, interval: number) => boolean
}

export class Snapshots {
  readonly #options: SnapshotsOptions
  readonly #modules: SnapshotsModules
  #running: Promise<unknown> | null = null
  #isClosed = false

  constructor(options: SnapshotsOptions, modules: SnapshotsModules) {
    this.#options = options
    this.#modules = modules
  }

  get folder(): string {
    return this.#options.folder
  }

  /** Whether the state after this block is to be kept. */
  isDue(height: number, state: Pick<State, 'get'>): boolean {
    if (this.#running !== null || this.#isClosed) return false
    const { snapshotInterval } = parametersOf(state)
    return height % snapshotInterval === 0 && !this.#modules.isBehind(height, snapshotInterval)
  }

  /** Resolves when the state is pinned; the export goes on by itself, and a failure is only told. */
  async begin(): Promise<void> {
    const { pinned, manifest } = this.#start()
    manifest.catch((error: unknown) => {
      this.#modules.logger.error('a snapshot could not be taken', { error })
    })
    await pinned
  }

  /** Of the newest block, now. */
  async create(): Promise<SnapshotEntry> {
    if (this.#running !== null)
      throw new NodeError('not_ready', {
        detail: 'A snapshot is being taken; try again when it is done.',
      })
    const { pinned, manifest } = this.#start()
    const { digest } = await manifest
    const { height } = (await pinned).tip
    const entry = (await this.list()).find((each) => toHex(each.digest) === toHex(digest))
    if (entry === undefined) throw new NodeError('snapshot_unknown', { height })
    return entry
  }

  list(): Promise<SnapshotEntry[]> {
    return readSnapshots(this.#options.folder)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#running?.catch(() => undefined)
  }

  /** Counts as running before the chain is pinned: two exports of one height would share a file. */
  #start(): { pinned: Promise<PinnedChain>; manifest: Promise<SnapshotManifest> } {
    const pinned = this.#modules.chain.pin()
    const manifest = pinned
      .then((chain) => this.#run(chain))
      .finally(() => {
        this.#running = null
      })
    this.#running = manifest
    return { pinned, manifest }
  }

  async #run(pinned: PinnedChain): Promise<SnapshotManifest> {
    const { folder, genesis, genesisDigest } = this.#options
    const { clock, logger, chain } = this.#modules
    const started = clock.monotonic()
    const { height } = pinned.tip
    try {
      const windowMs = windowMsOf(pinned.state(), genesis)
      const manifest = await exportSnapshot(pinned, {
        folder,
        genesisDigest,
        windowMs,
        laterFinality: () => this.#finalityAfter(height, chain),
      })
      const ms = Math.round(clock.monotonic() - started)
      const { values } = manifest.core
      logger.info('snapshot taken', { height, digest: toHex(manifest.digest), values, ms })
      await tidySnapshots(folder, SNAPSHOTS_KEPT)
      return manifest
    } finally {
      await pinned.close()
    }
  }

  /** The next block that was finalized by itself, and the way from its history down to the block. */
  async #finalityAfter(height: number, chain: ChainStore) {
    const { clock } = this.#modules
    const until = clock.monotonic() + FINALITY_WAIT_MS
    while (!this.#isClosed && clock.monotonic() < until) {
      const found = chain.finalizationAtOrAfter(height)
      const header = found === undefined ? undefined : chain.getHeader(found.height)
      if (found !== undefined && header !== undefined) {
        const path = chain.historyPath(height, found.height)
        return { finalization: found.finalization, later: { header, path } }
      }
      await new Promise<void>((resolve) => {
        clock.after(FINALITY_POLL_MS, resolve)
      })
    }
    throw new NodeError('not_ready', { detail: `Block ${height} has no finalization yet.` })
  }
}
