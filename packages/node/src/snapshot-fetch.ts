// A snapshot from those who have it: the one that most of them tell of alike, chunk by chunk from several
// at once.
//
// No word is taken: the manifest is checked from genesis before a chunk is asked for, each chunk has its
// digest in it, and the state and the history are checked when the file is read (snapshot-import.ts).
// More than a third of the founders alike cannot all lie, so that what they tell of is preferred: a false
// snapshot is found out only at its end. Then its file goes, so that it is in nobody's way and is never
// served to others, who told of it is named, and the next one is tried. What came of a snapshot that
// was cut short stays on the disk, and another attempt at the same one goes on from there.

import { readFile, rm, writeFile } from 'node:fs/promises'
import { equalBytes, toHex } from '@mooring/codec'
import { faultsOf } from '@mooring/consensus'
import {
  chunkDigest,
  chunksHeld,
  chunksOf,
  fetchingPath,
  listSnapshots,
  SnapshotFile,
  type SnapshotManifest,
  snapshotPath,
  SnapshotWriter,
} from '@mooring/storage'
import { NodeError } from './node-error.ts'
import { checkManifest, type SnapshotTrust } from './snapshot-check.ts'
import type { SnapshotEntry } from './snapshot-exchange.ts'

/** Somebody who has snapshots: a peer, or the API of a node. */
export interface SnapshotSource {
  readonly name: string
  list(): Promise<SnapshotEntry[]>
  manifest(height: number): Promise<Uint8Array>
  chunk(height: number, index: number): Promise<Uint8Array>
}

export interface FetchOptions extends SnapshotTrust {
  folder: string
  /** Of this height only; null: the newest. */
  height: number | null
  onProgress: (progress: {
    height: number
    bytes: number
    bytesTotal: number
    sources: number
  }) => void
  /** A source that sent what it must not send, or nothing. */
  onBad: (source: string, reason: string) => void
}

const CHUNKS_PER_SOURCE = 2
const FAILURES_MAX = 3

interface Offer {
  readonly height: number
  readonly digest: Uint8Array
  readonly sources: readonly SnapshotSource[]
}

/**
 * What `read` makes of a whole file whose manifest has been checked. It reads to the end, and throws
 * snapshot_refused when what the manifest names is not what it must be.
 * @throws NodeError snapshot_unavailable
 */
export async function fetchSnapshot<T>(
  sources: readonly SnapshotSource[],
  options: FetchOptions,
  read: (path: string) => Promise<T>,
): Promise<T> {
  const offers = await offersOf(sources, options)
  if (offers.length === 0) {
    const detail = `None of ${sources.length} nodes asked has a snapshot`
    throw new NodeError('snapshot_unavailable', { detail, offers: 0 })
  }
  for (const offer of offers) {
    const { height } = offer
    const encoded = await manifestOf(offer, options)
    if (encoded === null) continue
    const { manifest } = checkManifest(encoded, options)
    if (!(await fetchChunks(offer, { encoded, manifest }, options))) continue
    const path = snapshotPath(options.folder, height)
    try {
      return await read(path)
    } catch (error) {
      if (!(error instanceof NodeError) || error.code !== 'snapshot_refused') throw error
      await rm(path, { force: true })
      for (const { name } of offer.sources) options.onBad(name, reasonOf(error))
    }
  }
  const detail = `${sources.length} nodes were asked, and none gave a whole snapshot`
  throw new NodeError('snapshot_unavailable', { detail })
}

/** What is told of by most first; of several alike the newest. */
async function offersOf(
  sources: readonly SnapshotSource[],
  { genesis, height, onBad }: FetchOptions,
): Promise<Offer[]> {
  const offers = new Map<string, Offer & { sources: SnapshotSource[] }>()
  await Promise.all(
    sources.map(async (source) => {
      const entries = await source.list().catch((error: unknown) => {
        onBad(source.name, reasonOf(error))
        return []
      })
      for (const entry of entries) {
        if (height !== null && entry.height !== height) continue
        const name = `${entry.height} ${toHex(entry.digest)}`
        const offer = offers.get(name) ?? { ...entry, sources: [] }
        offer.sources.push(source)
        offers.set(name, offer)
      }
    }),
  )
  const authorities = genesis.organisations.filter(({ organisation }) =>
    organisation.roles.includes('authority'),
  )
  const enough = faultsOf(authorities.length) + 1
  const weightOf = (offer: Offer): number => Math.min(offer.sources.length, enough)
  return [...offers.values()].toSorted((a, b) => weightOf(b) - weightOf(a) || b.height - a.height)
}

