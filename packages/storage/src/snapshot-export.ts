// The state at one height and the newest blocks, read from a pinned chain and written as a snapshot,
// chunk by chunk, with a turn of the event loop after each. A file that does not come to its end is
// removed: a full disk leaves no half snapshot.

import { setImmediate } from 'node:timers/promises'
import { StorageError } from './errors.ts'
import type { FileSystem } from './file-system.ts'
import type { PinnedChain, StateValue } from './pinned-chain.ts'
import { SnapshotFile, snapshotPath, listSnapshots, SnapshotWriter } from './snapshot-file.ts'
import {
  CHUNK_BYTES,
  chunkDigest,
  decodeManifest,
  encodeBlocks,
  encodeManifest,
  encodeValues,
  type SnapshotChunk,
  type SnapshotCore,
  type SnapshotFinality,
  type SnapshotManifest,
} from './snapshot-format.ts'

export interface SnapshotOptions {
  folder: string
  genesisDigest: Uint8Array
  /** The blocks of so many milliseconds before the snapshot are part of it, and one more. */
  windowMs: number
  fileSystem?: FileSystem
  /** What shows that the block is final, when it has no finalization of its own. */
  laterFinality: () => Promise<Pick<SnapshotFinality, 'finalization' | 'later'>>
}

/** Writes the snapshot of the pinned height; one that is there already is left and told of. */
export async function exportSnapshot(
  chain: PinnedChain,
  options: SnapshotOptions,
): Promise<SnapshotManifest> {
  const { folder, fileSystem } = options
  const { height } = chain.tip
  if (height === 0) throw new StorageError('out_of_order', 'there is no block to take it of')
  if ((await listSnapshots(folder)).includes(height)) {
    const found = await SnapshotFile.open(snapshotPath(folder, height))
    await found.close()
    return found.manifest
  }
  const writer = await SnapshotWriter.open(folder, height, fileSystem && { fileSystem })
  try {
    const core = await writeChunks(chain, writer, options)
    const manifest = encodeManifest(core, await finalityOf(chain, options))
    await writer.finish(manifest)
    return decodeManifest(manifest)
  } catch (error) {
    await writer.abandon({ keep: false })
    throw error
  }
}

async function writeChunks(
  chain: PinnedChain,
  writer: SnapshotWriter,
  { genesisDigest, windowMs }: SnapshotOptions,
): Promise<SnapshotCore> {
  const { height, time } = chain.tip
  const first = chain.heightAt(time - windowMs)
  const write = async (chunk: Uint8Array): Promise<SnapshotChunk> => {
    await writer.append(chunk)
    await setImmediate()
    return { digest: chunkDigest(chunk), bytes: chunk.length }
  }
  const stateChunks: SnapshotChunk[] = []
  let values = 0
  for await (const items of grouped(chain.values(), sizeOfValue)) {
    stateChunks.push(await write(encodeValues(items)))
    values += items.length
  }
  const blockChunks: SnapshotChunk[] = []
  for await (const items of grouped(blocksOf(chain, first, height), sizeOfBlock)) {
    blockChunks.push(await write(encodeBlocks(items)))
  }
  const frontier = [...chain.frontierBelow(first).digests]
  const base = { height: first - 1, digest: chain.parentOf(first) }
  const header = chain.header(height)
  return { genesisDigest, header, base, frontier, values, stateChunks, blockChunks }
}

async function finalityOf(
  chain: PinnedChain,
  { laterFinality }: SnapshotOptions,
): Promise<SnapshotFinality> {
  const epochs = chain.epochs.map(({ height, authoritySet }) => {
    const finalization = chain.finalization(height)
    if (finalization === undefined) {
      throw new StorageError('missing', 'the sealing block of an epoch is not final', { height })
    }
    return { header: chain.header(height), finalization, authoritySet }
  })
  const own = chain.finalization(chain.tip.height)
  if (own !== undefined) return { epochs, finalization: own, later: null }
  return { epochs, ...(await laterFinality()) }
}

async function* grouped<T>(
  items: AsyncIterable<T> | Iterable<T>,
  sizeOf: (item: T) => number,
): AsyncGenerator<T[]> {
  let group: T[] = []
  let bytes = 0
  for await (const item of items) {
    group.push(item)
    bytes += sizeOf(item)
    if (bytes < CHUNK_BYTES) continue
    yield group
    group = []
    bytes = 0
  }
  if (group.length > 0) yield group
}

function* blocksOf(chain: PinnedChain, from: number, to: number): Generator<Uint8Array> {
  for (let height = from; height <= to; height += 1) yield chain.block(height)
}

function sizeOfValue({ key, value }: StateValue): number {
  return key.length + value.length
}

function sizeOfBlock(block: Uint8Array): number {
  return block.length
}
