// A page of the state tree: four levels of it in one stored value.
//
// The page at a path of d hex digits is the subtree whose leaves' key hashes start with them. It
// has 16 slots, one per next digit, and in each hangs nothing, a single leaf, or a subtree of two
// leaves or more, which has a page of its own. The 15 nodes above the slots follow by the rules of
// crypto/sparse-merkle.ts. So a page exists exactly where two leaves or more share a path (and at
// the root), and its contents depend on the set of leaves alone.
//
// In memory a page is one array, for a node holds tens of thousands of pages and the collector
// looks at every object: the digests of the nodes in heap order (root 1, children of n at 2n and 2n
// + 1, slots 16 to 31), which puts the two digests that a node hashes side by side; a byte per node
// with its kind; and the leaves in the slots, packed, key hash and value hash each. A page never
// changes: changedPage makes a new one.
//
// Stored: u16 slots with a leaf | u16 slots with a subtree | per slot in order: both hashes of the
// leaf, or the digest of the subtree.

import { concatBytes } from '@mooring/codec'
import { sha256, STATE_EMPTY_ROOT, stateLeafHash } from '@mooring/crypto'
import { viewOf } from './integers.ts'

export type Subtree =
  | { kind: 'empty' }
  | { kind: 'leaf'; keyHash: Uint8Array; valueHash: Uint8Array }
  | { kind: 'node'; digest: Uint8Array }

const EMPTY = 0
const LEAF = 1
const NODE = 2
const SLOTS = 16
const KINDS_AT = 32 * 32
const LEAVES_AT = KINDS_AT + 32
const LEAF_BYTES = 64
const PAGE_OVERHEAD = 300

export const EMPTY_SUBTREE: Subtree = { kind: 'empty' }

export class StatePage {
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** About what the page takes in memory. */
  get size(): number {
    return this.#bytes.length + PAGE_OVERHEAD
  }

  /** The whole page seen from its parent. */
  get root(): Subtree {
    return this.subtreeAt(1)
  }

  get rootDigest(): Uint8Array {
    return this.digestAt(1)
  }

  slot(slot: number): Subtree {
    return this.subtreeAt(SLOTS + slot)
  }

