// Snapshots as files: one each, named by height, written beside its place, synced and then renamed, so
// that a name stands for a whole file or for none.

import { constants } from 'node:fs'
import { open, readdir } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { concatBytes, equalBytes } from '@mooring/codec'
import { StorageError, storageErrorOf } from './errors.ts'
import { type FileSystem, nodeFileSystem, type OpenFile, writeFully } from './file-system.ts'
import { viewOf } from './integers.ts'
import {
  chunkDigest,
  chunksOf,
  decodeManifest,
  MANIFEST_BYTES_MAX,
  type SnapshotCore,
  type SnapshotManifest,
} from './snapshot-format.ts'

const MAGIC = new TextEncoder().encode('MOORSNP1')
const TAIL_BYTES = 4 + MAGIC.length
const PART = '.part'
const FETCHING = '.fetching'

export function snapshotPath(folder: string, height: number): string {
  return join(folder, `${height}.snapshot`)
}

/** Stands beside a file that is being fetched, and keeps what came of it. */
export function fetchingPath(folder: string, height: number): string {
  return join(folder, `${height}${FETCHING}`)
}

/** The heights of the whole snapshots in a folder, newest first. */
export async function listSnapshots(folder: string): Promise<number[]> {
  let names: string[]
  try {
    names = await readdir(folder)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw storageErrorOf(error, 'the folder of the snapshots cannot be read', folder)
  }
  return names
    .flatMap((name) => /^(\d{1,15})\.snapshot$/.exec(name)?.[1] ?? [])
    .map(Number)
    .toSorted((a, b) => b - a)
}

/** Removes all but the newest, and what an export left that did not come to its end. */
export async function tidySnapshots(
  folder: string,
  keep: number,
  fileSystem: FileSystem = nodeFileSystem,
): Promise<void> {
  for (const height of (await listSnapshots(folder)).slice(keep)) {
    await fileSystem.remove(snapshotPath(folder, height))
  }
  const names = new Set(await fileSystem.readDirectory(folder))
  for (const name of names) {
    const height = /^(\d+)\.snapshot\.part$/.exec(name)?.[1]
    if (height === undefined || names.has(`${height}${FETCHING}`)) continue
    await fileSystem.remove(join(folder, name))
  }
}

/** A snapshot in the making: chunks at their places, then the manifest, and only then its name. */
export class SnapshotWriter {
  readonly #fileSystem: FileSystem
  readonly #folder: string
  readonly #path: string
  readonly #file: OpenFile
  #end = 0

  private constructor(fileSystem: FileSystem, folder: string, path: string, file: OpenFile) {
    this.#fileSystem = fileSystem
    this.#folder = folder
    this.#path = path
    this.#file = file
  }

  /** Empties what an earlier attempt left, unless its bytes are to be kept. */
  static async open(
    folder: string,
    height: number,
    options: { fileSystem?: FileSystem; keeps?: boolean } = {},
  ): Promise<SnapshotWriter> {
    const fileSystem = options.fileSystem ?? nodeFileSystem
    const path = snapshotPath(folder, height)
    try {
      await fileSystem.makeDirectory(folder)
      const found = options.keeps === true ? await fileSystem.openExisting(path + PART) : undefined
      const file = found ?? (await fileSystem.create(path + PART))
      return new SnapshotWriter(fileSystem, folder, path, file)
    } catch (error) {
      throw storageErrorOf(error, 'a snapshot cannot be written', path)
    }
  }

