// The shards that this organisation keeps for custodians, wherever their bytes are: in the database or in a
// blob. Nothing is handed out that was not checked on its way from the disk; what the disk has damaged
// counts as not here, and is told once, so that it can be made again.

import { toHex } from '@mooring/codec'
import {
  decodeShardSet,
  fragmentBytesOf,
  fragmentDigest,
  fragmentOffsetOf,
  fragmentsOfShard,
  isShard,
  type ShardName,
  type ShardSet,
  shardBytesOf,
} from '@mooring/records'
import {
  type BlobStore,
  INLINE_SHARD_BYTES_MAX,
  type NewShard,
  type ShardContent,
  type ShardHead,
  type ShardStore,
  StorageError,
} from '@mooring/storage'

export interface KeptShard {
  readonly head: ShardHead
  readonly set: ShardSet
}

/** A shard that has been checked against its set. */
export interface CheckedShard extends Omit<NewShard, 'content'> {
  readonly decoded: ShardSet
  readonly shard: Uint8Array
}

export interface DamagedShard extends ShardName {
  readonly custodian: string
}

export interface HolderUsage {
  readonly custodians: number
  readonly shards: number
  readonly bytes: number
  /** Found damaged since the start, and not put again. */
  readonly damaged: number
}

export interface KeptShardsModules {
  store: ShardStore
  blobs: BlobStore
  /** Once for each shard, until it is put again. */
  onDamage: (damaged: DamagedShard) => void
}

const DAMAGE: readonly string[] = ['corrupt', 'blob_corrupt', 'blob_missing']
const VERIFY_BYTES = 1024 * 1024

export class KeptShards {
  readonly #modules: KeptShardsModules
  readonly #damaged = new Set<string>()

  constructor(modules: KeptShardsModules) {
    this.#modules = modules
  }

