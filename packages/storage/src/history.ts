// The history tree: the RFC 9162 tree over the digests of all blocks, genesis first, so that the
// header of height h commits to a tree of h leaves.
//
// Stored are the roots of complete subtrees, by level and position in the level. They never change
// once they exist, and a tree of any earlier size is made of some of them: the frontier of a tree,
// or the path of any leaf in a tree of any size reached so far, takes O(log n) reads.

import { leafHash, nodeHash } from '@mooring/crypto'

export interface HistoryNode {
  level: number
  index: number
  digest: Uint8Array
}

/** The roots of the complete subtrees of a tree, largest first, and its size. */
export interface HistoryFrontier {
  size: number
  digests: readonly Uint8Array[]
}

/** A stored node, which must exist. */
export type ReadHistoryNode = (level: number, index: number) => Uint8Array

/** The frontier with one more block, and the nodes that came to be. */
export function growHistory(
  { size, digests }: HistoryFrontier,
  blockDigest: Uint8Array,
): { frontier: HistoryFrontier; nodes: HistoryNode[] } {
  const remaining = [...digests]
  let node = { level: 0, index: size, digest: leafHash(blockDigest) }
  const nodes = [node]
  while (node.index % 2 === 1) {
    const left = remaining.pop()
    if (left === undefined) throw new Error('a frontier has one subtree per bit of its size')
    const { level, index, digest } = node
    node = { level: level + 1, index: (index - 1) / 2, digest: nodeHash(left, digest) }
    nodes.push(node)
  }
  return { frontier: { size: size + 1, digests: [...remaining, node.digest] }, nodes }
}

export function readFrontier(size: number, read: ReadHistoryNode): HistoryFrontier {
  const digests: Uint8Array[] = []
  for (let start = 0; start < size; ) {
    const level = levelWithin(size - start)
    digests.push(read(level, start / 2 ** level))
    start += 2 ** level
  }
  return { size, digests }
}

/** The inclusion path of a leaf in the tree of the first `size` blocks, from the leaf up. */
export function readHistoryPath(index: number, size: number, read: ReadHistoryNode): Uint8Array[] {
  if (!Number.isSafeInteger(index) || index < 0 || index >= size) {
    throw new RangeError(`no leaf ${index} in a tree of ${size}`)
  }
  const path: Uint8Array[] = []
  let start = 0
  let count = size
  while (count > 1) {
    const left = 2 ** levelWithin(count - 1)
    if (index < start + left) {
      path.push(rootOf(start + left, count - left, read))
      count = left
    } else {
      path.push(rootOf(start, left, read))
      start += left
      count -= left
    }
  }
  return path.toReversed()
}

/** The root over leaves that start where a complete subtree of at least their number does. */
function rootOf(start: number, count: number, read: ReadHistoryNode): Uint8Array {
  const level = levelWithin(count)
  const left = read(level, start / 2 ** level)
  const rest = count - 2 ** level
  return rest === 0 ? left : nodeHash(left, rootOf(start + 2 ** level, rest, read))
}

/** Of the largest complete subtree with no more leaves than that. */
function levelWithin(count: number): number {
  let level = 0
  while (2 ** (level + 1) <= count) level += 1
  return level
}
