// The sets a node knows of, from where they are kept: the holder's store, and the custodian's index for
// those of its records of which it holds no shard itself.

import type { ShardName } from '@mooring/records'
import type { ShardList } from '@mooring/storage'
import type { KeptShards } from './kept-shards.ts'
import { knownSet, type KnownSet, type KnownSets } from './known-sets.ts'

export interface IndexedSet {
  readonly setId: Uint8Array
  readonly arrival: number
  /** Encoded. */
  readonly set: Uint8Array
  /** Sealed. */
  readonly manifest: Uint8Array
  readonly holders: readonly string[]
}

/** Of the custodian's index. */
export interface SetIndex {
  getBySet(setId: Uint8Array): IndexedSet | undefined
  /** Newest first, below an arrival or from the newest. */
  list(before: number | null, limit: number): Promise<readonly IndexedSet[]>
  moved(setId: Uint8Array, index: number, holder: string): Promise<unknown>
}

export interface VaultSetsModules {
  readonly self: string
  readonly shards: Pick<KeptShards, 'of' | 'store'>
  readonly index: SetIndex
  readonly random: (length: number) => Uint8Array
}

const PAGE = 500

export class VaultSets implements KnownSets {
  readonly #modules: VaultSetsModules

  constructor(modules: VaultSetsModules) {
    this.#modules = modules
  }

  async *all(): AsyncGenerator<KnownSet> {
    const { self, shards, index } = this.#modules
    for (const custodian of Array.from(shards.store.usage.keys())) yield* this.#kept(custodian)
    let before: number | null = null
    // Arrivals count records: with as many shards here, there is one of each.
    const [newest] = await index.list(null, 1)
    if (shards.store.usageOf(self).shards >= (newest?.arrival ?? 0)) return
    for (;;) {
      const page: readonly IndexedSet[] = await index.list(before, PAGE)
      for (const entry of page) {
        before = entry.arrival
        const isKept = (await shards.store.indexesOf(entry.setId)).length > 0
        if (!isKept) yield knownSet(entry.setId, entry)
      }
      if (page.length < PAGE) return
    }
  }

  async get(setId: Uint8Array): Promise<KnownSet | undefined> {
    const [kept] = await this.#modules.shards.of(setId)
    const head = kept?.head ?? this.#modules.index.getBySet(setId)
    return head && knownSet(setId, head)
  }

  /** Names of sets are random, so what follows a random name is a random set. */
  async sample(count: number): Promise<KnownSet[]> {
    const { shards, random } = this.#modules
    const found: KnownSet[] = []
    const custodians = [...shards.store.usage].filter(([, usage]) => usage.shards > 0)
    const all = custodians.reduce((sum, [, usage]) => sum + usage.shards, 0)
    for (const [custodian, usage] of custodians) {
      const share = Math.ceil((count * usage.shards) / all)
      const start = { setId: random(32), index: 0 }
      const { heads } = await shards.store.list(custodian, start, share)
      const left = share - heads.length
      const first = left > 0 ? await shards.store.list(custodian, null, left) : { heads: [] }
      const sets = [...heads, ...first.heads].map((head) => knownSet(head.setId, head))
      found.push(...sets)
    }
    return once(found).slice(0, count)
  }

  async moved(setId: Uint8Array, index: number, holder: string): Promise<void> {
    const { shards } = this.#modules
    for (const { head } of await shards.of(setId)) {
      if (head.holders[index] === holder) continue
      await shards.store.setHolders(head, head.holders.with(index, holder))
    }
    await this.#modules.index.moved(setId, index, holder)
  }

  async *#kept(custodian: string): AsyncGenerator<KnownSet> {
    const { store } = this.#modules.shards
    let after: ShardName | null = null
    do {
      const { heads, next }: ShardList = await store.list(custodian, after, PAGE)
      for (const [at, head] of heads.entries()) {
        // Of a set with several shards here the last one speaks.
        if (heads[at + 1] !== undefined && isSame(heads[at + 1], head)) continue
        yield knownSet(head.setId, head)
      }
      after = next
    } while (after !== null)
  }
}

function isSame(a: { setId: Uint8Array } | undefined, b: { setId: Uint8Array }): boolean {
  return a !== undefined && Buffer.compare(a.setId, b.setId) === 0
}

function once(sets: readonly KnownSet[]): KnownSet[] {
  return [...new Map(sets.map((set) => [Buffer.from(set.setId).toString('hex'), set])).values()]
}
