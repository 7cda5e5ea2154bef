// The leaves of anchored batches, at a holder: what it takes, and what it tells of them.
//
// It takes the leaves of a batch that their custodian has anchored: the chain has the root, so whoever sends
// them can send no others. They open nothing, and every member may ask for them. How much a custodian can
// have kept here is bounded by what the chain lets it anchor, so they count for no quota; a disk that is
// full still says no.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { CodecError } from '@mooring/codec'
import {
  batchPath,
  batchRoot,
  decodeBatchDeposit,
  FOUND_LEAVES_MAX,
  leavesOfDeposit,
  type VaultAnswer,
  type VaultRequest,
} from '@mooring/records'
import type { LeafStore, NewKeptBatch } from '@mooring/storage'
import type { FinalRoots } from './final-roots.ts'

type Body<K extends VaultRequest['kind']> = Extract<VaultRequest, { kind: K }>['body']
type AnswerBody<K extends VaultAnswer['kind']> = Extract<VaultAnswer, { kind: K }>['body']

export type BatchRefusal =
  | 'batch_malformed'
  | 'not_the_custodian'
  | 'batch_not_anchored'
  | 'quota_exceeded'
  | 'holder_full'

export interface HolderBatchesModules {
  readonly store: LeafStore
  readonly roots: FinalRoots
  readonly refuseRoom: (
    custodian: string,
    bytes: number,
  ) => Promise<'quota_exceeded' | 'holder_full' | undefined>
}

/** Of an answer, which the wire limits to 5 MiB. */
const LIST_BYTES_MAX = 4 * 1024 * 1024
/** Leaves are also found by name, which takes room beside the batch. */
const ROOM_FACTOR = 4

export class HolderBatches {
  readonly #modules: HolderBatchesModules

  constructor(modules: HolderBatchesModules) {
    this.#modules = modules
  }

  /** Durable, all or none. Undefined: they are here. */
  async deposit(
    custodian: string,
    items: readonly Uint8Array[],
  ): Promise<BatchRefusal | undefined> {
    const { store, roots, refuseRoom } = this.#modules
    const fresh: NewKeptBatch[] = []
    let bytes = 0
    for (const encoded of items) {
      const checked = checkBatch(roots, custodian, encoded)
      await nextTurn()
      if (typeof checked === 'string') return checked
      if (store.has(custodian, checked.root)) continue
      fresh.push(checked)
      bytes += ROOM_FACTOR * encoded.length
    }
    if (fresh.length === 0) return undefined
    const refusal = await refuseRoom(custodian, bytes)
    if (refusal !== undefined) return refusal
    await store.put(custodian, fresh)
    return undefined
  }

  async list({
    custodian,
    after,
    limit,
  }: Body<'list-batches'>): Promise<AnswerBody<'list-batches'>> {
    const { store } = this.#modules
    const found = await store.list(custodian, after, Math.max(1, limit))
    const items: Uint8Array[] = []
    let bytes = 0
    let last: Uint8Array | null = null
    for (const root of found) {
      const batch = store.get(custodian, root)
      bytes += batch?.length ?? 0
      if (bytes > LIST_BYTES_MAX) return { items, next: last }
      if (batch !== undefined) items.push(batch)
      last = root
    }
    return { items, next: found.length < limit ? null : last }
  }

  async find({ custodian, prefix }: Body<'leaves'>): Promise<AnswerBody<'leaves'>> {
    const { store } = this.#modules
    const found = await store.find(custodian, prefix, FOUND_LEAVES_MAX + 1)
    // Nobody can use a part of them, and a longer beginning is at hand.
    if (found.length > FOUND_LEAVES_MAX) return { items: [], more: 1 }
    const items: AnswerBody<'leaves'>['items'] = []
    for (const { leaf, root, index } of found) {
      const batch = store.get(custodian, root)
      if (batch === undefined) continue
      const deposit = decodeBatchDeposit(batch)
      const { transaction, height } = deposit
      const path = batchPath(leavesOfDeposit(deposit), index)
      items.push({ leaf, place: { transaction, height, index, path } })
      await nextTurn()
    }
    return { items, more: 0 }
  }
}

/** What a custodian deposits, or another holder gives on. */
export function checkBatch(
  roots: FinalRoots,
  custodian: string,
  encoded: Uint8Array,
): NewKeptBatch | 'batch_malformed' | 'not_the_custodian' | 'batch_not_anchored' {
  try {
    const deposit = decodeBatchDeposit(encoded)
    if (deposit.custodian !== custodian) return 'not_the_custodian'
    const leaves = leavesOfDeposit(deposit)
    const root = batchRoot(leaves)
    if (!roots.has(custodian, root)) return 'batch_not_anchored'
    return { root, batch: encoded, leaves }
  } catch (error) {
    if (error instanceof CodecError) return 'batch_malformed'
    throw error
  }
}