async function manifestOf(offer: Offer, options: FetchOptions): Promise<Uint8Array | null> {
  for (const source of offer.sources) {
    try {
      const encoded = await source.manifest(offer.height)
      const { manifest } = checkManifest(encoded, options)
      if (equalBytes(manifest.digest, offer.digest)) return encoded
      options.onBad(source.name, 'wrong_manifest')
    } catch (error) {
      options.onBad(source.name, reasonOf(error))
    }
  }
  return null
}

/** False when no source is left. */
async function fetchChunks(
  { height, sources, digest }: Offer,
  { encoded, manifest }: { encoded: Uint8Array; manifest: SnapshotManifest },
  { folder, onProgress, onBad }: FetchOptions,
): Promise<boolean> {
  if (await isHeld(folder, { height, digest })) return true
  const mark = fetchingPath(folder, height)
  const writer = await openWriter(folder, height, { mark, digest })
  const chunks = chunksOf(manifest.core)
  const held = await chunksHeld(folder, height, manifest)
  const waiting = [...chunks.keys()].filter((index) => !held.has(index))
  const bytesTotal = chunks.reduce((sum, chunk) => sum + chunk.bytes, 0)
  let bytes = chunks.reduce((sum, chunk, index) => sum + (held.has(index) ? chunk.bytes : 0), 0)
  let healthy = [...sources]
  const tell = () => onProgress({ height, bytes, bytesTotal, sources: healthy.length })
  tell()

  const workFor = async (source: SnapshotSource, health: { failures: number }): Promise<void> => {
    for (let index = waiting.shift(); index !== undefined; index = waiting.shift()) {
      const expected = chunks[index]
      const chunk = await source.chunk(height, index).catch((error: unknown) => reasonOf(error))
      const isGood =
        typeof chunk !== 'string' &&
        expected !== undefined &&
        equalBytes(chunkDigest(chunk), expected.digest)
      if (isGood) {
        await writer.write(chunk, expected.offset)
        bytes += chunk.length
        tell()
        continue
      }
      waiting.unshift(index)
      const wasHealthy = health.failures < FAILURES_MAX
      health.failures += typeof chunk === 'string' ? 1 : FAILURES_MAX
      if (health.failures < FAILURES_MAX) continue
      if (wasHealthy) onBad(source.name, typeof chunk === 'string' ? chunk : 'wrong_chunk')
      return
    }
  }
  try {
    // A chunk that one could not give is waiting again when the others may be done already.
    while (waiting.length > 0 && healthy.length > 0) {
      const round = healthy.map(async (source) => {
        const health = { failures: 0 }
        await Promise.all(Array.from({ length: CHUNKS_PER_SOURCE }, () => workFor(source, health)))
        if (health.failures >= FAILURES_MAX) healthy = healthy.filter((other) => other !== source)
      })
      await Promise.all(round)
    }
    if (waiting.length > 0) {
      await writer.abandon({ keep: true })
      return false
    }
    await writer.finish(encoded)
  } catch (error) {
    await writer.abandon({ keep: true }).catch(() => undefined)
    throw error
  }
  await rm(mark, { force: true })
  return true
}

/** Another one of the same height does not count, and gives way. */
async function isHeld(
  folder: string,
  { height, digest }: Pick<Offer, 'height' | 'digest'>,
): Promise<boolean> {
  if (!(await listSnapshots(folder)).includes(height)) return false
  const file = await SnapshotFile.open(snapshotPath(folder, height))
  await file.close()
  return equalBytes(file.manifest.digest, digest)
}

/** Goes on with what an earlier attempt at the same snapshot brought. */
async function openWriter(
  folder: string,
  height: number,
  { mark, digest }: { mark: string; digest: Uint8Array },
): Promise<SnapshotWriter> {
  const earlier = await readFile(mark).catch(() => undefined)
  const keeps = earlier !== undefined && equalBytes(new Uint8Array(earlier), digest)
  const writer = await SnapshotWriter.open(folder, height, { keeps })
  await writeFile(mark, digest, { mode: 0o600 })
  return writer
}

function reasonOf(error: unknown): string {
  if (error instanceof NodeError && error.code === 'snapshot_refused') {
    return `snapshot_refused: ${String(error.data['check'])}`
  }
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code
  return error instanceof Error ? error.message : String(error)
}
