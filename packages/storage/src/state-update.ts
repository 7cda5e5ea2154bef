// Many changes to the state tree at once. The changes are sorted by path and walk down the pages
// together, so that every page is loaded and copied once and every changed node hashed once,
// however many keys lie below it. On the way back a page left with one leaf or none dissolves into
// its parent's slot: the shape depends on the set of leaves only, never on how it came about.

import { equalBytes } from '@mooring/codec'
import { changedPage, EMPTY_SUBTREE, type StatePage, type Subtree } from './state-page.ts'

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

/** The changes must be sorted by path, and name no path twice. */
export function updatePages(
  load: LoadPage,
  root: StatePage | undefined,
  changes: readonly LeafChange[],
): ChangedPages {
  const pages: ChangedPages = new Map()

  /** What the page has become, or undefined when nothing in it changed. */
  function updatePage(
    path: string,
    before: StatePage | undefined,
    part: readonly LeafChange[],
  ): Subtree | undefined {
    const slots: (Subtree | undefined)[] = []
    for (let from = 0; from < part.length; ) {
      const digit = part[from]?.path[path.length] ?? ''
      const to = endOfDigit(part, from, path.length)
      const slot = Number.parseInt(digit, 16)
      const hanging = before?.slot(slot) ?? EMPTY_SUBTREE
      const after = updateSlot(path + digit, hanging, part.slice(from, to))
      if (after !== undefined) slots[slot] = after
      from = to
    }
    if (slots.length === 0) return undefined
    const page = changedPage(before, slots)
    const { root: subtree } = page
    const isKept = path === '' ? subtree.kind !== 'empty' : subtree.kind === 'node'
    pages.set(path, isKept ? page : null)
    return subtree
  }

  function updateSlot(
    path: string,
    before: Subtree,
    part: readonly LeafChange[],
  ): Subtree | undefined {
    if (before.kind === 'node') return updatePage(path, load(path, before.digest), part)
    const leaves = leavesOf(before, part)
    const [first] = leaves
    if (first === undefined) return before.kind === 'empty' ? undefined : EMPTY_SUBTREE
    if (leaves.length > 1) return updatePage(path, undefined, leaves)
    return isLeaf(before, first) ? undefined : leafOf(first)
  }

  updatePage('', root, changes)
  return pages
}

type Leaf = LeafChange & { valueHash: Uint8Array }

/** The leaves of a slot after the changes, sorted by path. */
function leavesOf(before: Subtree, part: readonly LeafChange[]): Leaf[] {
  const leaves = part.filter(isPresent)
  if (before.kind !== 'leaf') return leaves
  if (part.some(({ keyHash }) => equalBytes(keyHash, before.keyHash))) return leaves
  const { keyHash, valueHash } = before
  const stays: Leaf = { path: pathOf(keyHash), keyHash, valueHash }
  const at = leaves.findIndex(({ path }) => path > stays.path)
  return leaves.toSpliced(at < 0 ? leaves.length : at, 0, stays)
}

function isPresent(change: LeafChange): change is Leaf {
  return change.valueHash !== null
}

function isLeaf(subtree: Subtree, { keyHash, valueHash }: Leaf): boolean {
  return (
    subtree.kind === 'leaf' &&
    equalBytes(subtree.keyHash, keyHash) &&
    equalBytes(subtree.valueHash, valueHash)
  )
}

function leafOf({ keyHash, valueHash }: Leaf): Subtree {
  return { kind: 'leaf', keyHash, valueHash }
}

function endOfDigit(part: readonly LeafChange[], from: number, depth: number): number {
  const digit = part[from]?.path[depth]
  let to = from + 1
  while (to < part.length && part[to]?.path[depth] === digit) to += 1
  return to
}
