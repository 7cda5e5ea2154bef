// Pages in the making, in the memory of the hash (crypto/sha256-lanes.ts), where four nodes are hashed at once.
//
// A draft has what a page has, each leaf at the place of its slot. What hangs in the slots is set first and
// hashes nothing; then all drafts of one depth are hashed together, the deepest first: their leaves, then
// each level of nodes. So the lanes are full however few nodes change in a page, and each changed node is
// hashed once however many keys lie below it.
//
// Drafts are made one behind the other and forgotten all at once; nothing of them is kept but the pages.

import { createSha256Lanes, type Sha256Lanes } from '@mooring/crypto'
import {
  allocateFrom,
  DIGEST_BYTES,
  EMPTY,
  KINDS_AT,
  LEAF,
  LEAF_BYTES,
  LEAVES_AT,
  NODE,
  SLOTS,
  StatePage,
  STORED_HEAD_BYTES,
} from './state-page.ts'

export interface Draft {
  /** Where it begins in the memory. */
  readonly at: number
  /** A bit for each slot that is not as it was. */
  dirty: number
  above: { draft: Draft; slot: number } | null
}

/** Nodes have no prefix, and their function ignores it. */
type LaneFunction = Sha256Lanes['prefixed']

const DRAFT_BYTES = LEAVES_AT + SLOTS * LEAF_BYTES
/** What an unused lane reads and writes. */
const UNUSED_BYTES = 128
const UNUSED_AT = 64
const LANES = 4
const LEAF_PREFIX = 0
const MEMORY_PAGE_BYTES = 65_536
const FIRST_MEMORY_PAGES = 4
/** A page keeps the whole piece, until the cache has its copy. */
const PIECE_BYTES = 65_536

export class StateDrafts {
  readonly #lanes = createSha256Lanes(FIRST_MEMORY_PAGES)
  #memory = new Uint8Array(this.#lanes.memory.buffer)
  #end = UNUSED_BYTES
  readonly #allocate = allocateFrom(PIECE_BYTES)
  readonly #from = new Uint32Array(LANES)
  readonly #to = new Uint32Array(LANES)
  #waiting = 0

  /** Forgets every draft. */
  clear(): void {
    this.#end = UNUSED_BYTES
    this.#waiting = 0
  }

  open(before: StatePage | undefined): Draft {
    const at = this.#next()
    const memory = this.#memory
    if (before === undefined) {
      memory.fill(0, at, at + LEAVES_AT)
      return { at, dirty: 0, above: null }
    }
    memory.set(before.bytes, at)
    this.#spread(at, (before.bytes.length - LEAVES_AT) / LEAF_BYTES)
    return { at, dirty: 0, above: null }
  }

  kindOf({ at }: Draft, slot: number): number {
    return this.#memory[at + KINDS_AT + SLOTS + slot] ?? EMPTY
  }

  /** The digest that hangs in the slot, which is not in the drafts' memory. */
  digestOf({ at }: Draft, slot: number): Uint8Array {
    const from = at + (SLOTS + slot) * DIGEST_BYTES
    return this.#memory.slice(from, from + DIGEST_BYTES)
  }

  leafOf({ at }: Draft, slot: number): { keyHash: Uint8Array; valueHash: Uint8Array } {
    const from = at + LEAVES_AT + slot * LEAF_BYTES
    return {
      keyHash: this.#memory.slice(from, from + DIGEST_BYTES),
      valueHash: this.#memory.slice(from + DIGEST_BYTES, from + LEAF_BYTES),
    }
  }

  /** What the whole page is, seen from above: nothing, the leaf in a slot, or a node. */
  rootOf(draft: Draft): { kind: number; slot: number } {
    let found = { kind: EMPTY, slot: 0 }
    for (let slot = 0; slot < SLOTS; slot += 1) {
      const kind = this.kindOf(draft, slot)
      if (kind === NODE || (kind === LEAF && found.kind === LEAF)) return { kind: NODE, slot }
      if (kind === LEAF) found = { kind, slot }
    }
    return found
  }

