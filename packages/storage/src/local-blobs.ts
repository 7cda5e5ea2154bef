// Blobs as files of this computer: <directory>/<first two digits>/<id>.
//
// A file is written beside them, in incoming/, synced, and renamed to its id only when its bytes are
// those of the id; then the name is synced. So a name is there with all of its bytes or not at all,
// whenever the power fails. What is left in incoming/ belongs to nobody and goes when the store opens.

import { join } from 'node:path'
import { equalBytes, fromHex, toHex } from '@mooring/codec'
import {
  type BlobIndex,
  blobCorrupt,
  blobId,
  blobMissing,
  encodeIndex,
  indexBytes,
  PieceHasher,
  readIndex,
  readRange,
  type StoredCopy,
} from './blob-format.ts'
import type { BlobShape, BlobStat, BlobStore, BlobWriter } from './blob-store.ts'
import { StorageError, storageErrorOf } from './errors.ts'
import { type FileSystem, nodeFileSystem, type OpenFile, writeFully } from './file-system.ts'
import { RecentCache } from './recent-cache.ts'

const SHELF = /^[0-9a-f]{2}$/
const NAME = /^[0-9a-f]{64}$/
const INDEX_CACHE_BYTES = 8 * 1024 ** 2

export interface LocalBlobsOptions {
  directory: string
  fileSystem?: FileSystem
}

export class LocalBlobs implements BlobStore {
  readonly #directory: string
  readonly #files: FileSystem
  readonly #indexes = new RecentCache<BlobIndex>(INDEX_CACHE_BYTES, indexBytes)
  #created = 0

  private constructor(directory: string, files: FileSystem) {
    this.#directory = directory
    this.#files = files
  }

  static async open(options: LocalBlobsOptions): Promise<LocalBlobs> {
    const { directory, fileSystem = nodeFileSystem } = options
    const incoming = join(directory, 'incoming')
    await onDisk(incoming, async () => {
      await fileSystem.makeDirectory(incoming)
      for (const name of await fileSystem.readDirectory(incoming)) {
        await fileSystem.remove(join(incoming, name))
      }
    })
    return new LocalBlobs(directory, fileSystem)
  }

  create({ id, pieceBytes }: BlobShape): Promise<BlobWriter> {
    return this.#create(pieceBytes, id)
  }

  /** For bytes that have no id before the last of them is there; `commit` says it. */
  createUnnamed(pieceBytes: number): Promise<BlobWriter> {
    return this.#create(pieceBytes)
  }

  async read(id: Uint8Array, from: number, length: number): Promise<Uint8Array> {
    return await this.#withBlob(id, (index, copy) => readRange(id, index, copy, { from, length }))
  }

  async leaves(id: Uint8Array): Promise<Uint8Array[]> {
    return await this.#withBlob(id, ({ leaves }) => Promise.resolve(leaves))
  }

  async stat(id: Uint8Array): Promise<BlobStat | undefined> {
    try {
      return await this.#withBlob(id, ({ size }) => Promise.resolve({ id, size }))
    } catch (error) {
      if (error instanceof StorageError && error.code === 'blob_missing') return undefined
      throw error
    }
  }

  async remove(id: Uint8Array): Promise<boolean> {
    const path = this.#pathOf(id)
    this.#indexes.delete(toHex(id))
    return await onDisk(path, async () => {
      const file = await this.#files.openExisting(path)
      if (file === undefined) return false
      await file.close()
      await this.#files.remove(path)
      await this.#files.syncDirectory(join(path, '..'))
      return true
    })
  }

  async *list(): AsyncIterable<Uint8Array> {
    for (const shelf of (await this.#namesIn(this.#directory)).filter((name) => SHELF.test(name))) {
      for (const name of await this.#namesIn(join(this.#directory, shelf))) {
        if (NAME.test(name)) yield fromHex(name)
      }
    }
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  async #create(pieceBytes: number, id?: Uint8Array): Promise<BlobWriter> {
    const hasher = new PieceHasher(pieceBytes)
    this.#created += 1
    const path = join(this.#directory, 'incoming', `${this.#created}`)
    const file = await onDisk(path, () => this.#files.create(path))
    let position = 0
    const append = async (bytes: Uint8Array): Promise<void> => {
      await onDisk(path, () => writeFully(file, bytes, position))
      position += bytes.length
    }
    return {
      write: async (bytes) => {
        hasher.update(bytes)
        await append(bytes)
      },
      commit: async () => {
        const index = hasher.finish()
        const made = blobId(index)
        if (id !== undefined && !equalBytes(made, id)) {
          throw blobCorrupt(id, 'what was handed in has another root')
        }
        await append(encodeIndex(index))
        await onDisk(path, async () => {
          await file.datasync()
          await file.close()
        })
        await this.#name(path, made)
        return { id: made, size: index.size }
      },
      abort: async () => {
        await file.close().catch(() => undefined)
        await this.#files.remove(path).catch(() => undefined)
      },
    }
  }

  async #name(incoming: string, id: Uint8Array): Promise<void> {
    const path = this.#pathOf(id)
    this.#indexes.delete(toHex(id))
    await onDisk(path, async () => {
      await this.#files.makeDirectory(join(path, '..'))
      await this.#files.rename(incoming, path)
      await this.#files.syncDirectory(join(path, '..'))
    })
  }

  async #withBlob<T>(
    id: Uint8Array,
    read: (index: BlobIndex, copy: StoredCopy) => Promise<T>,
  ): Promise<T> {
    const path = this.#pathOf(id)
    const file = await onDisk(path, () => this.#files.openExisting(path))
    if (file === undefined) throw blobMissing(id)
    try {
      const copy = copyOf(id, path, file)
      return await read(await this.#indexOf(id, path, file, copy), copy)
    } finally {
      await file.close()
    }
  }

  async #indexOf(
    id: Uint8Array,
    path: string,
    file: OpenFile,
    copy: StoredCopy,
  ): Promise<BlobIndex> {
    const name = toHex(id)
    const known = this.#indexes.get(name)
    if (known !== undefined) return known
    const index = await readIndex(id, copy, await onDisk(path, () => file.size()))
    this.#indexes.set(name, index)
    return index
  }

  #namesIn(directory: string): Promise<string[]> {
    return onDisk(directory, () => this.#files.readDirectory(directory))
  }

  #pathOf(id: Uint8Array): string {
    if (id.length !== 32) throw new RangeError(`an id of ${id.length} bytes`)
    const name = toHex(id)
    return join(this.#directory, name.slice(0, 2), name)
  }
}

function copyOf(id: Uint8Array, path: string, file: OpenFile): StoredCopy {
  return {
    async readAt(position, length) {
      const bytes = await onDisk(path, () => file.readAt(position, length))
      if (bytes.length < length) {
        throw blobCorrupt(id, `it ends after ${position + bytes.length} bytes`)
      }
      return bytes
    },
  }
}

async function onDisk<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action()
  } catch (cause) {
    throw storageErrorOf(cause, 'the blob store cannot use its disk', path)
  }
}
