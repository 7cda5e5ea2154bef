// Everything that a home keeps, read and compared with what it must be: the files of the databases with
// their checksums, every value with its digest, the chain with itself and with the certificates of its
// authorities, large shards with their names, snapshots with their manifests, the vote journal with its
// records. All that does not hold is told, not the first of it alone; what could name a record never is.
//
// Two ways in: the home of a stopped node, opened here, or the databases of a running one, pinned so that
// the check sees one moment however long it takes. Files and guard are looked at only in the first: of a
// running node they change under the eyes, and were checked when it started.

import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toHex } from '@mooring/codec'
import { genesisState } from '@mooring/ledger'
import {
  type BlobStore,
  ChainStore,
  checkEntries,
  type Database,
  type EntriesCheck,
  faultsOfLevel,
  Journal,
  listSnapshots,
  openBlobStore,
  type PinnedDatabase,
  SnapshotFile,
  snapshotPath,
  StorageError,
  tipOf,
  verifyChain,
} from '@mooring/storage'
import { type DatabaseName, DATABASES } from './backup-format.ts'
import { checkBlocks } from './block-check.ts'
import { isThere } from './durable-files.ts'
import { catalogEntry } from './errors.ts'
import { openHomeDatabase } from './home-database.ts'
import type { NodeOptions } from './load-options.ts'
import { readHeader } from './stores.ts'

export type CheckedPart = DatabaseName | 'blobs' | 'guard' | 'snapshots'

export interface DatabaseFinding {
  database: CheckedPart
  code: string
  /** A file, or a key in words. */
  what: string
  detail: string
}

export interface DatabaseCheck {
  height: number | null
  digest: string | null
  stateRoot: string | null
  blocks: number
  transactions: number
  values: number
  blobs: number
  findings: DatabaseFinding[]
  damaged: number
}

export type CheckOptions = Pick<
  NodeOptions,
  'home' | 'genesis' | 'genesisDigest' | 'storage' | 'consensus' | 'snapshotsDir' | 'blobs'
>

export type PinnedDatabases = Readonly<Record<DatabaseName, PinnedDatabase>>

const FINDINGS_MAX = 1_000
const PIECE_BYTES = 4 * 1024 * 1024

/** Of a stopped home. @throws StorageError locked when its node runs */
export async function checkHomeData(options: CheckOptions): Promise<DatabaseCheck> {
  const check = new Check()
  const data = { home: options.home, dataDir: options.storage.dir }
  for (const name of DATABASES) {
    const path = join(options.storage.dir, name)
    if (!(await isThere(path))) continue
    const isSound = await check.guarded(name, name, async () => {
      for (const { file, fault } of await faultsOfLevel(path)) {
        check.add({ database: name, code: 'corrupt', what: file, detail: fault })
      }
    })
    // Opening writes, and what is damaged is not written to by who only looks.
    if (!isSound || check.result.findings.some(({ database }) => database === name)) continue
    await check.guarded(name, name, async () => {
      const database = await openHomeDatabase(data, name, { checkedBytesMax: 0 })
      try {
        await (name === 'chain'
          ? checkChainDatabase(check, options, database)
          : checkValues(check, name, database))
      } finally {
        await database.close()
      }
    })
  }
  if (await isThere(options.storage.dir)) {
    const store = await openBlobStore(options.blobs)
    try {
      await checkBlobs(check, options, store)
    } finally {
      await store.close()
    }
  }
  await checkGuard(check, options)
  await checkSnapshots(check, options.snapshotsDir)
  return check.result
}

/** Of a running node; what is given is pinned, and closed by who gave it. */
export async function checkPinnedData(
  options: CheckOptions,
  { chain, pinned, blobs }: { chain: ChainStore; pinned: PinnedDatabases; blobs: BlobStore },
): Promise<DatabaseCheck> {
  const check = new Check()
  await check.guarded('chain', 'chain', () => checkChainValues(check, options, pinned.chain))
  const blocks = await chain.pin()
  try {
    await checkBlocksOf(check, options, { pinned: blocks, prunedTo: chain.prunedTo })
  } finally {
    await blocks.close()
  }
  await checkValues(check, 'records', pinned.records)
  await checkValues(check, 'vault', pinned.vault)
  await checkBlobs(check, options, blobs)
  await checkSnapshots(check, options.snapshotsDir)
  return check.result
}

/** What has been found so far. */
class Check {
  readonly result: DatabaseCheck = {
    height: null,
    digest: null,
    stateRoot: null,
    blocks: 0,
    transactions: 0,
    values: 0,
    blobs: 0,
    findings: [],
    damaged: 0,
  }

  add(finding: DatabaseFinding): void {
    this.result.damaged += 1
    if (this.result.findings.length < FINDINGS_MAX) this.result.findings.push(finding)
  }

  problem(database: CheckedPart, error: StorageError, what: string): void {
    const { details } = error
    const named = String(details['key'] ?? details['file'] ?? what)
    const title = catalogEntry(error.code)?.title ?? error.code
    this.add({ database, code: error.code, what: named, detail: `${title}: ${error.message}` })
  }