  setEmpty(draft: Draft, slot: number): void {
    const node = draft.at + (SLOTS + slot) * DIGEST_BYTES
    this.#memory.fill(0, node, node + DIGEST_BYTES)
    this.#setKind(draft, slot, EMPTY)
  }

  setLeaf(draft: Draft, slot: number, keyHash: Uint8Array, valueHash: Uint8Array): void {
    const at = draft.at + LEAVES_AT + slot * LEAF_BYTES
    this.#memory.set(keyHash, at)
    this.#memory.set(valueHash, at + DIGEST_BYTES)
    this.#setKind(draft, slot, LEAF)
  }

  /** What hangs in the slot is the page that the other draft becomes. */
  setBelow(draft: Draft, slot: number, below: Draft): void {
    below.above = { draft, slot }
    this.#setKind(draft, slot, NODE)
  }

  /** Drafts of one depth; those of the next have been hashed. */
  hash(drafts: readonly Draft[]): void {
    const { prefixed, node } = this.#lanes
    for (const draft of drafts) {
      for (let slot = 0; slot < SLOTS; slot += 1) {
        if (((draft.dirty >>> slot) & 1) === 0 || this.kindOf(draft, slot) !== LEAF) continue
        const leaf = draft.at + LEAVES_AT + slot * LEAF_BYTES
        this.#queue(leaf, draft.at + (SLOTS + slot) * DIGEST_BYTES, prefixed)
      }
    }
    this.#flush(prefixed)
    for (let width = SLOTS / 2; width >= 1; width /= 2) {
      for (const draft of drafts) this.#combine(draft, width)
      this.#flush(node)
    }
    for (const { at: below, above } of drafts) {
      if (above === null) continue
      const digestAt = above.draft.at + (SLOTS + above.slot) * DIGEST_BYTES
      this.#memory.copyWithin(digestAt, below + DIGEST_BYTES, below + 2 * DIGEST_BYTES)
    }
  }

  page({ at: from }: Draft): StatePage {
    const memory = this.#memory
    let end = from + LEAVES_AT
    for (let slot = 0; slot < SLOTS; slot += 1) {
      if (memory[from + KINDS_AT + SLOTS + slot] !== LEAF) continue
      const leaf = from + LEAVES_AT + slot * LEAF_BYTES
      if (leaf !== end) memory.copyWithin(end, leaf, leaf + LEAF_BYTES)
      end += LEAF_BYTES
    }
    const bytes = this.#allocate(end - from)
    bytes.set(memory.subarray(from, end))
    return new StatePage(bytes)
  }

  /** Undefined for bytes that are not those of a page. Every digest in the pages is computed. */
  decode(stored: readonly Uint8Array[]): (StatePage | undefined)[] {
    const before = this.#end
    const drafts = stored.map((bytes) => this.#read(bytes))
    this.hash(drafts.filter((draft) => draft !== undefined))
    const pages = drafts.map((draft) => (draft === undefined ? undefined : this.page(draft)))
    this.#end = before
    return pages
  }

  #read(stored: Uint8Array): Draft | undefined {
    if (stored.length < STORED_HEAD_BYTES) return undefined
    const leaves = ((stored[0] ?? 0) << 8) | (stored[1] ?? 0)
    const nodes = ((stored[2] ?? 0) << 8) | (stored[3] ?? 0)
    const length =
      STORED_HEAD_BYTES + countBits(leaves) * LEAF_BYTES + countBits(nodes) * DIGEST_BYTES
    if ((leaves & nodes) !== 0 || stored.length !== length) return undefined
    const draft = this.open(undefined)
    const copy = this.#next()
    this.#memory.set(stored, copy)
    let from = copy + STORED_HEAD_BYTES
    for (let slot = 0; slot < SLOTS; slot += 1) {
      const kind = ((leaves >>> slot) & 1) * LEAF + ((nodes >>> slot) & 1) * NODE
      if (kind === EMPTY) continue
      const bytes = kind === LEAF ? LEAF_BYTES : DIGEST_BYTES
      const to = kind === LEAF ? LEAVES_AT + slot * LEAF_BYTES : (SLOTS + slot) * DIGEST_BYTES
      this.#memory.copyWithin(draft.at + to, from, from + bytes)
      this.#setKind(draft, slot, kind)
      from += bytes
    }
    this.#end = copy
    return draft
  }

