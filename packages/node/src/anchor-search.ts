// Where batch roots are on the chain, for a custodian that was not there when their blocks came.
//
// The state says that a root is anchored but not where. Blocks are looked through from the newest
// down, as bytes first: what was missed lies close to the tip, whatever a clock said.

import { toHex } from '@mooring/codec'
import { decodeBlock, decodeTransaction } from '@mooring/ledger'
import type { ChainStore } from '@mooring/storage'
import type { BatchAnchor } from './custody.ts'

export interface AnchorSearch {
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
  { organisation, genesisDigest, roots }: AnchorSearch,
): Generator<FoundAnchor | undefined, void, undefined> {
  const missing = new Map(roots.map((root) => [toHex(root), root]))
  for (let height = chain.tip.height; height > chain.prunedTo && missing.size > 0; height -= 1) {
    yield
    const block = chain.getBlock(height)
    if (block === undefined || ![...missing.values()].some((root) => holds(block, root))) continue
    for (const encoded of decodeBlock(block).transactions) {
      const { id, payload } = decodeTransaction(encoded, genesisDigest)
      if (payload.kind !== 'record.anchor') continue
      const { body } = payload
      const root = missing.get(toHex(body.batchRoot))
      if (root === undefined || body.organisation !== organisation) continue
      missing.delete(toHex(root))
      yield { root, transaction: id, sequence: body.sequence, height }
    }
  }
}

function holds(bytes: Uint8Array, part: Uint8Array): boolean {
  return bufferOf(bytes).includes(bufferOf(part))
}

function bufferOf({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, length)
}
