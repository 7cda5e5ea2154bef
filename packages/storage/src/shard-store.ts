// What this organisation keeps for others: shards of their records, and the class keys that they
// deposited.
//
// Nothing here opens: a shard is a part of a ciphertext, a manifest and a class key are sealed to others.
// The bytes of a set and of a manifest are opaque; who puts them has judged them. A shard and what travels
// beside it (its head) are two values: the head is found by custodian, so that the sets of one custodian
// can be listed in the order of their names when he himself is gone.
//
// A small shard is in the database, a large one in the blob store under the leaf that its set names. Both
// are checked whenever they are read. A damaged shard is not an answer: its head stays,
// and a fresh one may be put over it.
//
// Usage is counted per custodian, in memory and with every batch on the disk.

import { decode, encode, type Infer, toHex } from '@mooring/codec'
import { behind, type Database, type DatabaseOperation } from './database.ts'
import { unlessDamaged } from './errors.ts'
import { GroupCommit } from './group-commit.ts'
import {
  afterOwned,
  blobShardKey,
  helpedKey,
  keyDepositKey,
  ownerOf,
  shardHeadKey,
  shardKey,
  usageKey,
} from './keys.ts'
import { SetMarks } from './set-marks.ts'
import {
  countedBytes,
  headSchema,
  type HelpGiven,
  type KeyDepositEntry,
  type NewShard,
  type ShardContent,
  type ShardHead,
  type ShardList,
  type ShardName,
  shardSchema,
  sizeOfContent,
  type Usage,
  usageSchema,
} from './kept-shard.ts'

const KEY_DEPOSIT_BYTES_MAX = 256 * 1024
const DECODED_BYTES_MAX = 4 * 1024 * 1024
const ID_BYTES = 32
const NOTHING = new Uint8Array(0)
const NO_USAGE: Usage = { shards: 0, bytes: 0 }

interface OwnedShardName extends ShardName {
  readonly custodian: string
}

export class ShardStore {
  /** What is known of sets beside their shards. */
  readonly marks: SetMarks
  readonly #database: Database
  readonly #usage: Map<string, Usage>
  readonly #writes: GroupCommit
  /** What the batch that is being made changes: sizes by name of a shard, and usage by custodian. */
  readonly #staged = { sizes: new Map<string, number | null>(), usage: new Map<string, Usage>() }

  private constructor(database: Database, usage: Map<string, Usage>) {
    this.marks = new SetMarks(database)
    this.#database = database
    this.#usage = usage
    this.#writes = new GroupCommit(database, {
      begin: () => this.#clearStaged(),
      finish: () => [...this.#staged.usage].map(([custodian, now]) => putUsage(custodian, now)),
      written: () => {
        for (const [custodian, now] of this.#staged.usage) this.#usage.set(custodian, now)
      },
    })
  }

  static async open(database: Database): Promise<ShardStore> {
    const store = new ShardStore(database, new Map())
    await store.marks.open()
    const from = usageKey('').subarray(0, 1)
    for await (const key of database.keys({ from, to: Uint8Array.of((from[0] ?? 0) + 1) })) {
      const custodian = new TextDecoder().decode(key.subarray(1, -1))
      const stored = unlessDamaged(() => database.getSync(key))
      const usage =
        stored === undefined ? await store.#recount(custodian) : decode(usageSchema, stored)
      store.#usage.set(custodian, usage)
    }
    return store
  }