  async append(chunk: Uint8Array): Promise<void> {
    await this.write(chunk, this.#end)
  }

  async write(chunk: Uint8Array, offset: number): Promise<void> {
    try {
      await writeFully(this.#file, chunk, offset)
    } catch (error) {
      throw storageErrorOf(error, 'a snapshot cannot be written', this.#path)
    }
    this.#end = Math.max(this.#end, offset + chunk.length)
  }

  async finish(manifest: Uint8Array): Promise<void> {
    try {
      const length = new Uint8Array(4)
      viewOf(length).setUint32(0, manifest.length)
      await this.#file.truncate(this.#end)
      await writeFully(this.#file, concatBytes(manifest, length, MAGIC), this.#end)
      await this.#file.datasync()
      await this.#file.close()
      await this.#fileSystem.rename(this.#path + PART, this.#path)
      await this.#fileSystem.syncDirectory(this.#folder)
    } catch (error) {
      throw storageErrorOf(error, 'a snapshot cannot be written', this.#path)
    }
  }

  /** Closes what was not finished; `keep` leaves its bytes for another attempt. */
  async abandon({ keep }: { keep: boolean }): Promise<void> {
    await this.#file.close()
    if (!keep) await this.#fileSystem.remove(this.#path + PART)
  }
}

/** A whole snapshot, open for reading. Chunks are compared with their digests when they are read. */
export class SnapshotFile {
  readonly manifest: SnapshotManifest
  readonly encodedManifest: Uint8Array
  readonly bytes: number
  readonly #path: string
  readonly #handle: FileHandle
  readonly #chunks: ReturnType<typeof chunksOf>

  private constructor(
    path: string,
    handle: FileHandle,
    { encoded, bytes }: { encoded: Uint8Array; bytes: number },
  ) {
    this.#path = path
    this.#handle = handle
    this.encodedManifest = encoded
    this.manifest = decodeManifest(encoded)
    this.bytes = bytes
    this.#chunks = chunksOf(this.manifest.core)
  }

  /** @throws StorageError; CodecError when the manifest is none. */
  static async open(path: string): Promise<SnapshotFile> {
    let handle: FileHandle | undefined
    try {
      handle = await open(path, constants.O_RDONLY)
      const { size } = await handle.stat()
      const tail = await readAt(handle, Math.max(0, size - TAIL_BYTES), Math.min(size, TAIL_BYTES))
      const isSnapshot = tail.length === TAIL_BYTES && equalBytes(tail.subarray(4), MAGIC)
      const length = isSnapshot ? viewOf(tail).getUint32(0) : 0
      if (!isSnapshot || length > Math.min(MANIFEST_BYTES_MAX, size - TAIL_BYTES)) {
        throw new StorageError('format', 'the file is no snapshot', { path })
      }
      const encoded = await readAt(handle, size - TAIL_BYTES - length, length)
      return new SnapshotFile(path, handle, { encoded, bytes: size })
    } catch (error) {
      await handle?.close()
      if (error instanceof Error && error.name === 'CodecError') throw error
      throw storageErrorOf(error, 'a snapshot cannot be read', path)
    }
  }

  get chunkCount(): number {
    return this.#chunks.length
  }

  /** @throws StorageError corrupt when it is not what the manifest says. */
  async chunk(index: number): Promise<Uint8Array> {
    const chunk = this.#chunks[index]
    if (chunk === undefined) throw new RangeError(`no chunk ${index}`)
    const bytes = await readAt(this.#handle, chunk.offset, chunk.bytes)
    if (bytes.length !== chunk.bytes || !equalBytes(chunkDigest(bytes), chunk.digest)) {
      const details = { path: this.#path, chunk: index }
      throw new StorageError('corrupt', 'a chunk is not what the manifest says', details)
    }
    return bytes
  }

  async close(): Promise<void> {
    await this.#handle.close()
  }
}

/** The chunks that an unfinished file holds already, by index. */
export async function chunksHeld(
  folder: string,
  height: number,
  { core }: { core: Pick<SnapshotCore, 'stateChunks' | 'blockChunks'> },
): Promise<Set<number>> {
  const held = new Set<number>()
  let handle: FileHandle
  try {
    handle = await open(snapshotPath(folder, height) + PART, constants.O_RDONLY)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return held
    throw storageErrorOf(error, 'a snapshot cannot be read', folder)
  }
  try {
    for (const [index, { offset, bytes, digest }] of chunksOf(core).entries()) {
      const chunk = await readAt(handle, offset, bytes)
      if (chunk.length === bytes && equalBytes(chunkDigest(chunk), digest)) held.add(index)
    }
  } finally {
    await handle.close()
  }
  return held
}

async function readAt(handle: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length)
  let done = 0
  while (done < length) {
    const { bytesRead } = await handle.read(bytes, done, length - done, offset + done)
    if (bytesRead === 0) break
    done += bytesRead
  }
  return bytes.subarray(0, done)
}
