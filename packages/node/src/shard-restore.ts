// This holder makes shards again that it was to have, or is to have from now on, and tells the others.
//
// Small ones are made while whoever asked waits. A large one takes longer than an answer may: it goes on
// in the background, straight into the blob store, and asking again tells how it stands.

import { toHex } from '@mooring/codec'
import {
  decodeShardSet,
  fragmentBytesOf,
  type RepairQuestion,
  type ShardHead,
  shardBytesOf,
  type ShardSet,
  shardSetId,
} from '@mooring/records'
import { type BlobStore, INLINE_SHARD_BYTES_MAX } from '@mooring/storage'
import { cutToSize } from './cut-to-size.ts'
import type { KeptShards } from './kept-shards.ts'
import type { Logger } from './logger.ts'
import { Rebuild, type RebuildItem } from './repair-rebuild.ts'
import type { HolderView } from './set-health.ts'
import { orSilence, type VaultPeers } from './vault-peers.ts'

export type RestoreOutcome =
  | 'kept'
  | 'under_way'
  | 'malformed'
  | 'has_another'
  /** Its custodian has erased the set: nobody makes it again. */
  | 'set_erased'
  | 'holder_full'
  | 'quota_exceeded'
  | 'too_few_helpers'
  | 'helpers_disagree'
  | 'failed'

export interface RestoreModules {
  readonly self: string
  readonly peers: VaultPeers
  readonly view: HolderView
  readonly kept: KeptShards
  readonly blobs: Pick<BlobStore, 'create'>
  readonly random: (length: number) => Uint8Array
  readonly logger: Logger
  /** So many shards of this custodian were made again here. */
  readonly noteMade: (custodian: string, shards: number) => Promise<void>
  /** Undefined when there is room for so many bytes of this custodian. */
  readonly checkRoom: (
    custodian: string,
    bytes: number,
  ) => Promise<'holder_full' | 'quota_exceeded' | undefined>
}

interface Restoring extends RebuildItem {
  readonly head: ShardHead
  readonly holders: readonly string[]
}

const PART_TIMEOUT_MS = 20_000
const MOVED_TIMEOUT_MS = 10_000
const LARGE_AT_ONCE = 2
/** What fits into one answer of a helper. */
const GROUP_MAX = { itemsMax: 256, bytesMax: 4 << 20 }

export class ShardRestore {
  readonly #modules: RestoreModules
  readonly #underWay = new Map<string, Promise<RestoreOutcome>>()
  readonly #ended = new Map<string, RestoreOutcome>()
  #isClosed = false

  constructor(modules: RestoreModules) {
    this.#modules = modules
  }

  /** Of shards of any size, in the order of the items. */
  async restore(
    items: readonly ShardHead[],
    avoid: readonly string[],
  ): Promise<{ outcomes: RestoreOutcome[]; liars: readonly string[] }> {
    const rebuild = this.#newRebuild(avoid)
    const outcomes = new Map<ShardHead, RestoreOutcome>()
    const small: Restoring[] = []
    for (const head of items) {
      const restoring = await this.#judge(head)
      if (typeof restoring === 'string') outcomes.set(head, restoring)
      else if (isSmall(restoring.set)) small.push(restoring)
      else outcomes.set(head, this.#large(restoring, avoid))
    }
    for (const group of cutToSize(small, ({ set }) => shardBytesOf(set), GROUP_MAX)) {
      await this.#makeSmall(rebuild, group, outcomes)
    }
    return { outcomes: items.map((head) => outcomes.get(head) ?? 'failed'), liars: rebuild.liars }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all(this.#underWay.values())
  }

  async #makeSmall(
    rebuild: Rebuild,
    group: readonly Restoring[],
    outcomes: Map<ShardHead, RestoreOutcome>,
  ): Promise<void> {
    const rebuilt = await rebuild.small(group)
    const made = group.flatMap((each, at) => {
      const result = rebuilt[at]
      if (result !== undefined && 'shard' in result) return [{ each, shard: result.shard }]
      outcomes.set(each.head, result?.code ?? 'failed')
      return []
    })
    await this.#modules.kept.put(
      made.map(({ each: { head, set, setId, holders, index }, shard }) => {
        const { set: encoded, manifest } = head
        const { custodian } = set
        return { setId, index, custodian, set: encoded, manifest, holders, decoded: set, shard }
      }),
    )
    for (const { each } of made) outcomes.set(each.head, 'kept')
    await this.#note(made.map(({ each }) => each))
    await this.#tellMoved(made.map(({ each }) => each))
  }

