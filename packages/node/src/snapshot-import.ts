// A chain from a snapshot: checked as it is read, written beside its place, and moved there when all of
// it held. An import that was cut short leaves a folder that the next one throws away.

import { mkdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { equalBytes } from '@mooring/codec'
import { MerkleFrontier } from '@mooring/crypto'
import {
  type DecodedBlock,
  decodeBlock,
  decodeTransaction,
  encodeReceipts,
  receiptOf,
} from '@mooring/ledger'
import {
  ChainImport,
  type Database,
  decodeBlocks,
  decodeValues,
  frontierAfter,
  openDatabase,
  type SnapshotFile,
  StorageError,
  type Tip,
} from '@mooring/storage'
import { syncFolder } from './durable-files.ts'
import {
  type CheckedManifest,
  checkManifest,
  readingAs,
  refused,
  type SnapshotTrust,
  windowMsOf,
} from './snapshot-check.ts'
import { readHeader } from './stores.ts'

export interface ReadOptions extends SnapshotTrust {
  /** Called after each chunk. */
  onChunk?: (done: number, total: number) => void
}

export interface ImportOptions extends ReadOptions {
  dataDir: string
}

/** Whether a home has a chain already, of whatever height. */
export async function hasChain(dataDir: string): Promise<boolean> {
  try {
    await stat(join(dataDir, 'chain', 'CURRENT'))
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false
    throw error
  }
}

/**
 * Makes the chain of an empty home from the snapshot.
 * @throws NodeError snapshot_refused; then there is no chain
 */
export async function importSnapshot(file: SnapshotFile, options: ImportOptions): Promise<Tip> {
  const { dataDir } = options
  const staging = join(dataDir, 'chain.importing')
  await rm(staging, { recursive: true, force: true })
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  const database = await openDatabase(staging, { name: 'chain' })
  let tip: Tip
  try {
    tip = await readSnapshot(file, options, database)
  } catch (error) {
    await database.close()
    await rm(staging, { recursive: true, force: true })
    throw error
  }
  await database.close()
  await rename(staging, join(dataDir, 'chain'))
  await syncFolder(dataDir)
  return tip
}

/**
 * The same checks on a chain that is thrown away.
 * @throws NodeError snapshot_refused
 */
export async function verifySnapshot(
  file: SnapshotFile,
  trust: ReadOptions,
  folder: string,
): Promise<Tip> {
  const database = await openDatabase(folder, { name: 'chain' })
  try {
    return await readSnapshot(file, trust, database)
  } finally {
    await database.close()
  }
}

async function readSnapshot(
  file: SnapshotFile,
  options: ReadOptions,
  database: Database,
): Promise<Tip> {
  const checked = checkManifest(file.encodedManifest, options)
  const { core } = checked.manifest
  const { base, frontier } = core
  const importing = await ChainImport.open(database, readHeader, {
    genesisDigest: options.genesisDigest,
    base,
    frontier: { size: base.height + 1, digests: frontier },
  })
  const first = await importWindow(file, checked, importing, options)
  await importState(file, checked, importing, options)
  const state = await importing.state()
  if (!equalBytes(state.root, checked.header.stateRoot)) {
    throw refused('state', 'its values are not the state of the block')
  }
  const windowMs = windowMsOf(state, options.genesis)
  if (core.base.height > 0 && first.time > checked.header.time - windowMs) {
    throw refused('window', `its first block is less than ${windowMs} ms older than its last`)
  }
  return importing.finish(checked.epochs)
}

async function importWindow(
  file: SnapshotFile,
  { manifest, header, epochs }: CheckedManifest,
  importing: ChainImport,
  options: ReadOptions,
): Promise<{ time: number }> {
  const { core, finalization, later } = manifest
  const { base, frontier, stateChunks } = core
  const digests: Uint8Array[] = []
  let first: { time: number } | undefined
  const certificates = new Map(epochs.map((ended) => [ended.height, ended.finalization]))
  if (later === null) certificates.set(header.height, finalization)
  for (let index = stateChunks.length; index < file.chunkCount; index += 1) {
    const encoded = decodeChunk(await chunkAt(file, index), decodeBlocks)
    const decoded = encoded.map((block) => checkedBlock(block, options))
    for (const block of decoded) {
      first ??= block.header
      digests.push(block.digest)
    }
    await inWindow(() =>
      importing.addBlocks(
        decoded.map((block, at) => ({
          block: encoded[at] ?? block.encodedHeader,
          header: block.encodedHeader,
          digest: block.digest,
          finalization: certificates.get(block.header.height) ?? null,
          ...outcomeOf(block, options),
        })),
      ),
    )
    await nextTurn()
    options.onChunk?.(index - stateChunks.length + 1, file.chunkCount)
  }
  const last = digests.pop()
  if (
    first === undefined ||
    last === undefined ||
    !equalBytes(last, readHeader(core.header).digest)
  ) {
    throw refused('window', 'its blocks do not end with the block')
  }
  const grown = frontierAfter({ size: base.height + 1, digests: frontier }, digests)
  if (!equalBytes(MerkleFrontier.from(grown.size, grown.digests).root(), header.historyRoot)) {
    throw refused('history', 'its blocks and what is below are not the history of the block')
  }
  return first
}

async function importState(
  file: SnapshotFile,
  { manifest }: CheckedManifest,
  importing: ChainImport,
  options: ReadOptions,
): Promise<void> {
  const { stateChunks, blockChunks, values } = manifest.core
  let count = 0
  let last: Buffer = Buffer.alloc(0)
  for (const index of stateChunks.keys()) {
    const chunk = decodeChunk(await chunkAt(file, index), decodeValues)
    for (const { key } of chunk) {
      const next = Buffer.from(key.buffer, key.byteOffset, key.byteLength)
      if (Buffer.compare(last, next) >= 0)
        throw refused('state', 'its values are not in the order of their keys')
      last = next
    }
    count += chunk.length
    await importing.addValues(chunk)
    await nextTurn()
    options.onChunk?.(blockChunks.length + index + 1, file.chunkCount)
  }
  if (count !== values) throw refused('state', `it has ${count} values and tells of ${values}`)
}

function checkedBlock(encoded: Uint8Array, { genesisDigest }: SnapshotTrust): DecodedBlock {
  const block = readingAs('window', () => decodeBlock(encoded))
  if (!equalBytes(block.header.genesisDigest, genesisDigest))
    throw refused('window', `block ${block.header.height} is of another network`)
  return block
}

function outcomeOf(block: DecodedBlock, { genesisDigest }: SnapshotTrust) {
  const transactions = readingAs('window', () =>
    block.transactions.map((encoded) => decodeTransaction(encoded, genesisDigest)),
  )
  return {
    receipts: encodeReceipts(transactions.map(receiptOf)),
    transactionIds: transactions.map(({ id }) => id),
  }
}

function decodeChunk<T>(chunk: Uint8Array, read: (chunk: Uint8Array) => T): T {
  return readingAs('chunk', () => read(chunk))
}

async function chunkAt(file: SnapshotFile, index: number): Promise<Uint8Array> {
  try {
    return await file.chunk(index)
  } catch (error) {
    if (!(error instanceof StorageError) || error.code !== 'corrupt') throw error
    throw refused('chunk', `chunk ${index} is not what the manifest says`, error)
  }
}

async function inWindow(work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof StorageError) || error.code !== 'out_of_order') throw error
    throw refused('window', error.message, error)
  }
}
