// The tree of the state by its rules, in one page: roots and paths from all leaves.

import { fromHex } from '@mooring/codec'
import { sha256, STATE_EMPTY_ROOT, stateBit, stateLeafHash, stateNodeHash } from '@mooring/crypto'
import type { StateProof } from '../src/index.ts'

export type Leaf = { keyHash: Uint8Array; valueHash: Uint8Array }

/** The root of the state tree below `depth`, by the rules in one page. */
export function stateRootOf(leaves: Leaf[], depth = 0): Uint8Array {
  const [first, second] = leaves
  if (first === undefined) return STATE_EMPTY_ROOT
  if (second === undefined) return stateLeafHash(first.keyHash, first.valueHash)
  return stateNodeHash(
    stateRootOf(
      leaves.filter(({ keyHash }) => stateBit(keyHash, depth) === 0),
      depth + 1,
    ),
    stateRootOf(
      leaves.filter(({ keyHash }) => stateBit(keyHash, depth) === 1),
      depth + 1,
    ),
  )
}

export function statePathOf(all: Leaf[], key: Uint8Array): Pick<StateProof, 'siblings' | 'leaf'> {
  const keyHash = sha256(key)
  const siblings: Uint8Array[] = []
  let leaves = all
  for (let depth = 0; leaves.length > 1; depth += 1) {
    const side = stateBit(keyHash, depth)
    const sibling = leaves.filter((leaf) => stateBit(leaf.keyHash, depth) !== side)
    siblings.unshift(stateRootOf(sibling, depth + 1))
    leaves = leaves.filter((leaf) => stateBit(leaf.keyHash, depth) === side)
  }
  return { siblings, leaf: leaves[0] ?? null }
}

/** Of values by the hex form of their keys. */
export function stateLeavesOf(values: ReadonlyMap<string, Uint8Array>): Leaf[] {
  return [...values].map(([name, value]) => ({
    keyHash: sha256(fromHex(name)),
    valueHash: sha256(value),
  }))
}
