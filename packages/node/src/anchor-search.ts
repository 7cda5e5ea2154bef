// Where batch roots are on the chain, for a node that was not there when their blocks came.
//
// The state says that a root is anchored but not where. Blocks are looked through from the newest
// down, as bytes first: what was missed lies close to the tip, whatever a clock said.

import { toHex } from '@mooring/codec'
import { type BatchRoot, decodeBlock, decodeTransaction, type Payload } from '@mooring/ledger'
import type { ChainStore } from '@mooring/storage'
import type { BatchAnchor } from './custody.ts'

/** The kinds of transaction that put a batch on the chain. */
export type BatchKind = 'record.anchor' | 'access.log'

export interface AnchorSearch {
  readonly kind: BatchKind
  readonly organisation: string
  readonly genesisDigest: Uint8Array
  readonly roots: readonly Uint8Array[]
}

export interface FoundAnchor extends BatchAnchor {
  readonly root: Uint8Array
}

/** Yields each anchor that is found, and undefined for each block looked through. */
export function* searchAnchors(
  chain: Pick<ChainStore, 'tip' | 'prunedTo' | 'getBlock'>,
  { kind, organisation, genesisDigest, roots }: AnchorSearch,
): Generator<FoundAnchor | undefined, void, undefined> {
  const missing = new Map(roots.map((root) => [toHex(root), root]))
  for (let height = chain.tip.height; height > chain.prunedTo && missing.size > 0; height -= 1) {
    yield
    const block = chain.getBlock(height)
    if (block === undefined || ![...missing.values()].some((root) => holds(block, root))) continue
    for (const encoded of decodeBlock(block).transactions) {
      const { id, payload } = decodeTransaction(encoded, genesisDigest)
      const body = batchIn(payload, kind)
      if (body === undefined) continue
      const root = missing.get(toHex(body.batchRoot))
      if (root === undefined || body.organisation !== organisation) continue
      missing.delete(toHex(root))
      yield { root, transaction: id, sequence: body.sequence, height }
    }
  }
}

/** What a transaction of this kind puts on the chain; undefined for one of another kind. */
export function batchIn(payload: Payload, kind: BatchKind): BatchRoot | undefined {
  if (payload.kind !== 'record.anchor' && payload.kind !== 'access.log') return undefined
  return payload.kind === kind ? payload.body : undefined
}

function holds(bytes: Uint8Array, part: Uint8Array): boolean {
  return bufferOf(bytes).includes(bufferOf(part))
}

function bufferOf({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, length)
}
