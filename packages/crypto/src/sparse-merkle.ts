// The rules of the state tree, a compact sparse Merkle tree, and the check of its proofs.
//
// A key's path is SHA-256(key), read from its most significant bit, 0 to the left. An empty subtree
// is 32 zero bytes; a subtree with one leaf is that leaf's digest, wherever it hangs; any other
// subtree is SHA-256(left || right). A leaf is SHA-256(0x00 || keyHash || valueHash): it hashes 65
// bytes and a node 64, so neither passes for the other.
//
// A proof follows the path of one key down to what hangs there: the leaf of that key (present),
// the leaf of another key, or nothing (both absent).

import { equalBytes } from '@mooring/codec'
import { sha256 } from './hash.ts'

const LEAF = Uint8Array.of(0)
const DEPTH_MAX = 256

export const STATE_EMPTY_ROOT: Uint8Array = new Uint8Array(32)

export interface StateProof {
  /** From the depth of what was met up to the root. */
  siblings: Uint8Array[]
  leaf: { keyHash: Uint8Array; valueHash: Uint8Array } | null
}

export type InvalidStateProof = {
  code: 'malformed' | 'absent' | 'present' | 'wrong_value' | 'wrong_path' | 'wrong_root'
}

export function stateLeafHash(keyHash: Uint8Array, valueHash: Uint8Array): Uint8Array {
  return sha256(LEAF, keyHash, valueHash)
}

export function stateNodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(left, right)
}

export function stateBit(keyHash: Uint8Array, depth: number): 0 | 1 {
  const byte = keyHash[depth >>> 3] ?? 0
  return ((byte >>> (7 - (depth & 7))) & 1) === 1 ? 1 : 0
}

/** Why the proof does not show that `key` has this value, or none if `value` is null. */
export function checkStateProof(
  root: Uint8Array,
  key: Uint8Array,
  value: Uint8Array | null,
  proof: StateProof,
): InvalidStateProof | undefined {
  const { leaf, siblings } = proof
  const digests = leaf === null ? siblings : [leaf.keyHash, leaf.valueHash, ...siblings]
  const isWellFormed = siblings.length <= DEPTH_MAX && digests.every((each) => each.length === 32)
  if (!isWellFormed) return { code: 'malformed' }
  const keyHash = sha256(key)
  const isPresent = leaf !== null && equalBytes(leaf.keyHash, keyHash)
  if (value === null && isPresent) return { code: 'present' }
  if (value !== null && !isPresent) return { code: 'absent' }
  if (leaf !== null && value !== null && !equalBytes(leaf.valueHash, sha256(value))) {
    return { code: 'wrong_value' }
  }
  if (leaf !== null && commonDepth(leaf.keyHash, keyHash) < siblings.length) {
    return { code: 'wrong_path' }
  }
  return equalBytes(rootOf(keyHash, proof), root) ? undefined : { code: 'wrong_root' }
}

function rootOf(keyHash: Uint8Array, { leaf, siblings }: StateProof): Uint8Array {
  let hash = leaf === null ? STATE_EMPTY_ROOT : stateLeafHash(leaf.keyHash, leaf.valueHash)
  let depth = siblings.length
  for (const sibling of siblings) {
    depth -= 1
    hash =
      stateBit(keyHash, depth) === 0 ? stateNodeHash(hash, sibling) : stateNodeHash(sibling, hash)
  }
  return hash
}

function commonDepth(a: Uint8Array, b: Uint8Array): number {
  let depth = 0
  while (depth < DEPTH_MAX && stateBit(a, depth) === stateBit(b, depth)) depth += 1
  return depth
}
