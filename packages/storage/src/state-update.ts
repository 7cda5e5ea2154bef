// Many changes to the state tree at once. The changes are sorted by path and walk down the pages
// together, so that every page is loaded and copied once and every changed node hashed once,
// however many keys lie below it. On the way back a page left with one leaf or none dissolves into
// its parent's slot: the shape depends on the set of leaves only, never on how it came about.

import { complete, type Steps } from '@mooring/ledger'
import { equalBytes } from '@mooring/codec'
import type { Draft, StateDrafts } from './state-drafts.ts'
import { EMPTY, LEAF, NODE, type StatePage } from './state-page.ts'

export interface LeafChange {
  /** The key hash in hex digits. */
  path: string
  keyHash: Uint8Array
  /** Null removes the leaf. */
  valueHash: Uint8Array | null
}

/** The path of a key hash: toHex, by way of a Buffer, whose text is quicker to make and compare. */
export function pathOf(keyHash: Uint8Array): string {
  return Buffer.from(keyHash.buffer, keyHash.byteOffset, keyHash.byteLength).toString('hex')
}

/** The page at a path, whose parent says that it has this digest. */
export type LoadPage = (path: string, digest: Uint8Array) => StatePage

/** The changed pages; null for one that dissolved. The root page is at the empty path. */
export type ChangedPages = Map<string, StatePage | null>

/** So many changes have their drafts at the same time: what a processor keeps near, and a step of few milliseconds. */
const CHANGES_AT_ONCE = 128

export interface PageSource {
  /** Undefined for an empty tree. */
  root: () => StatePage | undefined
  load: LoadPage
  drafts: StateDrafts
}

/** The changes must be sorted by path, and name no path twice. */
export function updatePages(source: PageSource, changes: readonly LeafChange[]): ChangedPages {
  return complete(updatePagesInSteps(source, changes))
}

/** Between two steps nothing is in the drafts, and the pages that were loaded may be overwritten. */
export function* updatePagesInSteps(
  { root, load, drafts }: PageSource,
  changes: readonly LeafChange[],
): Steps<ChangedPages> {
  const pages: ChangedPages = new Map()
  const loadChanged: LoadPage = (path, digest) => pages.get(path) ?? load(path, digest)
  for (let from = 0; from < changes.length; from += CHANGES_AT_ONCE) {
    yield
    const top = pages.has('') ? (pages.get('') ?? undefined) : root()
    const part = changes.slice(from, from + CHANGES_AT_ONCE)
    try {
      new Update({ load: loadChanged, drafts, pages }).run(top, part)
    } finally {
      drafts.clear()
    }
  }
  return pages
}

interface Kept {
  path: string
  draft: Draft
}

class Update {
  readonly #load: LoadPage
  readonly #drafts: StateDrafts
  readonly #pages: ChangedPages
  /** The drafts that become pages, by depth. */
  readonly #depths: Kept[][] = []

  constructor({
    load,
    drafts,
    pages,
  }: { load: LoadPage; drafts: StateDrafts; pages: ChangedPages }) {
    this.#load = load
    this.#drafts = drafts
    this.#pages = pages
  }

  run(root: StatePage | undefined, changes: readonly LeafChange[]): void {
    this.#updatePage('', root, changes)
    for (const kept of this.#depths.toReversed()) {
      this.#drafts.hash(kept.map(({ draft }) => draft))
      for (const { path, draft } of kept) this.#pages.set(path, this.#drafts.page(draft))
    }
  }

  /** What the page becomes, or undefined when nothing in it changes. */
  #updatePage(
    path: string,
    before: StatePage | undefined,
    changes: readonly LeafChange[],
  ): Draft | undefined {
    const drafts = this.#drafts
    const depth = path.length
    const draft = drafts.open(before)
    for (let from = 0; from < changes.length; ) {
      const to = endOfDigit(changes, from, depth)
      const slot = digitAt(changes[from], depth)
      const part = changes.length === to - from ? changes : changes.slice(from, to)
      if (drafts.kindOf(draft, slot) === NODE) this.#updateBelow(draft, slot, path, part)
      else this.#updateLeaves(draft, slot, path, part)
      from = to
    }
    if (draft.dirty === 0) return undefined
    const { kind } = drafts.rootOf(draft)
    if (kind === NODE || (path === '' && kind === LEAF)) this.#keep(path, draft)
    else this.#pages.set(path, null)
    return draft
  }

  #updateBelow(draft: Draft, slot: number, path: string, part: readonly LeafChange[]): void {
    const drafts = this.#drafts
    const pathBelow = part[0]?.path.slice(0, path.length + 1) ?? ''
    const page = this.#load(pathBelow, drafts.digestOf(draft, slot))
    const below = this.#updatePage(pathBelow, page, part)
    if (below === undefined) return
    const root = drafts.rootOf(below)
    if (root.kind === NODE) drafts.setBelow(draft, slot, below)
    else if (root.kind === EMPTY) drafts.setEmpty(draft, slot)
    else {
      const { keyHash, valueHash } = drafts.leafOf(below, root.slot)
      drafts.setLeaf(draft, slot, keyHash, valueHash)
    }
  }

  /** The slot has a leaf or none. */
  #updateLeaves(draft: Draft, slot: number, path: string, part: readonly LeafChange[]): void {
    const drafts = this.#drafts
    const before = drafts.kindOf(draft, slot) === LEAF ? drafts.leafOf(draft, slot) : null
    const leaves = leavesOf(before, part)
    const [first] = leaves
    if (first === undefined) {
      if (before !== null) drafts.setEmpty(draft, slot)
    } else if (leaves.length > 1) {
      const pathBelow = first.path.slice(0, path.length + 1)
      const below = this.#updatePage(pathBelow, undefined, leaves)
      if (below !== undefined) drafts.setBelow(draft, slot, below)
    } else if (before === null || !isSameLeaf(before, first)) {
      drafts.setLeaf(draft, slot, first.keyHash, first.valueHash)
    }
  }

  #keep(path: string, draft: Draft): void {
    const depth = path.length
    while (this.#depths.length <= depth) this.#depths.push([])
    this.#depths[depth]?.push({ path, draft })
  }
}

interface Leaf extends LeafChange {
  valueHash: Uint8Array
}

interface Hanging {
  keyHash: Uint8Array
  valueHash: Uint8Array
}

/** The leaves of a slot after the changes, sorted by path. */
function leavesOf(before: Hanging | null, part: readonly LeafChange[]): readonly Leaf[] {
  const leaves = part.filter(isPresent)
  if (before === null) return leaves
  if (part.some(({ keyHash }) => equalBytes(keyHash, before.keyHash))) return leaves
  const stays: Leaf = { path: pathOf(before.keyHash), ...before }
  const at = leaves.findIndex(({ path }) => path > stays.path)
  return leaves.toSpliced(at < 0 ? leaves.length : at, 0, stays)
}

function isPresent(change: LeafChange): change is Leaf {
  return change.valueHash !== null
}

function isSameLeaf(a: Hanging, b: Hanging): boolean {
  return equalBytes(a.keyHash, b.keyHash) && equalBytes(a.valueHash, b.valueHash)
}

function digitAt(change: LeafChange | undefined, depth: number): number {
  const byte = change?.keyHash[depth >>> 1] ?? 0
  return (depth & 1) === 0 ? byte >>> 4 : byte & 15
}

function endOfDigit(changes: readonly LeafChange[], from: number, depth: number): number {
  const digit = digitAt(changes[from], depth)
  let to = from + 1
  while (to < changes.length && digitAt(changes[to], depth) === digit) to += 1
  return to
}