  /** What is kept for each custodian counted anew, after shards were lost without a word. */
  static async recount(database: Database): Promise<void> {
    const store = new ShardStore(database, new Map())
    const operations: DatabaseOperation[] = []
    for (const letter of ['h', 'k'] as const) {
      const from = Uint8Array.of(letter.charCodeAt(0))
      const to = Uint8Array.of(letter.charCodeAt(0) + 1)
      for await (const key of database.keys({ from, to })) {
        const custodian = ownerOf(key)
        if (store.#usage.has(custodian)) continue
        const usage = await store.#recount(custodian)
        store.#usage.set(custodian, usage)
        operations.push(putUsage(custodian, usage))
      }
    }
    await database.batch(operations, { sync: true })
  }

  /** By custodian, as far as it is on the disk. */
  get usage(): ReadonlyMap<string, Usage> {
    return this.#usage
  }

  usageOf(custodian: string): Usage {
    return this.#usage.get(custodian) ?? NO_USAGE
  }

  /** All of them or none, durable when this resolves; what was there under the same name is replaced. */
  put(shards: readonly NewShard[]): Promise<void> {
    return this.#writes.write(() => shards.flatMap((shard) => this.#putOne(shard)))
  }

  /** Undefined when there is none. @throws StorageError corrupt */
  content({ setId, index }: ShardName): ShardContent | undefined {
    return this.#shard(setId, index)?.content
  }

  /** Undefined when there is no shard of that name. @throws StorageError corrupt */
  head(name: ShardName): ShardHead | undefined {
    const shard = this.#shard(name.setId, name.index)
    return shard === undefined ? undefined : this.headOf(shard.custodian, name)
  }

  /** Also where the shard itself is damaged, for who knows the custodian. @throws StorageError corrupt */
  headOf(custodian: string, { setId, index }: ShardName): ShardHead | undefined {
    const stored = this.#database.getSync(shardHeadKey(custodian, setId, index))
    if (stored === undefined) return undefined
    return { custodian, setId, index, ...decode(headSchema, stored) }
  }

  /** For whom a shard is kept, also where the shard itself is damaged. */
  custodianOf({ setId, index }: ShardName): string | undefined {
    return [...this.#usage.keys()].find((custodian) => {
      const key = shardHeadKey(custodian, setId, index)
      return unlessDamaged(() => this.#database.getSync(key), NOTHING) !== undefined
    })
  }

  /** Those of a set that are kept here; a damaged one is among them. */
  async indexesOf(setId: Uint8Array): Promise<number[]> {
    const found: number[] = []
    const range = { from: shardKey(setId, 0), to: shardKey(setId, 255) }
    for await (const key of this.#database.keys(range)) found.push(key.at(-1) ?? 0)
    return found
  }

  /** The same for many sets, of which the number of shards is known, in their order. */
  async indexesOfEach(sets: readonly { setId: Uint8Array; n: number }[]): Promise<number[][]> {
    const indexes = sets.map(({ n }) => Array.from({ length: n }, (_, index) => index))
    const keys = sets.flatMap(({ setId }, at) =>
      (indexes[at] ?? []).map((index) => shardKey(setId, index)),
    )
    const found = (await this.#database.have(keys)).values()
    return indexes.map((each) => each.filter(() => found.next().value === true))
  }

  /** Whether any shard here is in that blob. */
  async isBlobUsed(id: Uint8Array): Promise<boolean> {
    const from = blobShardKey(id, NOTHING, 0).subarray(0, 1 + ID_BYTES)
    const to = blobShardKey(id, new Uint8Array(ID_BYTES).fill(0xff), 255)
    return (await this.#database.firstKey({ from, to })) !== undefined
  }

  /** Durable; false when there is no such shard here. */
  async setHolders(name: ShardName, holders: readonly string[]): Promise<boolean> {
    let isHere = false
    await this.#writes.write(() => {
      const head = this.head(name)
      if (head === undefined) return []
      isHere = true
      return [putHead({ ...head, holders }, head.bytes)]
    })
    return isHere
  }

  /** Durable. A blob that no other shard is in may go when this has resolved. */
  async delete(custodian: string, names: readonly ShardName[]): Promise<void> {
    await this.#writes.write(() => names.flatMap((name) => this.#deleteOne(custodian, name)))
  }

  /** The same, and the files of the database have nothing of them any more. */
  async purge(custodian: string, names: readonly ShardName[]): Promise<void> {
    const keys = names.flatMap(({ setId, index }) => [
      shardKey(setId, index),
      shardHeadKey(custodian, setId, index),
    ])
    await this.#database.writeOver(keys, () => this.delete(custodian, names))
  }

  /**
   * The sets kept for a custodian, in the order of their names, behind one of them or from the first.
   * A damaged head is named, and no part of the list.
   */
  async list(custodian: string, after: ShardName | null, limit: number): Promise<ShardList> {
    const heads: ShardHead[] = []
    const damaged: ShardName[] = []
    let last: ShardName | null = null
    const from =
      after === null
        ? shardHeadKey(custodian, NOTHING, 0).subarray(0, -1)
        : behind(shardHeadKey(custodian, after.setId, after.index))
    for await (const key of this.#database.keys({ from, to: afterOwned('h', custodian), limit })) {
      const name = { setId: key.slice(-1 - ID_BYTES, -1), index: key.at(-1) ?? 0 }
      const head = unlessDamaged(() => this.headOf(custodian, name))
      if (head === undefined) damaged.push(name)
      else heads.push(head)
      last = name
    }
    return { heads, damaged, next: heads.length + damaged.length === limit ? last : null }
  }

  /** Durable when this resolves; the same deposit twice is one. */
  putKeys(custodian: string, deposits: readonly KeyDepositEntry[]): Promise<void> {
    return this.#writes.write(() =>
      deposits.flatMap(({ id, deposit }) => {
        if (deposit.length > KEY_DEPOSIT_BYTES_MAX) throw new RangeError('a key deposit too large')
        const key = keyDepositKey(custodian, id)
        const onDisk = unlessDamaged(() => this.#database.getSync(key))
        const known = this.#staged.sizes.get(toHex(key)) ?? onDisk?.length
        this.#staged.sizes.set(toHex(key), deposit.length)
        this.#count(custodian, { shards: 0, bytes: deposit.length - (known ?? 0) })
        return [{ type: 'put' as const, key, value: deposit }]
      }),
    )
  }

  /** In the order of their ids; a damaged one is left out, for others have it too. */
  async listKeys(
    custodian: string,
    after: Uint8Array | null,
    limit: number,
  ): Promise<KeyDepositEntry[]> {
    const found: KeyDepositEntry[] = []
    const first = keyDepositKey(custodian, after ?? NOTHING)
    const range = {
      from: after === null ? first : behind(first),
      to: afterOwned('k', custodian),
    }
    for await (const key of this.#database.keys(range)) {
      const deposit = unlessDamaged(() => this.#database.getSync(key))
      if (deposit !== undefined) found.push({ id: key.slice(-ID_BYTES), deposit })
      // A damaged one must not make a page look like the last.
      if (found.length === limit) break
    }
    return found
  }

  /** Without reading one; a damaged one counts. */
  async countKeys(custodian: string): Promise<number> {
    let count = 0
    const range = {
      from: keyDepositKey(custodian, NOTHING),
      to: afterOwned('k', custodian),
    }
    for await (const _ of this.#database.keys(range)) count += 1
    return count
  }

  /** Durable when this resolves. One for each set and legal group, however often it is told. */
  noteHelped(given: readonly HelpGiven[]): Promise<void> {
    return this.#writes.write(() =>
      given.map(({ setId, index, legalGroup }) => ({
        type: 'put',
        key: helpedKey(setId, legalGroup),
        value: Uint8Array.of(index),
      })),
    )
  }

  /** The number of the shard that the group was helped to; undefined for none. @throws StorageError corrupt */
  helpedTo(setId: Uint8Array, legalGroup: string): number | undefined {
    return this.#database.getSync(helpedKey(setId, legalGroup))?.[0]
  }

  /** Resolves when nothing is being written. */
  idle(): Promise<void> {
    return this.#writes.idle()
  }

  #shard(setId: Uint8Array, index: number): Infer<typeof shardSchema> | undefined {
    const stored = this.#database.getSync(shardKey(setId, index))
    return stored === undefined ? undefined : decode(shardSchema, stored, DECODED_BYTES_MAX)
  }

  #putOne(shard: NewShard): DatabaseOperation[] {
    const { custodian, setId, index, content } = shard
    const bytesOfShard = sizeOfContent(content)
    const added = bytesOfShard + shard.set.length + shard.manifest.length
    const name = nameOf(custodian, shard)
    const known = this.#sizeOf(name, shard)
    this.#staged.sizes.set(name, added)
    this.#count(custodian, { shards: known === null ? 1 : 0, bytes: added - (known ?? 0) })
    const operations: DatabaseOperation[] = [
      {
        type: 'put',
        key: shardKey(setId, index),
        value: encode(shardSchema, { custodian, content }),
      },
      putHead(shard, bytesOfShard),
    ]
    if (content.kind === 'blob') {
      const key = blobShardKey(content.body.id, setId, index)
      operations.push({ type: 'put', key, value: NOTHING })
    }
    return operations
  }

  #deleteOne(custodian: string, { setId, index }: ShardName): DatabaseOperation[] {
    const name = nameOf(custodian, { setId, index })
    const known = this.#sizeOf(name, { custodian, setId, index })
    if (known === null) return []
    this.#staged.sizes.set(name, null)
    this.#count(custodian, { shards: -1, bytes: -known })
    const content = unlessDamaged(() => this.content({ setId, index }))
    const operations: DatabaseOperation[] = [
      { type: 'del', key: shardKey(setId, index) },
      { type: 'del', key: shardHeadKey(custodian, setId, index) },
    ]
    if (content?.kind === 'blob') {
      operations.push({ type: 'del', key: blobShardKey(content.body.id, setId, index) })
    }
    return operations
  }

