// Batches of a custodian that lost them, from the holders of their leaves.
//
// Leaves are judged by the chain: they give a root that is final for the custodian, or they are nothing. In
// which block is looked up, for a holder may say anything about that; what it says counts only where the
// chain of this node does not go back so far.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { toHex } from '@mooring/codec'
import { decodeBatchDeposit } from '@mooring/records'
import type { BatchPlace, ChainStore, PrivateStore } from '@mooring/storage'
import { searchAnchors } from './anchor-search.ts'
import { type BatchAnchor, encodeBatch, encodeBatchAnchor } from './custody.ts'
import { batchPages, type DiscoveryModules, reachable } from './discovery.ts'
import type { FinalRoots } from './final-roots.ts'
import { checkBatch } from './holder-batches.ts'
import { PageBudget } from './holder-pages.ts'
import { runInSlices } from './time-slices.ts'

export interface FoundBatch {
  readonly root: Uint8Array
  readonly leaves: readonly Uint8Array[]
  readonly anchor: BatchAnchor
}

export interface BatchSearch {
  readonly custodian: string
  readonly roots: FinalRoots
  readonly chain: Pick<ChainStore, 'tip' | 'prunedTo' | 'getBlock'>
  readonly genesisDigest: Uint8Array
  readonly signal: AbortSignal
}

/** Each once, whoever has it. */
export async function* discoverBatches(
  modules: DiscoveryModules,
  search: BatchSearch,
): AsyncGenerator<FoundBatch> {
  const { custodian, roots, signal } = search
  const seen = new Set<string>()
  const asked = { peers: modules.peers, budget: new PageBudget(modules) }
  for (const holder of reachable(modules)) {
    for await (const page of batchPages(asked, holder, custodian)) {
      signal.throwIfAborted()
      for (const encoded of page) {
        await nextTurn()
        const batch = checkBatch(roots, custodian, encoded)
        if (typeof batch === 'string' || seen.has(toHex(batch.root))) continue
        seen.add(toHex(batch.root))
        const { root, leaves } = batch
        yield { root, leaves, anchor: await anchorOf(search, root, encoded) }
      }
    }
  }
}

async function anchorOf(
  { custodian, roots, chain, genesisDigest }: BatchSearch,
  root: Uint8Array,
  encoded: Uint8Array,
): Promise<BatchAnchor> {
  const { sequence, transaction, height } = decodeBatchDeposit(encoded)
  const told = { sequence, transaction, height }
  if (roots.heightOf(custodian, root, transaction) === height) return told
  let anchor: BatchAnchor = told
  const place = {
    kind: 'record.anchor',
    organisation: custodian,
    genesisDigest,
    roots: [root],
  } as const
  await runInSlices(searchAnchors(chain, place), (found) => {
    if (found === undefined) return
    anchor = { sequence: found.sequence, transaction: found.transaction, height: found.height }
  })
  return anchor
}

/** Those that have one of these records are in the store again; where each record is, by its name in hex. */
export async function restoreBatches(
  store: Pick<PrivateStore, 'restoreBatches'>,
  ids: readonly Uint8Array[],
  batches: AsyncIterable<FoundBatch>,
): Promise<Map<string, BatchPlace>> {
  const wanted = new Set(ids.map(toHex))
  const places = new Map<string, BatchPlace>()
  for await (const { root, leaves, anchor } of batches) {
    const positions = [...leaves.keys()].filter((at) => {
      const name = toHex(leaves[at] ?? root)
      return wanted.has(name) && !places.has(name)
    })
    if (positions.length === 0) continue
    const kept = { root, bucket: leaves.length, leaves: [...leaves], positions, createdAt: 0 }
    const batch = (sequence: number) => encodeBatch({ ...kept, sequence })
    const [number] = await store.restoreBatches([{ batch, anchor: encodeBatchAnchor(anchor) }])
    if (number === undefined) throw new Error('a batch without a number')
    for (const position of positions) {
      places.set(toHex(leaves[position] ?? root), { sequence: number, position })
    }
  }
  return places
}
