// One long shard on its way to its holder: begin, parts in order, commit.
//
// A step is one request, so that between two of them the holder can be given what is short. After a
// break the holder says how much it has, and the rest follows. Parts are whole fragments, which are
// read and checked once, and about a MiB: several copies of a part are on their way to every holder.

import {
  decodeShardSet,
  type DepositReceipt,
  fragmentBytesOf,
  type ShardHead,
  shardBytesOf,
  type VaultRequest,
} from '@mooring/records'
import type { UploadBlobs } from './shard-spool.ts'
import type { AnswerTo } from './vault-peers.ts'
import type { Parcel, QueuedRecord } from './vault-queue.ts'

const PART_BYTES = 1024 ** 2

export type AskHolder = <R extends VaultRequest>(request: R) => Promise<AnswerTo<R>>

export class LongDeposit {
  readonly record: QueuedRecord
  readonly index: number
  readonly #head: ShardHead
  readonly #leaf: Uint8Array
  readonly #shardBytes: number
  readonly #partBytes: number
  #received: number | null = null

  constructor(record: QueuedRecord, index: number, { set, manifest }: Omit<Parcel, 'queued'>) {
    const decoded = decodeShardSet(set)
    const leaf = decoded.leaves[index]
    if (leaf === undefined) throw new Error(`there is no shard ${index} in the set`)
    this.record = record
    this.index = index
    this.#leaf = leaf
    this.#shardBytes = shardBytesOf(decoded)
    const fragmentBytes = fragmentBytesOf(decoded, 0)
    this.#partBytes = Math.max(1, Math.round(PART_BYTES / fragmentBytes)) * fragmentBytes
    this.#head = { set, manifest, holders: [...record.holders], index }
  }

  /** One request; the receipt ends it. */
  async step(ask: AskHolder, blobs: UploadBlobs): Promise<DepositReceipt | null> {
    const shard = { setId: this.record.setId, index: this.index }
    if (this.#received === null) {
      const body = { head: this.#head, shardBytes: this.#shardBytes }
      this.#received = (await ask({ kind: 'deposit-begin', body })).body.received
      return null
    }
    const offset = this.#received
    if (offset >= this.#shardBytes)
      return (await ask({ kind: 'deposit-commit', body: { shard } })).body
    const length = Math.min(this.#partBytes, this.#shardBytes - offset)
    const part = await blobs.read(this.#leaf, offset, length)
    this.#received = (
      await ask({ kind: 'deposit-part', body: { shard, offset, part } })
    ).body.received
    return null
  }

  /** What was said before is forgotten: the next step asks again. */
  restart(): void {
    this.#received = null
  }
}