  async #judge(head: ShardHead): Promise<Restoring | RestoreOutcome> {
    const { self, kept, view, checkRoom } = this.#modules
    const { index } = head
    let set: ShardSet
    try {
      set = decodeShardSet(head.set)
    } catch {
      return 'malformed'
    }
    if (index >= set.n || set.k < 2 || head.holders.length !== set.n) return 'malformed'
    const setId = shardSetId(head.set)
    if (kept.store.marks.isErased(set.custodian, setId)) return 'set_erased'
    const here = await kept.of(setId)
    const same = here.find((each) => each.head.index === index)
    const holders = head.holders.with(index, self)
    if (same !== undefined && (await kept.verify(same))) {
      if (same.head.holders[index] !== self) await kept.store.setHolders({ setId, index }, holders)
      return 'kept'
    }
    const groupOf = new Map(view.organisations().map(({ id, legalGroup }) => [id, legalGroup]))
    const own = groupOf.get(self)
    const others = head.holders.filter((_, at) => at !== index)
    const isDouble = others.some((holder) => groupOf.get(holder) === own)
    if (isDouble || here.some((each) => each.head.index !== index)) return 'has_another'
    const full = await checkRoom(set.custodian, shardBytesOf(set))
    if (full !== undefined) return full
    const places = head.holders
      .map((holder, at) => ({ holder, index: at }))
      .filter(({ holder, index: at }) => at !== index && groupOf.has(holder))
      .filter(({ holder }) => view.awayMs(holder) === 0)
    return { head, set, setId, index, places, holders }
  }

  /** Begins, or tells how it stands. */
  #large(restoring: Restoring, avoid: readonly string[]): RestoreOutcome {
    const name = `${toHex(restoring.setId)} ${restoring.index}`
    const ended = this.#ended.get(name)
    if (ended !== undefined) {
      this.#ended.delete(name)
      return ended
    }
    if (this.#underWay.has(name) || this.#underWay.size >= LARGE_AT_ONCE) return 'under_way'
    const work = this.#makeLarge(restoring, avoid)
      .catch((error: unknown): RestoreOutcome => {
        this.#modules.logger.error('a large shard could not be made again', { error })
        return 'failed'
      })
      .then((outcome) => {
        this.#underWay.delete(name)
        this.#ended.set(name, outcome)
        return outcome
      })
    this.#underWay.set(name, work)
    return 'under_way'
  }

  async #makeLarge(restoring: Restoring, avoid: readonly string[]): Promise<RestoreOutcome> {
    const { blobs, kept } = this.#modules
    const { head, set, setId, index, holders } = restoring
    const id = set.leaves[index]
    if (id === undefined) return 'malformed'
    let writer = await blobs.create({ id, pieceBytes: fragmentBytesOf(set, 0) })
    try {
      const failure = await this.#newRebuild(avoid).large(restoring, {
        begin: async () => {
          await writer.abort()
          writer = await blobs.create({ id, pieceBytes: fragmentBytesOf(set, 0) })
        },
        piece: async (bytes) => {
          if (this.#isClosed) throw new Error('the node is stopping')
          await writer.write(bytes)
        },
      })
      if (failure !== undefined) {
        await writer.abort()
        return failure
      }
      await writer.commit()
    } catch (error) {
      await writer.abort()
      throw error
    }
    const { set: encoded, manifest } = head
    const content = { kind: 'blob' as const, body: { id, bytes: shardBytesOf(set) } }
    const { custodian } = set
    await kept.putMade([{ setId, index, custodian, set: encoded, manifest, holders, content }])
    await this.#note([restoring])
    await this.#tellMoved([restoring])
    return 'kept'
  }

  async #note(made: readonly Restoring[]): Promise<void> {
    const counts = new Map<string, number>()
    for (const { set } of made) counts.set(set.custodian, (counts.get(set.custodian) ?? 0) + 1)
    for (const [custodian, shards] of counts) await this.#modules.noteMade(custodian, shards)
  }

  #newRebuild(avoid: readonly string[]): Rebuild {
    const { self, random, peers } = this.#modules
    const ask = async (helper: string, questions: readonly RepairQuestion[]) => {
      const request = { kind: 'repair' as const, body: { questions: [...questions] } }
      const answer = await peers.request(helper, request, { timeoutMs: PART_TIMEOUT_MS })
      return answer.body.parts
    }
    return new Rebuild({ self, random, ask }, avoid)
  }

  /** Everybody else who may read, serve or repair the set; who is away sees it when it looks. */
  async #tellMoved(made: readonly Restoring[]): Promise<void> {
    const { self, peers, view } = this.#modules
    const told = new Map<string, { setId: Uint8Array; index: number }[]>()
    for (const { head, set, setId, index } of made) {
      if (head.holders[index] === self) continue
      for (const other of new Set([...head.holders, set.custodian])) {
        if (other === self || view.awayMs(other) > 0) continue
        const shards = told.get(other) ?? []
        shards.push({ setId, index })
        told.set(other, shards)
      }
    }
    await Promise.all(
      Array.from(told, async ([other, shards]) => {
        const request = { kind: 'moved' as const, body: { holder: self, shards } }
        await orSilence(peers.request(other, request, { timeoutMs: MOVED_TIMEOUT_MS }))
      }),
    )
  }
}

function isSmall(set: ShardSet): boolean {
  return set.segmentCount === 1 && shardBytesOf(set) <= INLINE_SHARD_BYTES_MAX
}
