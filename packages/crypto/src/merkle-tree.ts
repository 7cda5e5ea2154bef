// The append-only Merkle tree of RFC 9162 section 2.1.
//
// Leaf = SHA-256(0x00 || data), node = SHA-256(0x01 || left || right), and the left subtree of n
// leaves has the largest power of two below n. Built level by level, a node without a partner
// moves up unchanged; that is the same tree. Sizes may exceed 32 bits, hence no bit operators on
// them. An empty tree has a root, SHA-256(""), but proves nothing: proofs of size 0 are refused.

import { equalBytes } from '@mooring/codec'
import { sha256 } from './hash.ts'

const LEAF = Uint8Array.of(0)
const NODE = Uint8Array.of(1)

export const MERKLE_EMPTY_ROOT: Uint8Array = sha256()

export type InvalidMerkleProof = {
  code: 'empty_tree' | 'size_out_of_range' | 'malformed_digest' | 'wrong_path_length' | 'wrong_root'
}

export interface Inclusion {
  leafHash: Uint8Array
  index: number
  size: number
  path: readonly Uint8Array[]
  root: Uint8Array
}

export interface Consistency {
  oldSize: number
  newSize: number
  oldRoot: Uint8Array
  newRoot: Uint8Array
  path: readonly Uint8Array[]
}

export function leafHash(data: Uint8Array): Uint8Array {
  return sha256(LEAF, data)
}

export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(NODE, left, right)
}

export function merkleRoot(leaves: readonly Uint8Array[]): Uint8Array {
  return merkleRootOfHashes(leaves.map(leafHash))
}

export function merkleRootOfHashes(leafHashes: readonly Uint8Array[]): Uint8Array {
  let level = leafHashes
  while (level.length > 1) level = levelAbove(level)
  return level[0] ?? MERKLE_EMPTY_ROOT
}

/** The siblings from the leaf up to the root. */
export function inclusionProof(leafHashes: readonly Uint8Array[], index: number): Uint8Array[] {
  if (!isIndex(index, leafHashes.length)) throw new RangeError(`no leaf ${index}`)
  const path: Uint8Array[] = []
  let level = leafHashes
  let position = index
  while (level.length > 1) {
    const sibling = level[position % 2 === 0 ? position + 1 : position - 1]
    if (sibling !== undefined) path.push(sibling)
    level = levelAbove(level)
    position = half(position)
  }
  return path
}

export function checkInclusion(inclusion: Inclusion): InvalidMerkleProof | undefined {
  const { index, size, path, root } = inclusion
  if (size === 0) return { code: 'empty_tree' }
  if (!Number.isSafeInteger(size) || !isIndex(index, size)) return { code: 'size_out_of_range' }
  if (![inclusion.leafHash, root, ...path].every(isDigest)) return { code: 'malformed_digest' }
  let hash = inclusion.leafHash
  let position = index
  let last = size - 1
  for (const sibling of path) {
    if (last === 0) return { code: 'wrong_path_length' }
    if (position % 2 === 1 || position === last) {
      hash = nodeHash(sibling, hash)
      // A last node without a partner moves up until it is a right child.
      while (position % 2 === 0 && position !== 0) {
        position = half(position)
        last = half(last)
      }
    } else {
      hash = nodeHash(hash, sibling)
    }
    position = half(position)
    last = half(last)
  }
  if (last !== 0) return { code: 'wrong_path_length' }
  return equalBytes(hash, root) ? undefined : { code: 'wrong_root' }
}

/** That the first `oldSize` leaves are a prefix of all (RFC 9162 section 2.1.4.1). */
export function consistencyProof(leafHashes: readonly Uint8Array[], oldSize: number): Uint8Array[] {
  if (oldSize < 1 || !isIndex(oldSize - 1, leafHashes.length)) {
    throw new RangeError(`no tree of ${oldSize} leaves in one of ${leafHashes.length}`)
  }
  return subproof(leafHashes, oldSize, true)
}

export function checkConsistency(consistency: Consistency): InvalidMerkleProof | undefined {
  const { oldSize, newSize, oldRoot, newRoot, path } = consistency
  if (oldSize === 0 || newSize === 0) return { code: 'empty_tree' }
  if (!Number.isSafeInteger(newSize) || !isIndex(oldSize - 1, newSize)) {
    return { code: 'size_out_of_range' }
  }
  if (![oldRoot, newRoot, ...path].every(isDigest)) return { code: 'malformed_digest' }
  if (oldSize === newSize) {
    if (path.length > 0) return { code: 'wrong_path_length' }
    return equalBytes(oldRoot, newRoot) ? undefined : { code: 'wrong_root' }
  }
  return checkGrowth(consistency)
}

