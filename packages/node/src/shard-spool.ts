// Shards that are too long for the queue, as files until their holders have them.
//
// A record of more than one segment comes in piece by piece and goes out to n holders at n speeds. What
// waits is sealed already, one file for each shard, under its leaf: the store checks every piece that it
// reads again. Nothing counts before the record is in the queue; files that no record of the queue
// names are left over from a crash, and go when the node starts.

import { toHex } from '@mooring/codec'
import { fragmentBytesOf, type ShardSet } from '@mooring/records'
import type { BlobWriter, LocalBlobs } from '@mooring/storage'
import { encodeShards, SPOOLED } from './queued-records.ts'

export type UploadBlobs = Pick<LocalBlobs, 'create' | 'createUnnamed' | 'read' | 'remove' | 'list'>

/** The shards of one record as its segments are sealed; a short record stays in memory. */
export class ShardSpool {
  readonly #blobs: UploadBlobs
  #first: readonly Uint8Array[] | null = null
  #writers: BlobWriter[] = []
  #committed: Uint8Array[] = []

  constructor(blobs: UploadBlobs) {
    this.#blobs = blobs
  }

  /** The fragments of the next segment, one for each shard. */
  async add(fragments: readonly Uint8Array[]): Promise<void> {
    if (this.#first === null) {
      this.#first = fragments
      return
    }
    if (this.#writers.length === 0) {
      const pieceBytes = this.#first[0]?.length ?? 0
      for (const _ of fragments) this.#writers.push(await this.#blobs.createUnnamed(pieceBytes))
      await this.#write(this.#first)
    }
    await this.#write(fragments)
  }

  /** What the queue keeps of them. All is on the disk when this resolves, or in what it gives. */
  async finish(): Promise<Uint8Array> {
    if (this.#writers.length === 0) return encodeShards(this.#first ?? [])
    while (this.#writers.length > 0) {
      const [writer] = this.#writers
      if (writer === undefined) break
      const { id } = await writer.commit()
      this.#writers.shift()
      this.#committed.push(id)
    }
    return SPOOLED
  }

  /** Nothing of it is kept. */
  async abort(): Promise<void> {
    const writers = this.#writers
    const committed = this.#committed
    this.#writers = []
    this.#committed = []
    for (const writer of writers) await writer.abort()
    for (const id of committed) await this.#blobs.remove(id)
  }

  async #write(fragments: readonly Uint8Array[]): Promise<void> {
    await Promise.all(
      this.#writers.map((writer, index) => writer.write(fragments[index] ?? new Uint8Array(0))),
    )
  }
}

/** Shards that are whole in memory, and too long for the queue. */
export async function spoolShards(
  blobs: UploadBlobs,
  set: ShardSet,
  shards: readonly Uint8Array[],
): Promise<void> {
  const pieceBytes = fragmentBytesOf(set, 0)
  for (const [index, shard] of shards.entries()) {
    const id = set.leaves[index]
    if (id === undefined) throw new Error(`there is no leaf ${index} in the set`)
    const writer = await blobs.create({ id, pieceBytes })
    try {
      await writer.write(shard)
      await writer.commit()
    } catch (error) {
      await writer.abort()
      await dropShards(blobs, set.leaves.slice(0, index))
      throw error
    }
  }
}

export async function dropShards(blobs: UploadBlobs, leaves: readonly Uint8Array[]): Promise<void> {
  for (const leaf of leaves) await blobs.remove(leaf)
}

/** Removes what no record of the queue names. */
export async function tidySpool(
  blobs: UploadBlobs,
  isNamed: (leaf: string) => boolean,
): Promise<void> {
  for await (const id of blobs.list()) if (!isNamed(toHex(id))) await blobs.remove(id)
}
