// Taking what custodians deposit: judged one by one, written together, receipted with one signature.
//
// A deposit may be repeated: what is here already is receipted again and not written twice. Room is judged
// with what is on its way in, so that many at once do not pass a limit that each alone keeps.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { equalBytes, toHex } from '@mooring/codec'
import { type KeyPair, sign } from '@mooring/crypto'
import {
  type DepositItem,
  type DepositReceipt,
  depositReceiptMessage,
  type KeyDeposit,
  type ShardHead,
  type ShardName,
  shardBytesOf,
  type ShardSet,
} from '@mooring/records'
import type { FreeSpace } from './free-space.ts'
import {
  checkDeposit,
  checkHead,
  checkKeyDeposit,
  checkRoom,
  type DepositContext,
  type DepositRefusal,
  type KeyDepositRefusal,
  type Room,
} from './holder-terms.ts'
import type { HolderUploads, UploadRefusal } from './holder-uploads.ts'
import type { CheckedShard, KeptShards } from './kept-shards.ts'

export interface HolderDepositsOptions {
  readonly self: string
  readonly anchorKey: KeyPair
  /** Bytes for one custodian; null: as many as there is room. */
  readonly quotaBytes: number | null
  /** Bytes of the disk that deposits leave free. */
  readonly reserveBytes: number
}

export interface HolderDepositsModules {
  readonly shards: KeptShards
  readonly uploads: HolderUploads
  readonly space: FreeSpace
  readonly groupOf: (organisation: string) => string | undefined
}

type Refused = DepositReceipt['refused'][number]

/** Items between two turns of the event loop: hashing a message full of shards takes a while. */
const ITEMS_A_TURN = 32

export class HolderDeposits {
  readonly #options: HolderDepositsOptions
  readonly #modules: HolderDepositsModules
  /** Bytes on their way to the disk, by custodian. */
  readonly #arriving = new Map<string, number>()

  constructor(options: HolderDepositsOptions, modules: HolderDepositsModules) {
    this.#options = options
    this.#modules = modules
  }

  async deposit(sender: string, items: readonly DepositItem[]): Promise<DepositReceipt> {
    const context = this.#contextOf(sender)
    const taken: { position: number; checked: CheckedShard }[] = []
    const refused: Refused[] = []
    for (const [position, item] of items.entries()) {
      if (position > 0 && position % ITEMS_A_TURN === 0) await nextTurn()
      const checked = this.#unlessErased(checkDeposit(item, context), sender)
      if (typeof checked === 'string') refused.push({ position, code: checked })
      else taken.push({ position, checked })
    }
    const names = await this.#keep(sender, taken, refused)
    return this.#receipt(sender, names, refused)
  }

