// Long shards as they come in: begin, parts in order, commit.
//
// A part goes to the disk before the next one is taken, so that an upload costs the memory of one part,
// however long the shard is. Nothing of it counts before the commit has found that all of it is the shard
// that the set names. After a break the sender begins again and is told where to go on; what nobody goes on
// with is thrown away, and so is everything that was open when the node stopped.

import { toHex } from '@mooring/codec'
import {
  DEPOSIT_PART_BYTES_MAX,
  fragmentBytesOf,
  type ShardHead,
  type ShardName,
  shardBytesOf,
} from '@mooring/records'
import { type BlobStore, type BlobWriter, type NewShard, StorageError } from '@mooring/storage'
import type { Clock } from './clock.ts'
import type { CheckedHead } from './holder-terms.ts'

const IDLE_MS = 60_000
const PER_SENDER = 4
const ALL = 16

export type UploadRefusal =
  | 'busy'
  | 'upload_unknown'
  | 'part_out_of_order'
  | 'part_missing'
  | 'shard_wrong'

interface Upload {
  readonly sender: string
  readonly shard: Omit<NewShard, 'content'>
  readonly blob: Uint8Array
  readonly size: number
  readonly writer: BlobWriter
  received: number
  isWriting: boolean
  stopTimer: () => void
}

export class HolderUploads {
  readonly #blobs: BlobStore
  readonly #clock: Clock
  readonly #open = new Map<string, Upload>()

  constructor(blobs: BlobStore, clock: Clock) {
    this.#blobs = blobs
    this.#clock = clock
  }

  get size(): number {
    return this.#open.size
  }

  /** What the open uploads of this sender will take when they are whole. */
  announced(sender: string): number {
    return this.#of(sender).reduce((sum, { size }) => sum + size, 0)
  }

  isOpen(sender: string, shard: ShardName): boolean {
    return this.#open.has(nameOf(sender, shard))
  }

  /** The bytes that are here already, or why there is no upload. */
  async begin(
    sender: string,
    head: ShardHead,
    { setId, decoded }: CheckedHead,
  ): Promise<number | UploadRefusal> {
    const { set, manifest, holders, index } = head
    const name = nameOf(sender, { setId, index })
    const known = this.#open.get(name)
    if (known !== undefined) {
      if (known.isWriting) return 'busy'
      this.#rearm(name, known)
      return known.received
    }
    if (this.#of(sender).length >= PER_SENDER || this.#open.size >= ALL) return 'busy'
    const blob = decoded.leaves[index]
    if (blob === undefined) return 'shard_wrong'
    const shape = { id: blob, pieceBytes: fragmentBytesOf(decoded, 0) }
    const upload: Upload = {
      sender,
      shard: { setId, index, custodian: decoded.custodian, set, manifest, holders },
      blob,
      size: shardBytesOf(decoded),
      writer: await this.#blobs.create(shape),
      received: 0,
      isWriting: false,
      stopTimer: () => undefined,
    }
    this.#open.set(name, upload)
    this.#rearm(name, upload)
    return 0
  }

  /** The bytes that are here with this part. */
  async part(
    sender: string,
    { shard, offset, part }: { shard: ShardName; offset: number; part: Uint8Array },
  ): Promise<number | UploadRefusal> {
    const name = nameOf(sender, shard)
    const upload = this.#open.get(name)
    if (upload === undefined) return 'upload_unknown'
    if (upload.isWriting) return 'busy'
    if (offset + part.length <= upload.received) return upload.received
    if (offset !== upload.received || part.length > DEPOSIT_PART_BYTES_MAX) {
      return 'part_out_of_order'
    }
    if (offset + part.length > upload.size) return 'shard_wrong'
    await this.#exclusively(name, upload, () => upload.writer.write(part))
    upload.received += part.length
    return upload.received
  }

  /** The shard, whole and durable as a blob, to be put into the store. */
  async commit(sender: string, shard: ShardName): Promise<NewShard | UploadRefusal> {
    const name = nameOf(sender, shard)
    const upload = this.#open.get(name)
    if (upload === undefined) return 'upload_unknown'
    if (upload.isWriting) return 'busy'
    if (upload.received < upload.size) return 'part_missing'
    try {
      await this.#exclusively(name, upload, () => upload.writer.commit())
    } catch (error) {
      if (error instanceof StorageError && error.code === 'blob_corrupt') return 'shard_wrong'
      throw error
    }
    this.#forget(name, upload)
    const { blob, size } = upload
    return { ...upload.shard, content: { kind: 'blob', body: { id: blob, bytes: size } } }
  }

  async close(): Promise<void> {
    for (const [name, upload] of this.#open) {
      this.#forget(name, upload)
      await upload.writer.abort()
    }
  }

  #of(sender: string): Upload[] {
    return [...this.#open.values()].filter((upload) => upload.sender === sender)
  }

  /** One at a time; an upload whose write has failed is over. */
  async #exclusively<T>(name: string, upload: Upload, work: () => Promise<T>): Promise<T> {
    upload.isWriting = true
    upload.stopTimer()
    try {
      return await work()
    } catch (error) {
      this.#forget(name, upload)
      await upload.writer.abort()
      throw error
    } finally {
      upload.isWriting = false
      if (this.#open.get(name) === upload) this.#rearm(name, upload)
    }
  }

  #rearm(name: string, upload: Upload): void {
    upload.stopTimer()
    upload.stopTimer = this.#clock.after(IDLE_MS, () => {
      this.#forget(name, upload)
      void upload.writer.abort()
    })
  }

  #forget(name: string, upload: Upload): void {
    upload.stopTimer()
    this.#open.delete(name)
  }
}

function nameOf(sender: string, { setId, index }: ShardName): string {
  return `${sender} ${toHex(setId)} ${index}`
}