  subtreeAt(node: number): Subtree {
    const kind = this.#kindAt(node)
    if (kind === EMPTY) return EMPTY_SUBTREE
    if (kind === NODE) return { kind: 'node', digest: this.digestAt(node) }
    let slot = node
    while (slot < SLOTS) slot = this.#kindAt(2 * slot) === LEAF ? 2 * slot : 2 * slot + 1
    let at = LEAVES_AT
    for (let earlier = SLOTS; earlier < slot; earlier += 1) {
      if (this.#kindAt(earlier) === LEAF) at += LEAF_BYTES
    }
    return {
      kind: 'leaf',
      keyHash: this.#bytes.subarray(at, at + 32),
      valueHash: this.#bytes.subarray(at + 32, at + 64),
    }
  }

  digestAt(node: number): Uint8Array {
    return this.#bytes.subarray(node * 32, node * 32 + 32)
  }

  encode(): Uint8Array {
    const contents: Uint8Array[] = [new Uint8Array(4)]
    let leaves = 0
    let nodes = 0
    for (let slot = 0; slot < SLOTS; slot += 1) {
      const subtree = this.slot(slot)
      if (subtree.kind === 'leaf') {
        leaves |= 1 << slot
        contents.push(subtree.keyHash, subtree.valueHash)
      } else if (subtree.kind === 'node') {
        nodes |= 1 << slot
        contents.push(subtree.digest)
      }
    }
    const bytes = concatBytes(...contents)
    const view = viewOf(bytes)
    view.setUint16(0, leaves)
    view.setUint16(2, nodes)
    return bytes
  }

  /** What hangs in every slot, and the digests of the nodes above, to make another page from. */
  copyNodes(to: Uint8Array): void {
    to.set(this.#bytes.subarray(0, LEAVES_AT))
  }

  #kindAt(node: number): number {
    return this.#bytes[KINDS_AT + node] ?? EMPTY
  }
}

/** Undefined when the bytes are not those of a page. Every digest in the page is computed. */
export function decodePage(stored: Uint8Array): StatePage | undefined {
  if (stored.length < 4) return undefined
  const view = viewOf(stored)
  const leaves = view.getUint16(0)
  const nodes = view.getUint16(2)
  if ((leaves & nodes) !== 0) return undefined
  const slots: (Subtree | undefined)[] = []
  let at = 4
  for (let slot = 0; slot < SLOTS; slot += 1) {
    if (((leaves >>> slot) & 1) === 1) {
      const [keyHash, valueHash] = [stored.subarray(at, at + 32), stored.subarray(at + 32, at + 64)]
      slots.push({ kind: 'leaf', keyHash, valueHash })
      at += 64
    } else if (((nodes >>> slot) & 1) === 1) {
      slots.push({ kind: 'node', digest: stored.subarray(at, at + 32) })
      at += 32
    } else {
      slots.push(undefined)
    }
  }
  return at === stored.length ? changedPage(undefined, slots) : undefined
}

/** The page with other contents in the slots that have an entry; each node above is hashed once. */
export function changedPage(
  before: StatePage | undefined,
  changes: readonly (Subtree | undefined)[],
): StatePage {
  const slots: Subtree[] = []
  let leaves = 0
  for (let slot = 0; slot < SLOTS; slot += 1) {
    const subtree = changes[slot] ?? before?.slot(slot) ?? EMPTY_SUBTREE
    if (subtree.kind === 'leaf') leaves += 1
    slots.push(subtree)
  }
  const bytes = new Uint8Array(LEAVES_AT + leaves * LEAF_BYTES)
  before?.copyNodes(bytes)
  let at = LEAVES_AT
  let dirty = 0
  for (const [slot, subtree] of slots.entries()) {
    if (subtree.kind === 'leaf') {
      bytes.set(subtree.keyHash, at)
      bytes.set(subtree.valueHash, at + 32)
      at += LEAF_BYTES
    }
    if (changes[slot] === undefined) continue
    dirty |= 1 << slot
    const [kind, digest] = kindAndDigest(subtree)
    setNode(bytes, SLOTS + slot, kind, digest)
  }
  rehash(bytes, dirty)
  return new StatePage(bytes)
}

function kindAndDigest(subtree: Subtree): [number, Uint8Array] {
  switch (subtree.kind) {
    case 'empty':
      return [EMPTY, STATE_EMPTY_ROOT]
    case 'leaf':
      return [LEAF, stateLeafHash(subtree.keyHash, subtree.valueHash)]
    case 'node':
      return [NODE, subtree.digest]
  }
}

function rehash(bytes: Uint8Array, slots: number): void {
  let dirty = slots
  for (let width = SLOTS / 2; width >= 1; width /= 2) {
    let above = 0
    for (let index = 0; index < width; index += 1) {
      if (((dirty >>> (2 * index)) & 3) === 0) continue
      above |= 1 << index
      combine(bytes, width + index)
    }
    dirty = above
  }
}

function combine(bytes: Uint8Array, node: number): void {
  const left = bytes[KINDS_AT + 2 * node] ?? EMPTY
  const right = bytes[KINDS_AT + 2 * node + 1] ?? EMPTY
  if (left + right <= LEAF) {
    const child = left === EMPTY ? 2 * node + 1 : 2 * node
    setNode(bytes, node, left + right, bytes.subarray(child * 32, child * 32 + 32))
  } else {
    setNode(bytes, node, NODE, sha256(bytes.subarray(node * 64, node * 64 + 64)))
  }
}

function setNode(bytes: Uint8Array, node: number, kind: number, digest: Uint8Array): void {
  bytes.set(digest, node * 32)
  bytes[KINDS_AT + node] = kind
}