  /** What is counted for a shard; null when it is not here, or about to go. */
  #sizeOf(name: string, { custodian, setId, index }: OwnedShardName): number | null {
    const staged = this.#staged.sizes.get(name)
    if (staged !== undefined) return staged
    const key = shardHeadKey(custodian, setId, index)
    const stored = unlessDamaged(() => this.#database.getSync(key), NOTHING)
    if (stored === undefined) return null
    // What a damaged head had counted is not known any more; a count is no promise.
    if (stored.length === 0) return 0
    return countedBytes(decode(headSchema, stored))
  }

  #count(custodian: string, change: Usage): void {
    const before = this.#staged.usage.get(custodian) ?? this.usageOf(custodian)
    this.#staged.usage.set(custodian, {
      shards: before.shards + change.shards,
      bytes: before.bytes + change.bytes,
    })
  }

  async #recount(custodian: string): Promise<Usage> {
    const { heads, damaged } = await this.list(custodian, null, -1)
    const deposits = await this.listKeys(custodian, null, -1)
    return {
      shards: heads.length + damaged.length,
      bytes:
        heads.reduce((sum, head) => sum + countedBytes(head), 0) +
        deposits.reduce((sum, { deposit }) => sum + deposit.length, 0),
    }
  }

  #clearStaged(): void {
    this.#staged.sizes.clear()
    this.#staged.usage.clear()
  }
}

function nameOf(custodian: string, { setId, index }: ShardName): string {
  return `${custodian} ${toHex(setId)} ${index}`
}

function putHead(head: Omit<ShardHead, 'bytes'>, bytesOfShard: number): DatabaseOperation {
  const { custodian, setId, index, set, manifest, holders } = head
  return {
    type: 'put',
    key: shardHeadKey(custodian, setId, index),
    value: encode(headSchema, { set, manifest, holders: [...holders], bytes: bytesOfShard }),
  }
}

function putUsage(custodian: string, usage: Usage): DatabaseOperation {
  return { type: 'put', key: usageKey(custodian), value: encode(usageSchema, usage) }
}
