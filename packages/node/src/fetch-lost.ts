// What this holder should have and has not: looked for at the others, after its disk was lost or when the
// places of key deposits have changed.
//
// Nobody is told what to send: this node goes through what the others list, takes the key deposits that have
// their place here, and makes the shards again that the others believe to be here.

import { toHex } from '@mooring/codec'
import {
  decodeKeyDeposit,
  placementOrder,
  type PossibleHolder,
  type ShardHead,
  shardSetId,
} from '@mooring/records'
import type { LeafStore } from '@mooring/storage'
import { headPages, keyPages } from './discovery.ts'
import type { Clock } from './clock.ts'
import type { FinalRoots } from './final-roots.ts'
import { splitFor } from './holder-choice.ts'
import { PageBudget } from './holder-pages.ts'
import type { KeptShards } from './kept-shards.ts'
import type { Logger } from './logger.ts'
import type { HolderView } from './set-health.ts'
import type { RestoreOutcome } from './shard-restore.ts'
import type { VaultPeers } from './vault-peers.ts'

export interface FetchLostModules {
  readonly peers: VaultPeers
  readonly view: HolderView
  readonly candidates: () => readonly PossibleHolder[]
  readonly shards: Pick<KeptShards, 'has' | 'store'>
  readonly leaves: LeafStore
  readonly roots: FinalRoots
  readonly restore: (
    items: readonly ShardHead[],
    avoid: readonly string[],
  ) => Promise<{ outcomes: readonly RestoreOutcome[]; liars: readonly string[] }>
  readonly checkRoom: (
    custodian: string,
    bytes: number,
  ) => Promise<'holder_full' | 'quota_exceeded' | undefined>
  readonly clock: Clock
  readonly logger: Logger
}

const BATCH = 128

export interface FetchHow {
  readonly graceMs: number
  readonly signal: AbortSignal
  /** A holder did not tell all that it has. */
  readonly onSilent?: (holder: string) => void
}

/** Key deposits whose place is here, and which are not; the answer is how many came. */
export async function fetchKeys(modules: FetchLostModules, how: FetchHow): Promise<number> {
  const { peers, shards, checkRoom } = modules
  const places = possiblePlaces(modules, how.graceMs)
  const split = splitFor(places)
  if (split === undefined) return 0
  let fetched = 0
  const asked = { peers, budget: new PageBudget(modules), onSilent: how.onSilent }
  for (const custodian of custodiansOf(modules)) {
    const known = new Set<string>()
    for (const { id } of await shards.store.listKeys(custodian, null, -1)) known.add(toHex(id))
    for (const holder of othersThatAnswer(modules)) {
      for await (const page of keyPages(asked, holder, custodian)) {
        how.signal.throwIfAborted()
        const wanted = page.flatMap((deposit) => {
          const id = idOf(deposit, custodian)
          if (id === undefined || known.has(toHex(id))) return []
          const order = placementOrder(id, places).slice(0, split.n)
          if (!order.includes(peers.self)) return []
          known.add(toHex(id))
          return [{ id, deposit }]
        })
        const bytes = wanted.reduce((sum, { deposit }) => sum + deposit.length, 0)
        if (wanted.length === 0 || (await checkRoom(custodian, bytes)) !== undefined) continue
        await shards.store.putKeys(custodian, wanted)
        fetched += wanted.length
      }
    }
  }
  return fetched
}

/** Shards that others believe to be here; the answer is how many were made again. */
export async function fetchOwnShards(
  modules: FetchLostModules,
  { signal, onProgress }: { signal: AbortSignal; onProgress?: (made: number) => void },
): Promise<number> {
  const { peers, shards, restore, logger } = modules
  const budget = new PageBudget(modules)
  let made = 0
  const makeAgain = async (holder: string, items: readonly ShardHead[]): Promise<void> => {
    const began = budget.now()
    const { outcomes } = await restore(items, [])
    const kept = outcomes.filter((outcome) => outcome === 'kept').length
    if (kept > 0) budget.spend(holder, { items: 0, ms: began - budget.now() })
    made += kept
    onProgress?.(made)
  }
  for (const custodian of custodiansOf(modules)) {
    const tried = new Set<string>()
    for (const holder of othersThatAnswer(modules)) {
      let lost: ShardHead[] = []
      for await (const page of headPages({ peers, budget }, holder, custodian)) {
        signal.throwIfAborted()
        for (const head of page) {
          const index = head.holders.indexOf(peers.self)
          const setId = shardSetId(head.set)
          if (index < 0 || tried.has(toHex(setId))) continue
          tried.add(toHex(setId))
          if (!(await shards.has({ setId, index }))) lost.push({ ...head, index })
        }
        for (; lost.length >= BATCH; lost = lost.slice(BATCH)) {
          await makeAgain(holder, lost.slice(0, BATCH))
        }
      }
      if (lost.length > 0) await makeAgain(holder, lost)
    }
  }
  if (made > 0) logger.info('shards that were lost here are made again', { shards: made })
  return made
}

/** Members, and those who have left and whose records are still kept. */
function custodiansOf({ view, shards }: FetchLostModules): Set<string> {
  return new Set([...view.organisations().map(({ id }) => id), ...shards.store.usage.keys()])
}

/** Who may keep deposits, without those that are given up. */
export function possiblePlaces(
  { candidates, view }: FetchLostModules,
  graceMs: number,
): PossibleHolder[] {
  return candidates().filter(({ id }) => view.awayMs(id) < graceMs)
}

export function othersThatAnswer({ view, peers }: FetchLostModules): string[] {
  return view
    .organisations()
    .flatMap(({ id }) => (id === peers.self || view.awayMs(id) > 0 ? [] : [id]))
}

function idOf(encoded: Uint8Array, custodian: string): Uint8Array | undefined {
  try {
    const deposit = decodeKeyDeposit(encoded)
    return deposit.custodian === custodian ? deposit.id : undefined
  } catch {
    return undefined
  }
}
