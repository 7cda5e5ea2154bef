// Holders that keep what they are given in memory, and that a test can switch off, fill up or turn into
// liars: the other side of placing, without a disk and without a network.

import { concatBytes, equalBytes, toHex } from '@mooring/codec'
import { sign } from '@mooring/crypto'
import {
  batchRoot,
  decodeBatchDeposit,
  decodeKeyDeposit,
  decodeShardSet,
  type DepositItem,
  depositReceiptMessage,
  isShard,
  leavesOfDeposit,
  type Manifest,
  openRecord,
  type ShardHead,
  type ShardName,
  shardSetId,
  type VaultAnswer,
  type VaultRequest,
} from '@mooring/records'
import { VaultPeerError, type VaultPeers } from '../src/vault-peers.ts'
import { keyOf, NAMES } from './chain-members.ts'

export type HolderState = 'up' | 'away' | 'silent' | 'full' | 'forging'

interface Holder {
  state: HolderState
  readonly shards: Map<string, Uint8Array>
  readonly keys: Map<string, Uint8Array>
  /** Leaves, by root. */
  readonly batches: Map<string, Uint8Array>
  /** Long shards on their way. */
  readonly open: Map<string, { set: Uint8Array; parts: Uint8Array[] }>
}

export class MemoryHolders {
  readonly holders = new Map<string, Holder>()
  /** Requests that were answered, by kind. */
  readonly answered: string[] = []
  readonly #self: string

  constructor(self: string, names: readonly string[] = NAMES) {
    this.#self = self
    for (const name of names)
      this.holders.set(name, {
        state: 'up',
        shards: new Map(),
        keys: new Map(),
        batches: new Map(),
        open: new Map(),
      })
  }

  get peers(): VaultPeers {
    return {
      self: this.#self,
      isConnected: (name) => this.holder(name).state !== 'away',
      request: async (name, request) => {
        const answer = await this.#answer(name, request)
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- of the kind asked for
        return answer as never
      },
    }
  }

  holder(name: string): Holder {
    const holder = this.holders.get(name)
    if (holder === undefined) throw new Error(`there is no holder ${name}`)
    return holder
  }

  set(state: HolderState, ...names: string[]): void {
    for (const name of names) this.holder(name).state = state
  }

  /** Who has which shard of a set. */
  placesOf(setId: Uint8Array): { holder: string; index: number }[] {
    return [...this.holders].flatMap(([holder, { shards }]) =>
      [...shards.keys()]
        .filter((name) => name.startsWith(toHex(setId)))
        .map((name) => ({ holder, index: Number(name.split('/')[1]) })),
    )
  }

  /** The record, from whatever shards the others have. */
  open(encodedSet: Uint8Array, manifest: Manifest): Uint8Array | undefined {
    const set = decodeShardSet(encodedSet)
    const shards: (Uint8Array | null)[] = Array.from({ length: set.n }, () => null)
    for (const [name, { shards: kept }] of this.holders) {
      if (name === this.#self) continue
      for (const index of shards.keys()) {
        const shard = kept.get(`${toHex(shardSetId(encodedSet))}/${index}`)
        if (shard !== undefined) shards[index] = shard
      }
    }
    const opened = openRecord(set, manifest, shards)
    return opened.ok ? opened.raw : undefined
  }

  async #answer(name: string, request: VaultRequest): Promise<VaultAnswer> {
    const holder = this.holder(name)
    await Promise.resolve()
    if (holder.state === 'away') throw new VaultPeerError('unreachable', name)
    if (holder.state === 'silent') throw new VaultPeerError('timeout', name)
    this.answered.push(`${request.kind} ${name}`)
    if (request.kind === 'deposit') return this.#deposit(name, request.body.items)
    if (request.kind === 'deposit-with-keys') {
      this.#keys(name, request.body.keys)
      return this.#deposit(name, request.body.items)
    }
    if (request.kind === 'deposit-begin') return this.#begin(name, request.body)
    if (request.kind === 'deposit-part') return this.#part(name, request.body)
    if (request.kind === 'deposit-commit') return this.#commit(name, request.body.shard)
    if (request.kind === 'deposit-batches') return this.#batches(name, request.body.items)
    if (request.kind !== 'deposit-keys')
      throw new Error(`a custodian does not ask for ${request.kind}`)
    this.#keys(name, request.body.items)
    return { kind: 'done', body: {} }
  }

  #keys(name: string, items: readonly Uint8Array[]): void {
    for (const encoded of items)
      this.holder(name).keys.set(toHex(decodeKeyDeposit(encoded).id), encoded)
  }

  #batches(name: string, items: readonly Uint8Array[]): VaultAnswer {
    for (const encoded of items) {
      const root = batchRoot(leavesOfDeposit(decodeBatchDeposit(encoded)))
      this.holder(name).batches.set(toHex(root), encoded)
    }
    return { kind: 'done', body: {} }
  }

  #begin(name: string, { head }: { head: ShardHead }): VaultAnswer {
    const { open } = this.holder(name)
    const key = `${toHex(shardSetId(head.set))}/${head.index}`
    const known = open.get(key) ?? { set: head.set, parts: [] }
    open.set(key, known)
    return { kind: 'part', body: { received: sizeOf(known.parts) } }
  }

  #part(
    name: string,
    { shard, offset, part }: { shard: ShardName; offset: number; part: Uint8Array },
  ): VaultAnswer {
    const known = this.holder(name).open.get(`${toHex(shard.setId)}/${shard.index}`)
    if (known === undefined || sizeOf(known.parts) !== offset) throw new Error('no such part')
    known.parts.push(part.slice())
    return { kind: 'part', body: { received: sizeOf(known.parts) } }
  }

  #commit(name: string, { setId, index }: ShardName): VaultAnswer {
    const { open, shards } = this.holder(name)
    const key = `${toHex(setId)}/${index}`
    const known = open.get(key)
    const shard = known === undefined ? shards.get(key) : concatBytes(...known.parts)
    if (shard === undefined) throw new Error('nothing to commit')
    if (known !== undefined && !isShard(decodeShardSet(known.set), index, shard))
      throw new Error('a shard of another set')
    open.delete(key)
    shards.set(key, shard)
    const message = depositReceiptMessage({
      depositor: this.#self,
      holder: name,
      shards: [{ setId, index }],
    })
    const signature = sign(keyOf(name, 'anchor'), message)
    return { kind: 'receipt', body: { holder: name, signature, refused: [] } }
  }

  #deposit(name: string, items: readonly DepositItem[]): VaultAnswer {
    const holder = this.holder(name)
    const shards: { setId: Uint8Array; index: number }[] = []
    const refused: { position: number; code: string }[] = []
    for (const [position, { set, index, shard }] of items.entries()) {
      const setId = shardSetId(set)
      if (holder.state === 'full') {
        refused.push({ position, code: 'holder_full' })
        continue
      }
      if (!isShard(decodeShardSet(set), index, shard)) throw new Error('a shard of another set')
      const key = `${toHex(setId)}/${index}`
      const earlier = holder.shards.get(key)
      if (earlier !== undefined && !equalBytes(earlier, shard)) throw new Error('another shard')
      holder.shards.set(key, shard.slice())
      shards.push({ setId, index })
    }
    const message = depositReceiptMessage({ depositor: this.#self, holder: name, shards })
    const signer = holder.state === 'forging' ? 'somebody' : name
    const signature = sign(keyOf(signer, 'anchor'), message)
    return { kind: 'receipt', body: { holder: name, signature, refused } }
  }
}

function sizeOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0)
}