/** RFC 9162 section 2.1.4.2 for two different sizes. */
function checkGrowth(consistency: Consistency): InvalidMerkleProof | undefined {
  const { oldSize, newSize, oldRoot, newRoot, path } = consistency
  let position = oldSize - 1
  let last = newSize - 1
  while (position % 2 === 1) {
    position = half(position)
    last = half(last)
  }
  // A complete old tree is itself the first node of the path, and is not sent.
  const [first, ...rest] = position === 0 ? [oldRoot, ...path] : path
  if (first === undefined) return { code: 'wrong_path_length' }
  let oldHash = first
  let newHash = first
  for (const sibling of rest) {
    if (last === 0) return { code: 'wrong_path_length' }
    if (position % 2 === 1 || position === last) {
      oldHash = nodeHash(sibling, oldHash)
      newHash = nodeHash(sibling, newHash)
      while (position % 2 === 0 && position !== 0) {
        position = half(position)
        last = half(last)
      }
    } else {
      newHash = nodeHash(newHash, sibling)
    }
    position = half(position)
    last = half(last)
  }
  if (last !== 0) return { code: 'wrong_path_length' }
  const isRight = equalBytes(oldHash, oldRoot) && equalBytes(newHash, newRoot)
  return isRight ? undefined : { code: 'wrong_root' }
}

/** The roots of the complete subtrees of a growing tree, largest first: one per bit of its size. */
export class MerkleFrontier {
  #size: number
  readonly #hashes: Uint8Array[]

  private constructor(size: number, hashes: readonly Uint8Array[]) {
    this.#size = size
    this.#hashes = [...hashes]
  }

  static from(size: number, hashes: readonly Uint8Array[]): MerkleFrontier {
    if (!Number.isSafeInteger(size) || size < 0 || hashes.length !== bitCount(size)) {
      throw new RangeError(`${hashes.length} subtrees do not make a tree of ${size} leaves`)
    }
    return new MerkleFrontier(size, hashes)
  }

  get size(): number {
    return this.#size
  }

  get hashes(): Uint8Array[] {
    return [...this.#hashes]
  }

  append(hash: Uint8Array): void {
    let merged = hash
    for (let bits = this.#size; bits % 2 === 1; bits = half(bits)) {
      const left = this.#hashes.pop()
      if (left === undefined) throw new Error('a frontier has one subtree per bit of its size')
      merged = nodeHash(left, merged)
    }
    this.#hashes.push(merged)
    this.#size += 1
  }

  root(): Uint8Array {
    const last = this.#hashes.at(-1)
    if (last === undefined) return MERKLE_EMPTY_ROOT
    return this.#hashes.slice(0, -1).reduceRight((right, left) => nodeHash(left, right), last)
  }
}

function levelAbove(level: readonly Uint8Array[]): Uint8Array[] {
  const above: Uint8Array[] = []
  for (let index = 0; index < level.length; index += 2) {
    const [left, right] = [level[index], level[index + 1]]
    if (left !== undefined) above.push(right === undefined ? left : nodeHash(left, right))
  }
  return above
}

function subproof(hashes: readonly Uint8Array[], oldSize: number, isWhole: boolean): Uint8Array[] {
  if (oldSize === hashes.length) return isWhole ? [] : [merkleRootOfHashes(hashes)]
  const split = largestPowerBelow(hashes.length)
  const [left, right] = [hashes.slice(0, split), hashes.slice(split)]
  return oldSize <= split
    ? [...subproof(left, oldSize, isWhole), merkleRootOfHashes(right)]
    : [...subproof(right, oldSize - split, false), merkleRootOfHashes(left)]
}

function largestPowerBelow(size: number): number {
  let power = 1
  while (power * 2 < size) power *= 2
  return power
}

function half(value: number): number {
  return Math.floor(value / 2)
}

function bitCount(size: number): number {
  let count = 0
  for (let bits = size; bits > 0; bits = half(bits)) count += bits % 2
  return count
}

function isIndex(index: number, size: number): boolean {
  return Number.isSafeInteger(index) && index >= 0 && index < size
}

function isDigest(bytes: Uint8Array): boolean {
  return bytes.length === 32
}