  usage(): HolderUsage {
    const all = [...this.#modules.store.usage.values()]
    return {
      custodians: all.filter(({ shards }) => shards > 0).length,
      shards: all.reduce((sum, { shards }) => sum + shards, 0),
      bytes: all.reduce((sum, { bytes }) => sum + bytes, 0),
      damaged: this.#damaged.size,
    }
  }

  get store(): ShardStore {
    return this.#modules.store
  }

  /** What is kept of a set: one shard as a rule, none, or several after a repair. */
  async of(setId: Uint8Array): Promise<KeptShard[]> {
    const indexes = await this.#modules.store.indexesOf(setId)
    return indexes.flatMap((index) => this.find({ setId, index }) ?? [])
  }

  find(name: ShardName): KeptShard | undefined {
    const head = this.#unlessDamaged(name, () => this.#modules.store.head(name))
    return head === undefined ? undefined : { head, set: decodeShardSet(head.set) }
  }

  /** Whether it is here, as far as that can be seen without reading a large one. */
  async has(name: ShardName): Promise<boolean> {
    const content = this.#content(name)
    if (content === undefined) return false
    if (content.kind === 'inline') return true
    const stat = await this.#read(name, () => this.#modules.blobs.stat(content.body.id))
    return stat?.size === content.body.bytes
  }

  /** Undefined when it is not here, or damaged. */
  async bytes(name: ShardName, from: number, length: number): Promise<Uint8Array | undefined> {
    const content = this.#content(name)
    if (content === undefined) return undefined
    if (content.kind === 'inline') return content.body.subarray(from, from + length)
    return await this.#read(name, () => this.#modules.blobs.read(content.body.id, from, length))
  }

  /** Fragments from a place on, as many as fit, at least one. */
  async fragments(
    { head, set }: KeptShard,
    { from, count, bytesMax }: { from: number; count: number; bytesMax: number },
  ): Promise<Uint8Array[] | undefined> {
    const offset = fragmentOffsetOf(set, from)
    let end = from
    let length = 0
    while (end < Math.min(from + count, set.segmentCount)) {
      const size = fragmentBytesOf(set, end)
      if (end > from && length + size > bytesMax) break
      length += size
      end += 1
    }
    const bytes = await this.bytes(head, offset, length)
    return bytes && cut(bytes, set, from, end)
  }

  /** Of all fragments, in their order. */
  async digests({ head, set }: KeptShard): Promise<Uint8Array[] | undefined> {
    const content = this.#content(head)
    if (content === undefined) return undefined
    if (content.kind === 'inline') {
      return fragmentsOfShard(set, content.body).map(fragmentDigest)
    }
    return await this.#read(head, () => this.#modules.blobs.leaves(content.body.id))
  }

  /** Reads all of it. False when it is not what its set says; then it is known as damaged. */
  async verify(kept: KeptShard): Promise<boolean> {
    const { head, set } = kept
    const content = this.#content(head)
    if (content === undefined) return false
    if (content.kind === 'inline') {
      if (isShard(set, head.index, content.body)) return true
      this.#tell(head, head.custodian)
      return false
    }
    const size = shardBytesOf(set)
    for (let from = 0; from < size; from += VERIFY_BYTES) {
      const part = await this.bytes(head, from, Math.min(VERIFY_BYTES, size - from))
      if (part === undefined) return false
    }
    return true
  }

  /** Durable when it resolves, all of them. What needs no blob is handed to the database before this returns. */
  async put(shards: readonly CheckedShard[]): Promise<void> {
    const made: NewShard[] = []
    for (const { custodian, setId, index, set, manifest, holders, decoded, shard } of shards) {
      const isInline = shard.length <= INLINE_SHARD_BYTES_MAX
      const content = isInline ? inline(shard) : await this.#keepBlob(decoded, index, shard)
      made.push({ custodian, setId, index, set, manifest, holders, content })
    }
    await this.putMade(made)
  }

  /** The same, for shards whose blobs are there already. */
  async putMade(shards: readonly NewShard[]): Promise<void> {
    await this.#modules.store.put(shards)
    if (this.#damaged.size > 0) for (const shard of shards) this.#damaged.delete(keyOf(shard))
  }

  /** Durable when it resolves. */
  async delete({ head }: KeptShard): Promise<void> {
    await this.#delete(head, () => this.#modules.store.delete(head.custodian, [head]))
  }

  /** The same, also where it is damaged, and no file of this node has it any more. */
  async purge(name: ShardName, custodian: string): Promise<void> {
    await this.#delete(name, () => this.#modules.store.purge(custodian, [name]))
  }

  async #delete(head: ShardName, drop: () => Promise<void>): Promise<void> {
    const content = this.#content(head)
    await drop()
    this.#damaged.delete(keyOf(head))
    if (content !== undefined) await this.dropBlob({ content })
  }

  /** Unless another shard is in it. */
  async dropBlob({ content }: Pick<NewShard, 'content'>): Promise<void> {
    if (content.kind !== 'blob' || (await this.#modules.store.isBlobUsed(content.body.id))) return
    await this.#modules.blobs.remove(content.body.id)
  }

  /** Blobs that belong to no shard: on their way to one, or left by a crash between the two writes. */
  async orphans(): Promise<Uint8Array[]> {
    const { store, blobs } = this.#modules
    const found: Uint8Array[] = []
    for await (const id of blobs.list()) if (!(await store.isBlobUsed(id))) found.push(id)
    return found
  }

  /** Those of them that still belong to none. */
  async removeOrphans(ids: readonly Uint8Array[]): Promise<number> {
    const { store, blobs } = this.#modules
    let removed = 0
    for (const id of ids) {
      if (!(await store.isBlobUsed(id)) && (await blobs.remove(id))) removed += 1
    }
    return removed
  }

  async #keepBlob(set: ShardSet, index: number, shard: Uint8Array): Promise<ShardContent> {
    const id = set.leaves[index]
    if (id === undefined) throw new RangeError(`shard ${index} of ${set.n}`)
    const writer = await this.#modules.blobs.create({ id, pieceBytes: fragmentBytesOf(set, 0) })
    try {
      await writer.write(shard)
      await writer.commit()
    } catch (error) {
      await writer.abort()
      throw error
    }
    return { kind: 'blob', body: { id, bytes: shard.length } }
  }

  #content(name: ShardName): ShardContent | undefined {
    return this.#unlessDamaged(name, () => this.#modules.store.content(name))
  }

  #unlessDamaged<T>(name: ShardName, read: () => T): T | undefined {
    try {
      return read()
    } catch (error) {
      this.#damage(name, error)
      return undefined
    }
  }

  async #read<T>(name: ShardName, read: () => Promise<T>): Promise<T | undefined> {
    try {
      return await read()
    } catch (error) {
      this.#damage(name, error)
      return undefined
    }
  }

  /** @throws the error where it is none of damage */
  #damage(name: ShardName, error: unknown): void {
    if (!(error instanceof StorageError && DAMAGE.includes(error.code))) throw error
    this.#tell(name, null)
  }

  #tell(name: ShardName, custodian: string | null): void {
    const key = keyOf(name)
    if (this.#damaged.has(key)) return
    this.#damaged.add(key)
    const known = custodian ?? this.#modules.store.custodianOf(name)
    if (known !== undefined) {
      this.#modules.onDamage({ setId: name.setId, index: name.index, custodian: known })
    }
  }
}

function inline(body: Uint8Array): ShardContent {
  return { kind: 'inline', body }
}

function cut(bytes: Uint8Array, set: ShardSet, from: number, end: number): Uint8Array[] {
  const offset = fragmentOffsetOf(set, from)
  return Array.from({ length: end - from }, (_, at) => {
    const start = fragmentOffsetOf(set, from + at) - offset
    return bytes.subarray(start, start + fragmentBytesOf(set, from + at))
  })
}

function keyOf({ setId, index }: ShardName): string {
  return `${toHex(setId)} ${index}`
}
