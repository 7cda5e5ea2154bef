// A page of the state tree: four levels of it in one stored value.
//
// The page at a path of d hex digits is the subtree whose leaves' key hashes start with them. It
// has 16 slots, one per next digit, and in each hangs nothing, a single leaf, or a subtree of two
// leaves or more, which has a page of its own. The 15 nodes above the slots follow by the rules of
// crypto/sparse-merkle.ts. So a page exists exactly where two leaves or more share a path (and at
// the root), and its contents depend on the set of leaves alone.
//
// In memory a page has the digests of its nodes in heap order (root 1, children of n at 2n and 2n + 1,
// slots 16 to 31), which puts the two digests that a node hashes side by side; behind them a byte
// per node with its kind; and the leaves in its slots, key hash and value hash in one array that is
// never changed, so that copies of the page share it.
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
const NODES_BYTES = KINDS_AT + 32
const PAGE_OVERHEAD = 300
const LEAF_OVERHEAD = 100

export const EMPTY_SUBTREE: Subtree = { kind: 'empty' }

type Leaves = (Uint8Array | undefined)[]

const NO_LEAVES: Leaves = Array.from({ length: SLOTS })

export class StatePage {
  readonly #nodes: Uint8Array
  readonly #leaves: Leaves

  private constructor(nodes: Uint8Array, leaves: Leaves) {
    this.#nodes = nodes
    this.#leaves = leaves
  }

  static empty(): StatePage {
    return new StatePage(new Uint8Array(NODES_BYTES), NO_LEAVES.slice())
  }

  /** Undefined when the bytes are not those of a page. Every digest in the page is computed. */
  static decode(stored: Uint8Array): StatePage | undefined {
    if (stored.length < 4) return undefined
    const view = viewOf(stored)
    const leaves = view.getUint16(0)
    const nodes = view.getUint16(2)
    if ((leaves & nodes) !== 0) return undefined
    const page = StatePage.empty()
    let offset = 4
    for (let slot = 0; slot < SLOTS; slot += 1) {
      const kind = ((leaves >>> slot) & 1) * LEAF + ((nodes >>> slot) & 1) * NODE
      const length = kind * (kind === LEAF ? 64 : 16)
      page.#setSlot(slot, kind, stored.slice(offset, offset + length))
      offset += length
    }
    if (offset !== stored.length) return undefined
    page.rehash(0xffff)
    return page
  }

  encode(): Uint8Array {
    let leaves = 0
    let nodes = 0
    const contents: Uint8Array[] = [new Uint8Array(4)]
    for (let slot = 0; slot < SLOTS; slot += 1) {
      const leaf = this.#leaves[slot]
      if (leaf !== undefined) {
        leaves |= 1 << slot
        contents.push(leaf)
      } else if (this.#kindAt(SLOTS + slot) === NODE) {
        nodes |= 1 << slot
        contents.push(this.digestAt(SLOTS + slot))
      }
    }
    const bytes = concatBytes(...contents)
    const view = viewOf(bytes)
    view.setUint16(0, leaves)
    view.setUint16(2, nodes)
    return bytes
  }

  clone(): StatePage {
    return new StatePage(this.#nodes.slice(), this.#leaves.slice())
  }

  /** About what the page takes in memory. */
  get bytes(): number {
    const leaves = this.#leaves.filter((leaf) => leaf !== undefined).length
    return NODES_BYTES + PAGE_OVERHEAD + leaves * (64 + LEAF_OVERHEAD)
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

  /** Call rehash for the slots that were set before reading any node above them. */
  setSlot(slot: number, subtree: Subtree): void {
    if (subtree.kind === 'empty') {
      this.#setSlot(slot, EMPTY, new Uint8Array(0))
    } else if (subtree.kind === 'node') {
      this.#setSlot(slot, NODE, subtree.digest)
    } else {
      const both = new Uint8Array(64)
      both.set(subtree.keyHash)
      both.set(subtree.valueHash, 32)
      this.#setSlot(slot, LEAF, both)
    }
  }

  /** Computes the nodes above the slots in the bit set, each once. */
  rehash(slots: number): void {
    let dirty = slots
    for (let width = SLOTS / 2; width >= 1; width /= 2) {
      let above = 0
      for (let index = 0; index < width; index += 1) {
        if (((dirty >>> (2 * index)) & 3) === 0) continue
        above |= 1 << index
        this.#combine(width + index)
      }
      dirty = above
    }
  }

  subtreeAt(node: number): Subtree {
    const kind = this.#kindAt(node)
    if (kind === EMPTY) return EMPTY_SUBTREE
    if (kind === NODE) return { kind: 'node', digest: this.digestAt(node) }
    let at = node
    while (at < SLOTS) at = this.#kindAt(2 * at) === LEAF ? 2 * at : 2 * at + 1
    const leaf = this.#leaves[at - SLOTS]
    if (leaf === undefined) throw new Error('a slot of kind leaf has a leaf')
    return { kind: 'leaf', keyHash: leaf.subarray(0, 32), valueHash: leaf.subarray(32) }
  }

  digestAt(node: number): Uint8Array {
    return this.#nodes.subarray(node * 32, node * 32 + 32)
  }

  #combine(node: number): void {
    const left = this.#kindAt(2 * node)
    const right = this.#kindAt(2 * node + 1)
    if (left + right <= LEAF) {
      const child = left === EMPTY ? 2 * node + 1 : 2 * node
      this.#setNode(node, left + right, this.digestAt(child))
    } else {
      this.#setNode(node, NODE, sha256(this.#nodes.subarray(node * 64, node * 64 + 64)))
    }
  }

  #setSlot(slot: number, kind: number, content: Uint8Array): void {
    this.#leaves[slot] = kind === LEAF ? content : undefined
    if (kind === EMPTY) {
      this.#setNode(SLOTS + slot, EMPTY, STATE_EMPTY_ROOT)
    } else if (kind === NODE) {
      this.#setNode(SLOTS + slot, NODE, content)
    } else {
      const digest = stateLeafHash(content.subarray(0, 32), content.subarray(32))
      this.#setNode(SLOTS + slot, LEAF, digest)
    }
  }

  #setNode(node: number, kind: number, digest: Uint8Array): void {
    this.#nodes.set(digest, node * 32)
    this.#nodes[KINDS_AT + node] = kind
  }

  #kindAt(node: number): number {
    return this.#nodes[KINDS_AT + node] ?? EMPTY
  }
}
