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
} from '@mooring/records'
import type { KeyDepositEntry } from '@mooring/storage'
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

interface Taken {
  readonly position: number
  readonly checked: CheckedShard
}

interface Judged {
  readonly kept: readonly Taken[]
  readonly fresh: readonly Taken[]
  readonly refused: Refused[]
}

interface CheckedKeys {
  readonly deposits: readonly KeyDepositEntry[]
  readonly bytes: number
}

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
    const judged = await this.#judge(sender, items)
    return await this.#take(sender, judged, null)
  }

  /** Class keys and shards under them: the keys all or none, and without them no shard. */
  async depositWithKeys(
    sender: string,
    { keys, items }: { keys: readonly Uint8Array[]; items: readonly DepositItem[] },
  ): Promise<DepositReceipt | KeyDepositRefusal | 'holder_full'> {
    const checked = checkKeys(sender, keys)
    if (typeof checked === 'string') return checked
    const judged = await this.#judge(sender, items)
    const full = this.#reserve(sender, checked.bytes)
    return full ?? (await this.#take(sender, judged, checked))
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
    const [held = []] = await this.#modules.shards.store.indexesOfEach([{ setId, n: decoded.n }])
    if (held.some((index) => index !== name.index)) return 'placement_implausible'
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
    const checked = checkKeys(sender, items)
    if (typeof checked === 'string') return checked
    await this.#modules.space.bytes()
    const full = this.#reserve(sender, checked.bytes)
    if (full === undefined) await this.#writeKeys(sender, checked)
    return full
  }

  #unlessErased<T extends { setId: Uint8Array }>(
    checked: T | DepositRefusal,
    custodian: string,
  ): T | DepositRefusal {
    if (typeof checked === 'string') return checked
    const { marks } = this.#modules.shards.store
    return marks.isErased(custodian, checked.setId) ? 'set_erased' : checked
  }

  /** All that can be said of them without taking room. */
  async #judge(sender: string, items: readonly DepositItem[]): Promise<Judged> {
    const context = this.#contextOf(sender)
    const taken: Taken[] = []
    const refused: Refused[] = []
    for (const [position, item] of items.entries()) {
      if (position > 0 && position % ITEMS_A_TURN === 0) await nextTurn()
      const checked = this.#unlessErased(checkDeposit(item, context), sender)
      if (typeof checked === 'string') refused.push({ position, code: checked })
      else taken.push({ position, checked })
    }
    const { shards, space } = this.#modules
    const sets = taken.map(({ checked: { setId, decoded } }) => ({ setId, n: decoded.n }))
    const held = await shards.store.indexesOfEach(sets)
    const kept: Taken[] = []
    const fresh: Taken[] = []
    /** Of those that come together. */
    const indexes = new Map<string, number>()
    for (const [at, one] of taken.entries()) {
      const { index, setId } = one.checked
      const here = held[at] ?? []
      if (here.includes(index) && (await this.#isKept(one.checked))) {
        kept.push(one)
        continue
      }
      const name = toHex(setId)
      const first = indexes.get(name) ?? index
      indexes.set(name, first)
      if ([first, ...here].every((other) => other === index)) fresh.push(one)
      else refused.push({ position: one.position, code: 'placement_implausible' })
    }
    await space.bytes()
    return { kept, fresh, refused }
  }

  /** Writes what there is room for, and the keys, which have theirs. */
  async #take(
    sender: string,
    { kept, fresh, refused }: Judged,
    keys: CheckedKeys | null,
  ): Promise<DepositReceipt> {
    const given: Taken[] = []
    for (const one of fresh) {
      const full = this.#reserve(sender, sizeOf(one.checked))
      if (full === undefined) given.push(one)
      else refused.push({ position: one.position, code: full })
    }
    const writing = [this.#writeShards(sender, given)]
    if (keys !== null) writing.push(this.#writeKeys(sender, keys))
    await Promise.all(writing)
    const names = [...kept, ...given].toSorted((a, b) => a.position - b.position)
    return this.#receipt(
      sender,
      names.map(({ checked }) => checked),
      refused,
    )
  }

  async #writeShards(sender: string, given: readonly Taken[]): Promise<void> {
    if (given.length === 0) return
    const shards = given.map(({ checked }) => checked)
    const bytes = shards.reduce((sum, checked) => sum + sizeOf(checked), 0)
    await this.#arrive(sender, bytes, () => this.#modules.shards.put(shards))
  }

  async #writeKeys(sender: string, { deposits, bytes }: CheckedKeys): Promise<void> {
    const { store } = this.#modules.shards
    await this.#arrive(sender, bytes, () => store.putKeys(sender, deposits))
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

  /** Takes the room when there is some, as last measured: whoever asks next finds so much less. */
  #reserve(sender: string, bytes: number): 'quota_exceeded' | 'holder_full' | undefined {
    const { space } = this.#modules
    const refusal = checkRoom(bytes, this.#roomOf(sender, space.left))
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

function checkKeys(sender: string, items: readonly Uint8Array[]): CheckedKeys | KeyDepositRefusal {
  const deposits: KeyDepositEntry[] = []
  for (const encoded of items) {
    const checked: KeyDeposit | KeyDepositRefusal = checkKeyDeposit(encoded, sender)
    if (typeof checked === 'string') return checked
    deposits.push({ id: checked.id, deposit: encoded })
  }
  return { deposits, bytes: items.reduce((sum, { length }) => sum + length, 0) }
}

function sizeOf({ shard, set, manifest }: CheckedShard): number {
  return shard.length + set.length + manifest.length
}
