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
// changes; state-drafts.ts makes them.
//
// Stored: u16 slots with a leaf | u16 slots with a subtree | per slot in order: both hashes of the
// leaf, or the digest of the subtree.

export type Subtree =
  | { kind: 'empty' }
  | { kind: 'leaf'; keyHash: Uint8Array; valueHash: Uint8Array }
  | { kind: 'node'; digest: Uint8Array }

export const EMPTY = 0
export const LEAF = 1
export const NODE = 2
export const SLOTS = 16
export const DIGEST_BYTES = 32
export const KINDS_AT = 2 * SLOTS * DIGEST_BYTES
export const LEAVES_AT = KINDS_AT + 2 * SLOTS
export const LEAF_BYTES = 64
export const STORED_HEAD_BYTES = 4

const EMPTY_SUBTREE: Subtree = { kind: 'empty' }

/** Gives bytes that nobody else has, whatever is in them. */
export type Allocate = (length: number) => Uint8Array

/** Cut from larger pieces: the price of a Uint8Array is that of its buffer. A piece goes when all cut from it went. */
export function allocateFrom(pieceBytes: number): Allocate {
  let piece = new Uint8Array(0)
  let used = 0
  return (length) => {
    if (length > piece.length - used) {
      piece = new Uint8Array(Math.max(pieceBytes, length))
      used = 0
    }
    used += length
    return piece.subarray(used - length, used)
  }
}

export class StatePage {
  readonly bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  /** Whether in one of the slots hangs a leaf; an upper page of a large tree has none. */
  get hasLeaves(): boolean {
    return this.bytes.length > LEAVES_AT
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
      keyHash: this.bytes.subarray(at, at + DIGEST_BYTES),
      valueHash: this.bytes.subarray(at + DIGEST_BYTES, at + LEAF_BYTES),
    }
  }

  digestAt(node: number): Uint8Array {
    return this.bytes.subarray(node * DIGEST_BYTES, (node + 1) * DIGEST_BYTES)
  }

  encode(allocate: Allocate): Uint8Array {
    let [leaves, nodes, length] = [0, 0, STORED_HEAD_BYTES]
    for (let slot = 0; slot < SLOTS; slot += 1) {
      const kind = this.#kindAt(SLOTS + slot)
      if (kind === LEAF) leaves |= 1 << slot
      else if (kind === NODE) nodes |= 1 << slot
      length += kind === LEAF ? LEAF_BYTES : kind === NODE ? DIGEST_BYTES : 0
    }
    const stored = allocate(length)
    stored[0] = leaves >>> 8
    stored[1] = leaves
    stored[2] = nodes >>> 8
    stored[3] = nodes
    let [at, leafAt] = [STORED_HEAD_BYTES, LEAVES_AT]
    for (let slot = 0; slot < SLOTS; slot += 1) {
      const kind = this.#kindAt(SLOTS + slot)
      if (kind === EMPTY) continue
      const isLeaf = kind === LEAF
      const from = isLeaf ? leafAt : (SLOTS + slot) * DIGEST_BYTES
      const end = from + (isLeaf ? LEAF_BYTES : DIGEST_BYTES)
      // A loop: a view for each piece would cost more than the copy.
      for (let byte = from; byte < end; byte += 1) stored[at++] = this.bytes[byte] ?? 0
      if (isLeaf) leafAt = end
    }
    return stored
  }

  #kindAt(node: number): number {
    return this.bytes[KINDS_AT + node] ?? EMPTY
  }
}