  #next(): number {
    const at = this.#end
    this.#end += DRAFT_BYTES
    const missing = this.#end - this.#memory.length
    if (missing > 0) {
      const doubled = this.#memory.length / MEMORY_PAGE_BYTES
      this.#lanes.memory.grow(Math.max(doubled, Math.ceil(missing / MEMORY_PAGE_BYTES)))
      this.#memory = new Uint8Array(this.#lanes.memory.buffer)
    }
    return at
  }

  /** Moves the packed leaves of a page to their slots, from the last on, so that none is overwritten. */
  #spread(from: number, count: number): void {
    let packed = count
    for (let slot = SLOTS - 1; slot >= 0 && packed > 0; slot -= 1) {
      if (this.#memory[from + KINDS_AT + SLOTS + slot] !== LEAF) continue
      packed -= 1
      if (packed === slot) return
      const leaf = from + LEAVES_AT + packed * LEAF_BYTES
      this.#memory.copyWithin(from + LEAVES_AT + slot * LEAF_BYTES, leaf, leaf + LEAF_BYTES)
    }
  }

  #setKind(draft: Draft, slot: number, kind: number): void {
    this.#memory[draft.at + KINDS_AT + SLOTS + slot] = kind
    draft.dirty |= 1 << slot
  }

  #combine(draft: Draft, width: number): void {
    const memory = this.#memory
    let above = 0
    for (let index = 0; index < width; index += 1) {
      if (((draft.dirty >>> (2 * index)) & 3) === 0) continue
      above |= 1 << index
      const node = width + index
      const kinds = draft.at + KINDS_AT
      const left = memory[kinds + 2 * node] ?? EMPTY
      const right = memory[kinds + 2 * node + 1] ?? EMPTY
      const to = draft.at + node * DIGEST_BYTES
      if (left + right <= LEAF) {
        const child = draft.at + (left === EMPTY ? 2 * node + 1 : 2 * node) * DIGEST_BYTES
        memory.copyWithin(to, child, child + DIGEST_BYTES)
        memory[kinds + node] = left + right
      } else {
        memory[kinds + node] = NODE
        this.#queue(draft.at + 2 * node * DIGEST_BYTES, to, this.#lanes.node)
      }
    }
    draft.dirty = above
  }

  #queue(from: number, to: number, hash: LaneFunction): void {
    this.#from[this.#waiting] = from
    this.#to[this.#waiting] = to
    this.#waiting += 1
    if (this.#waiting === LANES) this.#flush(hash)
  }

  #flush(hash: LaneFunction): void {
    if (this.#waiting === 0) return
    const [from, to] = [this.#from, this.#to]
    from.fill(UNUSED_AT, this.#waiting)
    to.fill(0, this.#waiting)
    hash(
      lane(from, 0),
      lane(from, 1),
      lane(from, 2),
      lane(from, 3),
      lane(to, 0),
      lane(to, 1),
      lane(to, 2),
      lane(to, 3),
      LEAF_PREFIX,
    )
    this.#waiting = 0
  }
}

function lane(addresses: Uint32Array, index: number): number {
  return addresses[index] ?? 0
}

function countBits(bits: number): number {
  let count = 0
  for (let left = bits; left !== 0; left &= left - 1) count += 1
  return count
}
