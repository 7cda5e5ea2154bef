// Blobs as objects of a bucket: <prefix><id>.
//
// What is written goes out in parts while it comes, so that a writer holds one part in memory; a small
// blob is one request. The object appears under its id when the upload is completed, and is only
// completed when the bytes are those of the id. An upload that nobody completes is aborted; after a
// crash its parts stay in the bucket, until the bucket's own rule for incomplete uploads removes them.

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
import { RecentCache } from './recent-cache.ts'
import { S3Bucket, type S3BucketOptions } from './s3-bucket.ts'

export interface S3BlobsOptions extends S3BucketOptions {
  /** In front of every id; two nodes that share a bucket have different ones. */
  prefix: string
}

// The protocol wants parts of at least 5 MiB, and at most 10,000 of them.
const PART_BYTES = 8 * 1024 ** 2
const INDEX_CACHE_BYTES = 8 * 1024 ** 2
const NAME = /^[0-9a-f]{64}$/

export class S3Blobs implements BlobStore {
  readonly #bucket: S3Bucket
  readonly #prefix: string
  readonly #indexes = new RecentCache<BlobIndex>(INDEX_CACHE_BYTES, indexBytes)

  constructor(options: S3BlobsOptions) {
    this.#bucket = new S3Bucket(options)
    this.#prefix = options.prefix
  }

  create({ id, pieceBytes }: BlobShape): Promise<BlobWriter> {
    const hasher = new PieceHasher(pieceBytes)
    const upload = new Upload(this.#bucket, this.#keyOf(id))
    return Promise.resolve({
      write: async (bytes) => {
        hasher.update(bytes)
        await upload.write(bytes)
      },
      commit: async () => {
        const index = hasher.finish()
        if (!equalBytes(blobId(index), id)) {
          throw blobCorrupt(id, 'what was handed in has another root')
        }
        this.#indexes.delete(toHex(id))
        await upload.write(encodeIndex(index))
        await upload.complete()
        return { id, size: index.size }
      },
      abort: () => upload.abort(),
    })
  }

  async read(id: Uint8Array, from: number, length: number): Promise<Uint8Array> {
    const index = await this.#existing(id)
    return await readRange(id, index, this.#copyOf(id), { from, length })
  }

  async leaves(id: Uint8Array): Promise<Uint8Array[]> {
    return (await this.#existing(id)).leaves
  }

  async stat(id: Uint8Array): Promise<BlobStat | undefined> {
    const storedBytes = await this.#bucket.size(this.#keyOf(id))
    if (storedBytes === undefined) return undefined
    return { id, size: (await readIndex(id, this.#copyOf(id), storedBytes)).size }
  }

  async remove(id: Uint8Array): Promise<boolean> {
    const key = this.#keyOf(id)
    this.#indexes.delete(toHex(id))
    if ((await this.#bucket.size(key)) === undefined) return false
    await this.#bucket.remove(key)
    return true
  }

  async *list(): AsyncIterable<Uint8Array> {
    let next: string | undefined
    do {
      const page = await this.#bucket.list(this.#prefix, next)
      for (const key of page.keys) {
        const name = key.slice(this.#prefix.length)
        if (NAME.test(name)) yield fromHex(name)
      }
      next = page.next
    } while (next !== undefined)
  }

  close(): Promise<void> {
    this.#bucket.close()
    return Promise.resolve()
  }

  async #existing(id: Uint8Array): Promise<BlobIndex> {
    const name = toHex(id)
    const known = this.#indexes.get(name)
    if (known !== undefined) return known
    const storedBytes = await this.#bucket.size(this.#keyOf(id))
    if (storedBytes === undefined) throw blobMissing(id)
    const index = await readIndex(id, this.#copyOf(id), storedBytes)
    this.#indexes.set(name, index)
    return index
  }

  #copyOf(id: Uint8Array): StoredCopy {
    const key = this.#keyOf(id)
    return {
      readAt: async (position, length) => {
        const bytes = await this.#bucket.get(key, position, length)
        if (bytes === undefined) throw blobMissing(id)
        if (bytes.length < length) {
          throw blobCorrupt(id, `it ends after ${position + bytes.length} bytes`)
        }
        return bytes
      },
    }
  }

  #keyOf(id: Uint8Array): string {
    if (id.length !== 32) throw new RangeError(`an id of ${id.length} bytes`)
    return this.#prefix + toHex(id)
  }
}

/** One object on its way, a part at a time. */
class Upload {
  readonly #bucket: S3Bucket
  readonly #key: string
  readonly #tags: string[] = []
  #part = new Uint8Array(0)
  #filled = 0
  #name: string | undefined

  constructor(bucket: S3Bucket, key: string) {
    this.#bucket = bucket
    this.#key = key
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const taken = bytes.subarray(at, at + PART_BYTES - this.#filled)
      this.#reserve(this.#filled + taken.length)
      this.#part.set(taken, this.#filled)
      this.#filled += taken.length
      at += taken.length
      if (this.#filled === PART_BYTES) await this.#sendPart()
    }
  }

  async complete(): Promise<void> {
    if (this.#name === undefined) {
      await this.#bucket.put(this.#key, this.#part.subarray(0, this.#filled))
      return
    }
    if (this.#filled > 0) await this.#sendPart()
    await this.#bucket.completeUpload(this.#key, this.#name, this.#tags)
    this.#name = undefined
  }

  /** As good as it can: what cannot be aborted is the bucket's to remove. */
  async abort(): Promise<void> {
    if (this.#name !== undefined) {
      await this.#bucket.abortUpload(this.#key, this.#name).catch(() => undefined)
    }
    this.#name = undefined
    this.#part = new Uint8Array(0)
  }

  async #sendPart(): Promise<void> {
    this.#name ??= await this.#bucket.beginUpload(this.#key)
    const bytes = this.#part.subarray(0, this.#filled)
    const number = this.#tags.length + 1
    this.#tags.push(await this.#bucket.putPart(this.#key, this.#name, number, bytes))
    this.#filled = 0
  }

  #reserve(length: number): void {
    if (length <= this.#part.length) return
    const larger = new Uint8Array(Math.min(PART_BYTES, Math.max(length, this.#part.length * 2)))
    larger.set(this.#part.subarray(0, this.#filled))
    this.#part = larger
  }
}
