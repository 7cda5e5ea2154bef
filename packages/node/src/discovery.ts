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
import { runInSlices } from './time-slices.ts'
import { VaultPeerError, type VaultPeers } from './vault-peers.ts'

export interface DiscoveryModules {
  readonly peers: VaultPeers
  readonly organisations: () => readonly { readonly id: string }[]
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
  for (const holder of reachable(modules)) {
    for await (const items of keyPages(modules.peers, holder, custodian)) {
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
): AsyncGenerator<ShardHead[]> {
  for (const holder of reachable(modules)) {
    for await (const items of headPages(modules.peers, holder, custodian)) {
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
export function reachable({ peers, organisations }: DiscoveryModules): string[] {
  return organisations().flatMap(({ id }) =>
    id === peers.self || peers.isConnected(id) ? [id] : [],
  )
}

export async function* keyPages(
  peers: VaultPeers,
  holder: string,
  custodian: string,
  onSilent: () => void = () => undefined,
): AsyncGenerator<Uint8Array[]> {
  let after: Uint8Array | null = null
  do {
    const body = { custodian, after, limit: LIST_ITEMS_MAX }
    const answer = await orUndefined(
      peers.request(holder, { kind: 'list-keys' as const, body }, { timeoutMs: TIMEOUT_MS }),
    )
    if (answer === undefined) return onSilent()
    yield answer.body.items
    after = onward(after, answer.body.next)
  } while (after !== null)
}

export async function* headPages(
  peers: VaultPeers,
  holder: string,
  custodian: string,
): AsyncGenerator<ShardHead[]> {
  let after: Uint8Array | null = null
  do {
    const body = { custodian, after, limit: LIST_ITEMS_MAX }
    const answer = await orUndefined(
      peers.request(holder, { kind: 'list' as const, body }, { timeoutMs: TIMEOUT_MS }),
    )
    if (answer === undefined) return
    yield answer.body.items
    after = onward(after, answer.body.next)
  } while (after !== null)
}

/** Leaves of a custodian's batches. */
export async function* batchPages(
  peers: VaultPeers,
  holder: string,
  custodian: string,
  onSilent: () => void = () => undefined,
): AsyncGenerator<Uint8Array[]> {
  let after: Uint8Array | null = null
  do {
    const body = { custodian, after, limit: BATCH_DEPOSITS_MAX }
    const answer = await orUndefined(
      peers.request(holder, { kind: 'list-batches' as const, body }, { timeoutMs: TIMEOUT_MS }),
    )
    if (answer === undefined) return onSilent()
    yield answer.body.items
    after = onward(after, answer.body.next)
  } while (after !== null)
}

/** A holder that leads in circles is not followed. */
function onward(after: Uint8Array | null, next: Uint8Array | null): Uint8Array | null {
  if (next === null) return null
  return after === null || toHex(next) > toHex(after) ? next : null
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

async function orUndefined<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof VaultPeerError) return undefined
    throw error
  }
}