  /** Whether it held. A home in use is no finding, and no error of the disk is hidden. */
  async guarded(
    database: CheckedPart,
    what: string,
    work: () => Promise<void> | void,
  ): Promise<boolean> {
    try {
      await work()
      return true
    } catch (error) {
      if (!(error instanceof StorageError) || error.code === 'locked') throw error
      this.problem(database, error, what)
      return false
    }
  }
}

async function checkChainDatabase(
  check: Check,
  options: CheckOptions,
  database: Database,
): Promise<void> {
  const { genesis, genesisDigest } = options
  await checkChainValues(check, options, database)
  await check.guarded('chain', 'chain', async () => {
    const chain = await ChainStore.open(database, {
      genesis: { digest: genesisDigest, time: genesis.time, state: genesisState(genesis).values() },
      decodeHeader: readHeader,
    })
    const pinned = await chain.pin()
    try {
      await checkBlocksOf(check, options, { pinned, prunedTo: chain.prunedTo })
    } finally {
      await pinned.close()
    }
  })
}

/** The chain with itself; a database that has none yet is none. */
async function checkChainValues(
  check: Check,
  { genesis, genesisDigest }: CheckOptions,
  database: Database | PinnedDatabase,
): Promise<void> {
  const { result } = check
  await check.guarded('chain', 'tip', () => {
    const tip = tipOf(database)
    result.height = tip.height
    result.digest = toHex(tip.digest)
    result.stateRoot = toHex(tip.stateRoot)
  })
  const found = await verifyChain(database, {
    genesis: { digest: genesisDigest, time: genesis.time, state: genesisState(genesis).values() },
    decodeHeader: readHeader,
  })
  result.blocks += found.blocks
  result.transactions += found.transactions
  result.values += found.stateValues
  for (const error of found.problems) check.problem('chain', error, 'chain')
}

async function checkBlocksOf(
  check: Check,
  { genesis, genesisDigest }: CheckOptions,
  chain: Pick<Parameters<typeof checkBlocks>[0], 'pinned' | 'prunedTo'>,
): Promise<void> {
  const wanted = { ...chain, genesis, genesisDigest, blocks: Number.POSITIVE_INFINITY }
  for await (const { height, fault } of checkBlocks(wanted)) {
    check.add({ database: 'chain', code: 'corrupt', what: `block ${height}`, detail: fault })
  }
}

async function checkValues(
  check: Check,
  name: 'records' | 'vault',
  database: Database | PinnedDatabase,
): Promise<void> {
  const found: EntriesCheck = await checkEntries(database)
  check.result.values += found.entries
  for (const error of found.problems) check.problem(name, error, name)
  check.result.damaged += found.damaged - found.problems.length
}

async function checkBlobs(check: Check, { blobs }: CheckOptions, store: BlobStore): Promise<void> {
  await check.guarded('blobs', 'the blob store', async () => {
    for await (const id of store.list()) {
      await check.guarded('blobs', `blob ${toHex(id)}`, async () => {
        const size = (await store.stat(id))?.size
        // Erased since it was listed.
        if (size === undefined) return
        check.result.blobs += 1
        // What is in a bucket is not fetched as a whole: its index shows that it is there.
        if (blobs.kind !== 'local') return
        for (let at = 0; at < size; at += PIECE_BYTES) {
          await store.read(id, at, Math.min(PIECE_BYTES, size - at))
        }
      })
    }
  })
}

/** A copy is opened, for opening writes. */
async function checkGuard(check: Check, { storage, consensus }: CheckOptions): Promise<void> {
  if (!(await isThere(join(storage.guardDir, 'votes')))) return
  const folder = await mkdtemp(join(tmpdir(), 'mooring-guard-'))
  try {
    const directory = join(folder, 'guard')
    await cp(storage.guardDir, directory, { recursive: true })
    const marks = consensus.marksPath === null ? null : join(folder, 'signer.state')
    if (marks !== null && consensus.marksPath !== null && (await isThere(consensus.marksPath))) {
      await cp(consensus.marksPath, marks)
    }
    await check.guarded('guard', 'vote journal', async () => {
      const where = marks === null ? {} : { marksPath: marks }
      const { journal } = await Journal.open({ directory, ...where })
      await journal.close()
    })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function checkSnapshots(check: Check, folder: string): Promise<void> {
  if (!(await isThere(folder))) return
  for (const height of await listSnapshots(folder)) {
    await check.guarded('snapshots', `snapshot ${height}`, async () => {
      const file = await SnapshotFile.open(snapshotPath(folder, height))
      try {
        for (let index = 0; index < file.chunkCount; index += 1) await file.chunk(index)
      } finally {
        await file.close()
      }
    })
  }
}

/** For a text: one line a finding. */
export function describeFinding({ database, what, detail }: DatabaseFinding): string {
  return `${database.padEnd(9)}  ${what}: ${detail}`
}
