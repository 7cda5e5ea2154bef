// Which batches the chain of this node has, as far as it is final here.
//
// The state says that a root is there and whose it is, for ever. In which block it came is told by who
// names its transaction, and believed when the block says the same; where the block is not here any more
// that much stays unknown, and the rest does not depend on it.

import { equalBytes, toHex } from '@mooring/codec'
import { anchorKey, decodeBlock, decodeTransaction } from '@mooring/ledger'
import { type ChainStore, StorageError } from '@mooring/storage'
import { batchIn } from './anchor-search.ts'

export interface FinalRoots {
  has(custodian: string, root: Uint8Array): boolean
  /** Null where this node has nothing to see it by. */
  heightOf(custodian: string, root: Uint8Array, transaction: Uint8Array): number | null
}

/** Thousands of records share a batch, and readers come back. */
const REMEMBERED = 10_000

export function createFinalRoots(
  chain: Pick<ChainStore, 'state' | 'getTransaction' | 'getBlock'>,
  genesisDigest: Uint8Array,
): FinalRoots {
  const known = new Map<string, number | null>()
  return {
    has: (custodian, root) =>
      known.has(nameOf(custodian, root)) ||
      chain.state().get(anchorKey(custodian, root)) !== undefined,
    heightOf: (custodian, root, transaction) => {
      const name = nameOf(custodian, root)
      const remembered = known.get(name)
      if (remembered !== undefined && remembered !== null) return remembered
      const height = heightIn(chain, genesisDigest, { custodian, root, transaction })
      if (known.size >= REMEMBERED) known.clear()
      if (height !== null) known.set(name, height)
      return height
    },
  }
}

function heightIn(
  chain: Pick<ChainStore, 'getTransaction' | 'getBlock'>,
  genesisDigest: Uint8Array,
  {
    custodian,
    root,
    transaction,
  }: Record<'root' | 'transaction', Uint8Array> & { custodian: string },
): number | null {
  const place = chain.getTransaction(transaction)
  const block = place && blockOr(() => chain.getBlock(place.height))
  const encoded = block && decodeBlock(block).transactions[place.index]
  if (place === undefined || encoded === undefined) return null
  const batch = batchIn(decodeTransaction(encoded, genesisDigest).payload, 'record.anchor')
  const isIt = batch?.organisation === custodian && equalBytes(batch.batchRoot, root)
  return isIt ? place.height : null
}

function nameOf(custodian: string, root: Uint8Array): string {
  return `${custodian} ${toHex(root)}`
}

function blockOr(read: () => Uint8Array | undefined): Uint8Array | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof StorageError && error.code === 'pruned') return undefined
    throw error
  }
}
