// Finding what a custodian kept without the custodian: its holders have all of it, sealed.
//
// A holder lists what it keeps of a custodian, heads and key deposits, in pages; it cannot tell whose they
// are. The reader tries its keys: first its seal key on the deposits, then the class keys that came out on
// the manifests. Every holder has only a part, so all that answer are asked.

import { CodecError, toHex } from '@mooring/codec'
import { sha256 } from '@mooring/crypto'
import {
  type ClassKeyContent,
  decodeKeyDeposit,
  type KeyDeposit,
  BATCH_DEPOSITS_MAX,
  LIST_ITEMS_MAX,
  openKeyDeposit,
  type RecordHead,
  type ShardHead,
  shardSetId,
} from '@mooring/records'
import { PageBudget, type PageBudgetModules, pagesOf } from './holder-pages.ts'
import { runInSlices } from './time-slices.ts'
import type { VaultPeers } from './vault-peers.ts'

export interface DiscoveryModules extends PageBudgetModules {
  readonly peers: VaultPeers
  readonly organisations: () => readonly { readonly id: string }[]
}

export interface PageModules {
  readonly peers: VaultPeers
  readonly budget: PageBudget
  /** A holder did not tell all that it has; not of one that was left, for it never would. */
  readonly onSilent?: ((holder: string) => void) | undefined
}

export interface FoundKey {
  /** Encoded. */
  readonly deposit: Uint8Array
  readonly content: ClassKeyContent
}

const TIMEOUT_MS = 20_000

/** The class keys of a custodian that open with one of these secrets. */
export async function discoverKeys(
  modules: DiscoveryModules,
  custodian: string,
  { secrets, signal }: { secrets: readonly Uint8Array[]; signal: AbortSignal },
): Promise<FoundKey[]> {
  const seen = new Set<string>()
  const found: FoundKey[] = []
  const asked = { peers: modules.peers, budget: new PageBudget(modules) }
  for (const holder of reachable(modules)) {
    for await (const items of keyPages(asked, holder, custodian)) {
      signal.throwIfAborted()
      await runInSlices(items.values(), (encoded) => {
        const key = tryKey(encoded, secrets, seen)
        if (key !== undefined) found.push(key)
      })
    }
  }
  return found
}

/** Heads of a custodian's sets, page by page, from one holder after the other: each set several times. */
export async function* discoverHeads(
  modules: DiscoveryModules,
  custodian: string,
  signal: AbortSignal,
): AsyncGenerator<readonly ShardHead[]> {
  const asked = { peers: modules.peers, budget: new PageBudget(modules) }
  for (const holder of reachable(modules)) {
    for await (const items of headPages(asked, holder, custodian)) {
      signal.throwIfAborted()
      yield items
    }
  }
}

/**
 * One head for each set that was not seen before; of those seen again, those with other holders or another
 * manifest, for only who can open it knows which one is true.
 */
export function newHeads(heads: readonly ShardHead[], seen: Map<string, string>): RecordHead[] {
  return heads.flatMap(({ set, manifest, holders }) => {
    const name = toHex(shardSetId(set))
    const found = `${holders.join(' ')} ${toHex(sha256(manifest))}`
    if (seen.get(name) === found) return []
    seen.set(name, found)
    return [{ set, manifest, holders }]
  })
}

/** This node as well: it holds shards like the others. */
export function reachable({
  peers,
  organisations,
}: Pick<DiscoveryModules, 'peers' | 'organisations'>): string[] {
  return organisations().flatMap(({ id }) =>
    id === peers.self || peers.isConnected(id) ? [id] : [],
  )
}

export function keyPages(
  { peers, budget, onSilent }: PageModules,
  holder: string,
  custodian: string,
): AsyncGenerator<readonly Uint8Array[]> {
  return pagesOf(holder, { budget, onSilent, nameOf: nameOfDeposit }, async (after) => {
    const body = { custodian, after, limit: LIST_ITEMS_MAX }
    const request = { kind: 'list-keys' as const, body }
    return (await peers.request(holder, request, { timeoutMs: TIMEOUT_MS })).body
  })
}

export function headPages(
  { peers, budget, onSilent }: PageModules,
  holder: string,
  custodian: string,
): AsyncGenerator<readonly ShardHead[]> {
  return pagesOf(holder, { budget, onSilent, nameOf: nameOfHead }, async (after) => {
    const body = { custodian, after, limit: LIST_ITEMS_MAX }
    const request = { kind: 'list' as const, body }
    return (await peers.request(holder, request, { timeoutMs: TIMEOUT_MS })).body
  })
}

/** Leaves of a custodian's batches; which root they have is found out with all the rest of their check. */
export function batchPages(
  { peers, budget, onSilent }: PageModules,
  holder: string,
  custodian: string,
): AsyncGenerator<readonly Uint8Array[]> {
  return pagesOf<Uint8Array>(holder, { budget, onSilent, nameOf: null }, async (after) => {
    const body = { custodian, after, limit: BATCH_DEPOSITS_MAX }
    const request = { kind: 'list-batches' as const, body }
    return (await peers.request(holder, request, { timeoutMs: TIMEOUT_MS })).body
  })
}

function nameOfDeposit(encoded: Uint8Array): Uint8Array {
  return decodeKeyDeposit(encoded).id
}

function nameOfHead({ set }: ShardHead): Uint8Array {
  return shardSetId(set)
}

function tryKey(
  encoded: Uint8Array,
  secrets: readonly Uint8Array[],
  seen: Set<string>,
): FoundKey | undefined {
  try {
    const deposit = decodeKeyDeposit(encoded)
    const name = toHex(sha256(encoded))
    if (seen.has(name)) return undefined
    seen.add(name)
    const content = openWithAny(deposit, secrets)
    return content && { deposit: encoded, content }
  } catch (error) {
    if (error instanceof CodecError) return undefined
    throw error
  }
}

/** @throws CodecError */
export function openWithAny(
  deposit: KeyDeposit,
  secrets: readonly Uint8Array[],
): ClassKeyContent | undefined {
  for (const secret of secrets) {
    const content = openKeyDeposit(deposit, secret)
    if (content !== undefined) return content
  }
  return undefined
}