  /** Bytes that are here already. */
  async begin(
    sender: string,
    { head, shardBytes }: { head: ShardHead; shardBytes: number },
  ): Promise<number | DepositRefusal | UploadRefusal> {
    const checked = this.#unlessErased(checkHead(head, this.#contextOf(sender)), sender)
    if (typeof checked === 'string') return checked
    const { setId, decoded } = checked
    if (shardBytes !== shardBytesOf(decoded)) return 'shard_wrong'
    const name = { setId, index: head.index }
    if (await this.#modules.shards.has(name)) return shardBytes
    if (this.#hasAnother(name, decoded)) return 'placement_implausible'
    const { uploads, space } = this.#modules
    const isNew = !uploads.isOpen(sender, name)
    const room = this.#roomOf(sender, await space.bytes())
    const full = isNew ? checkRoom(shardBytes, room) : undefined
    return full ?? (await uploads.begin(sender, head, checked))
  }

  /** Bytes that are here with this part. */
  async part(
    sender: string,
    body: { shard: ShardName; offset: number; part: Uint8Array },
  ): Promise<number | DepositRefusal | UploadRefusal> {
    const { reserve, free } = this.#roomOf(sender, await this.#modules.space.bytes())
    if (free !== null && free - body.part.length < reserve) return 'holder_full'
    this.#modules.space.promise(body.part.length)
    return await this.#modules.uploads.part(sender, body)
  }

  async commit(
    sender: string,
    shard: ShardName,
  ): Promise<DepositReceipt | DepositRefusal | UploadRefusal> {
    const { shards, uploads } = this.#modules
    const kept = shards.find(shard)
    if (kept?.head.custodian === sender && (await shards.has(shard))) {
      return this.#receipt(sender, [shard], [])
    }
    const made = await uploads.commit(sender, shard)
    if (typeof made === 'string') return made
    if (shards.store.marks.isErased(sender, shard.setId)) {
      await shards.dropBlob(made)
      return 'set_erased'
    }
    await shards.putMade([made])
    return this.#receipt(sender, [shard], [])
  }

  /** All or none. */
  async keys(
    sender: string,
    items: readonly Uint8Array[],
  ): Promise<KeyDepositRefusal | 'holder_full' | undefined> {
    const deposits: { id: Uint8Array; deposit: Uint8Array }[] = []
    for (const encoded of items) {
      const checked: KeyDeposit | KeyDepositRefusal = checkKeyDeposit(encoded, sender)
      if (typeof checked === 'string') return checked
      deposits.push({ id: checked.id, deposit: encoded })
    }
    const bytes = items.reduce((sum, { length }) => sum + length, 0)
    const full = await this.#reserve(sender, bytes)
    if (full !== undefined) return full
    await this.#arrive(sender, bytes, () => this.#modules.shards.store.putKeys(sender, deposits))
    return undefined
  }

  #unlessErased<T extends { setId: Uint8Array }>(
    checked: T | DepositRefusal,
    custodian: string,
  ): T | DepositRefusal {
    if (typeof checked === 'string') return checked
    const { marks } = this.#modules.shards.store
    return marks.isErased(custodian, checked.setId) ? 'set_erased' : checked
  }

  async #keep(
    sender: string,
    taken: readonly { position: number; checked: CheckedShard }[],
    refused: Refused[],
  ): Promise<ShardName[]> {
    const unknown: { position: number; checked: CheckedShard }[] = []
    for (const one of taken) if (!(await this.#isKept(one.checked))) unknown.push(one)
    const fresh: CheckedShard[] = []
    const indexes = new Map<string, number>()
    let bytes = 0
    for (const { position, checked } of unknown) {
      const code = this.#hasAnother(checked, checked.decoded, indexes)
        ? 'placement_implausible'
        : await this.#reserve(sender, sizeOf(checked))
      if (code === undefined) {
        bytes += sizeOf(checked)
        fresh.push(checked)
      } else refused.push({ position, code })
    }
    if (fresh.length > 0) {
      await this.#arrive(sender, bytes, () => this.#modules.shards.put(fresh))
    }
    const refusedAt = new Set(refused.map(({ position }) => position))
    return taken.flatMap(({ position, checked }) => (refusedAt.has(position) ? [] : [checked]))
  }

  /**
   * A custodian that heard nothing of the first one may have moved it, and give another to the same holder;
   * nobody keeps two. `indexes` are of those that come with it.
   */
  #hasAnother(name: ShardName, { n }: ShardSet, indexes = new Map<string, number>()): boolean {
    const set = toHex(name.setId)
    const index = indexes.get(set) ?? name.index
    indexes.set(set, index)
    return index !== name.index || this.#modules.shards.store.hasOther(name, n)
  }

  async #isKept(checked: CheckedShard): Promise<boolean> {
    const { shards } = this.#modules
    const kept = shards.find(checked)
    if (kept === undefined || !equalBytes(kept.head.manifest, checked.manifest)) return false
    const { holders } = kept.head
    if (!checked.holders.every((holder, at) => holders[at] === holder)) return false
    return await shards.has(checked)
  }

  /** Of what comes here without its custodian: a shard that is made again, a copied class key. */
  async refuseRoom(
    custodian: string,
    bytes: number,
  ): Promise<'quota_exceeded' | 'holder_full' | undefined> {
    const { space } = this.#modules
    const refusal = checkRoom(bytes, this.#roomOf(custodian, await space.bytes()))
    if (refusal === undefined) space.promise(bytes)
    return refusal
  }

  /** Takes the room at once when there is some: whoever asks next finds so much less. */
  async #reserve(
    sender: string,
    bytes: number,
  ): Promise<'quota_exceeded' | 'holder_full' | undefined> {
    const { space } = this.#modules
    const free = await space.bytes()
    const refusal = checkRoom(bytes, this.#roomOf(sender, free))
    if (refusal !== undefined) return refusal
    space.promise(bytes)
    this.#arriving.set(sender, (this.#arriving.get(sender) ?? 0) + bytes)
    return undefined
  }

  #roomOf(sender: string, free: number | null): Room {
    const { shards, uploads } = this.#modules
    const { quotaBytes, reserveBytes } = this.#options
    const coming = (this.#arriving.get(sender) ?? 0) + uploads.announced(sender)
    const used = shards.store.usageOf(sender).bytes + coming
    return { used, quota: quotaBytes, free, reserve: reserveBytes }
  }

  /** Writes what room was taken for; from then on it counts as kept, or not at all. */
  async #arrive(sender: string, bytes: number, write: () => Promise<void>): Promise<void> {
    try {
      await write()
    } finally {
      this.#arriving.set(sender, (this.#arriving.get(sender) ?? 0) - bytes)
    }
  }

  #contextOf(sender: string): DepositContext {
    return { sender, self: this.#options.self, groupOf: this.#modules.groupOf }
  }

  #receipt(depositor: string, shards: readonly ShardName[], refused: Refused[]): DepositReceipt {
    const { self, anchorKey } = this.#options
    const named = shards.map(({ setId, index }) => ({ setId, index }))
    const message = depositReceiptMessage({ depositor, holder: self, shards: named })
    const sorted = refused.toSorted((a, b) => a.position - b.position)
    return { holder: self, signature: sign(anchorKey, message), refused: sorted }
  }
}

function sizeOf({ shard, set, manifest }: CheckedShard): number {
  return shard.length + set.length + manifest.length
}
