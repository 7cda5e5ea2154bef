// The state: what the final blocks left behind, as an authenticated map. state-page.ts has the
// shape, state-update.ts the changes; here are the base on disk and the views above it.
//
// The base is the state after the last committed block, and nothing else is ever written. A view is
// the base or an overlay of changes kept in memory, on a view: an unfinalized block's state is an
// overlay on its parent's, and dropping a block is forgetting its view. Committing a view moves the
// base to it; the views above it then read through to the new base, and every other view (a fork
// that lost, or the base of before) is stale and says so when it is read.
//
// The base moves in begin(), before its pages are on the disk, and keeps them in memory until
// end(): a read in between must not find the new page under the old root or the other way round. Both
// leave their long work to whoever asks for it step by step, and readers come in between.
//
// Nothing read is believed. A page must hash to the digest that its parent names, and the root page
// to the state root; a value must hash to the value hash in its leaf. An older version that the
// database fell back to is therefore found out as surely as a flipped bit. What is in memory has
// been checked when it came in.

import { complete, type Steps } from '@mooring/ledger'
import { equalBytes, toHex } from '@mooring/codec'
import { sha256, STATE_EMPTY_ROOT, stateBit, type StateProof } from '@mooring/crypto'
import type { Database, DatabaseOperation } from './database.ts'
import { StorageError } from './errors.ts'
import { formatDatabaseKey, pageKey, valueKey } from './keys.ts'
import { PageCache } from './page-cache.ts'
import { countMissing, readAhead } from './read-ahead.ts'
import { RecentCache } from './recent-cache.ts'
import { StateDrafts } from './state-drafts.ts'
import { allocateFrom, type StatePage } from './state-page.ts'
import { type LeafChange, pathOf, updatePagesInSteps } from './state-update.ts'

/** One change to the state; a null value removes the key. */
export interface StateEntry {
  key: Uint8Array
  value: Uint8Array | null
}

/** Whoever only looks at a state has no need to read ahead. */
type StateDatabase = Pick<Database, 'getSync'> & Partial<Pick<Database, 'getProven'>>

interface Changes {
  pages: Map<string, StatePage | null>
  /** By the state key in hex. */
  values: Map<string, StateEntry>
}

const PAGES_BYTES_MAX = 128 * 1024 * 1024
const VALUES_BYTES_MAX = 16 * 1024 * 1024
const VALUE_OVERHEAD = 500
const ENCODED_BYTES = 65_536
const FIRST_SLOT = 16

export class StateTree {
  readonly #database: StateDatabase
  readonly #pages: PageCache
  readonly #values = new RecentCache<Uint8Array>(
    VALUES_BYTES_MAX,
    (value) => value.length + VALUE_OVERHEAD,
  )
  /** Pages in the making, and the memory in which they are hashed. */
  readonly drafts = new StateDrafts()
  #root: Uint8Array
  /** Counts the moves of the base. */
  #generation = 0
  #moving: Changes | undefined

  private constructor(database: StateDatabase, pagesBytesMax: number) {
    this.#database = database
    this.#pages = new PageCache(pagesBytesMax)
    this.#root = STATE_EMPTY_ROOT
  }

  /** The state in the database, whatever its root; the caller knows which one it must be. */
  static open(database: StateDatabase, pagesBytesMax = PAGES_BYTES_MAX): StateTree {
    const tree = new StateTree(database, pagesBytesMax)
    const root = tree.#readPage('')
    if (root !== undefined) {
      tree.#root = root.rootDigest.slice()
      tree.#pages.set('', root)
    }
    return tree
  }

  get root(): Uint8Array {
    return this.#root
  }

  get generation(): number {
    return this.#generation
  }

  /** The base as it is now. */
  view(): StateView {
    return StateView.ofBase(this)
  }

  /**
   * Moves the base to the view; what it returns, made when it is iterated over, must reach the disk before end() is
   * called.
   */
  begin(view: StateView): Iterable<DatabaseOperation> {
    if (this.#moving !== undefined) throw new Error('the base of the state is moving already')
    const changes = view.settle()
    this.#moving = changes
    this.#root = view.root
    if (changes.pages.size > 0) this.#generation += 1
    return operationsOf(changes)
  }

  end(): void {
    complete(this.endInSteps())
  }

  *endInSteps(): Steps<void> {
    if (this.#moving === undefined) throw new Error('the base of the state is not moving')
    for (const [path, page] of this.#moving.pages) {
      if (page === null) this.#pages.delete(path)
      else this.#pages.set(path, page)
      yield
    }
    // Most values are written once and not read again: only those that are read get a place.
    for (const name of this.#moving.values.keys()) {
      this.#values.delete(name)
      yield
    }
    this.#moving = undefined
  }

  /** Reads ahead what changes of these keys need of the base; they need no such call. */
  async readAhead(keys: Iterable<Uint8Array>): Promise<void> {
    const read = this.#database.getProven?.bind(this.#database)
    if (read === undefined) return
    await readAhead(
      {
        ...this.#known,
        drafts: this.drafts,
        read,
        keep: (path, page) => this.#pages.set(path, page),
        generation: () => this.#generation,
      },
      keys,
    )
  }

  /** How many pages of the base at least would be read for these keys. */
  countMissing(keys: readonly Uint8Array[]): number {
    return countMissing(this.#known, keys)
  }

  readonly #known = {
    root: () => this.page('', this.#root),
    known: (path: string) => this.#moving?.pages.get(path) ?? this.#pages.get(path),
  }

  /** The base's page, which must have the digest; undefined only for the root of an empty tree. */
  page(path: string, digest: Uint8Array): StatePage | undefined {
    const held = this.#moving?.pages.get(path)
    if (held === null) return undefined
    const known = held ?? this.#pages.get(path)
    if (known !== undefined) return known
    const page = this.#readPage(path)
    if (page === undefined) {
      if (path === '' && equalBytes(digest, STATE_EMPTY_ROOT)) return undefined
      throw gone(pageKey(path))
    }
    if (!equalBytes(page.rootDigest, digest)) throw altered(pageKey(path))
    this.#pages.set(path, page)
    return page
  }

  /** The base's value of the key; the name is the key in hex. */
  get(key: Uint8Array, name: string): Uint8Array | undefined {
    const moving = this.#moving?.values.get(name)
    if (moving !== undefined) return moving.value ?? undefined
    const known = this.#values.get(name)
    if (known !== undefined) return known
    const valueHash = this.#valueHashOf(sha256(key))
    if (valueHash === undefined) return undefined
    const value = this.#database.getSync(valueKey(key))
    if (value === undefined) throw gone(valueKey(key))
    if (!equalBytes(sha256(value), valueHash)) throw altered(valueKey(key))
    this.#values.set(name, value)
    return value
  }

  #valueHashOf(keyHash: Uint8Array): Uint8Array | undefined {
    const path = pathOf(keyHash)
    let page = this.page('', this.#root)
    for (let depth = 0; page !== undefined; depth += 1) {
      const slot = page.slot(Number.parseInt(path.charAt(depth), 16))
      if (slot.kind === 'empty') return undefined
      if (slot.kind === 'leaf')
        return equalBytes(slot.keyHash, keyHash) ? slot.valueHash : undefined
      page = this.page(path.slice(0, depth + 1), slot.digest)
    }
    return undefined
  }

  #readPage(path: string): StatePage | undefined {
    const stored = this.#database.getSync(pageKey(path))
    if (stored === undefined) return undefined
    const [page] = this.drafts.decode([stored])
    if (page === undefined) throw altered(pageKey(path))
    return page
  }
}

/** A state that can be read, proved and built upon: the base, or changes above another view. */
export class StateView {
  readonly root: Uint8Array
  readonly #tree: StateTree
  #below: StateView | undefined
  #changes: Changes
  /** When it is the base: since which move. An overlay has none until it is committed. */
  #generation: number | undefined

  private constructor(
    tree: StateTree,
    root: Uint8Array,
    overlay?: { below: StateView; changes: Changes },
  ) {
    this.root = root
    this.#tree = tree
    this.#below = overlay?.below
    this.#changes = overlay?.changes ?? noChanges()
    this.#generation = overlay === undefined ? tree.generation : undefined
  }

  static ofBase(tree: StateTree): StateView {
    return new StateView(tree, tree.root)
  }

  get(key: Uint8Array): Uint8Array | undefined {
    const name = toHex(key)
    for (const overlay of StateView.#overlays(this)) {
      const entry = overlay.#changes.values.get(name)
      if (entry !== undefined) return entry.value ?? undefined
    }
    return this.#tree.get(key, name)
  }

  /** Pages of the base on the way to these keys come into memory, as far as there is room. */
  readAhead(keys: Iterable<Uint8Array>): Promise<void> {
    return this.#tree.readAhead(keys)
  }

  /** How many pages at least would have to be read for these keys. */
  countMissing(keys: readonly Uint8Array[]): number {
    return this.#tree.countMissing(keys)
  }

  /** That the key has its value, or that it has none: crypto's checkStateProof checks it. */
  prove(key: Uint8Array): StateProof {
    const keyHash = sha256(key)
    const path = pathOf(keyHash)
    const siblings: Uint8Array[] = []
    const overlays = StateView.#overlays(this)
    let page = this.#page(overlays, '', this.root)
    let node = 1
    while (page !== undefined) {
      const subtree = page.subtreeAt(node)
      if (subtree.kind === 'empty') break
      if (subtree.kind === 'leaf') {
        const leaf = { keyHash: subtree.keyHash.slice(), valueHash: subtree.valueHash.slice() }
        return { siblings: siblings.toReversed(), leaf }
      }
      if (node >= FIRST_SLOT) {
        page = this.#page(overlays, path.slice(0, siblings.length / 4), subtree.digest)
        node = 1
      } else {
        node = 2 * node + stateBit(keyHash, siblings.length)
        siblings.push(page.digestAt(node ^ 1).slice())
      }
    }
    return { siblings: siblings.toReversed(), leaf: null }
  }

  /** The state after the changes; of several to one key the last counts. */
  apply(entries: Iterable<StateEntry>): StateView {
    return complete(this.applyInSteps(entries))
  }

  /** The base may move to this view between two steps; when it moves elsewhere, the view is stale. */
  *applyInSteps(entries: Iterable<StateEntry>): Steps<StateView> {
    const values = new Map<string, StateEntry>()
    const changes: LeafChange[] = []
    for (const entry of entries) {
      values.set(toHex(entry.key), entry)
      yield
    }
    for (const { key, value } of values.values()) {
      yield
      const keyHash = sha256(key)
      const valueHash = value === null ? null : sha256(value)
      changes.push({ path: pathOf(keyHash), keyHash, valueHash })
    }
    yield
    changes.sort((a, b) => (a.path < b.path ? -1 : 1))
    let overlays: StateView[] = []
    const source = {
      drafts: this.#tree.drafts,
      root: () => this.#page(overlays, '', this.root),
      load: (path: string, digest: Uint8Array): StatePage => {
        const page = this.#page(overlays, path, digest)
        if (page === undefined) throw gone(pageKey(path))
        return page
      },
    }
    const steps = updatePagesInSteps(source, changes)
    let step = steps.next()
    for (; step.done !== true; step = steps.next()) {
      yield
      overlays = StateView.#overlays(this)
    }
    const pages = step.value
    if (pages.size === 0) return this
    const root = pages.get('')?.rootDigest.slice() ?? STATE_EMPTY_ROOT
    return new StateView(this.#tree, root, { below: this, changes: { pages, values } })
  }

  /** Becomes the base: the changes since the last one, which the tree takes over. */
  settle(): Changes {
    const overlays = StateView.#overlays(this).toReversed()
    const [lowest] = overlays
    const merged = lowest === undefined ? noChanges() : lowest.#changes
    for (const overlay of overlays) {
      if (overlay !== lowest) mergeInto(merged, overlay.#changes)
      overlay.#changes = noChanges()
      overlay.#generation = STALE
      overlay.#below = undefined
    }
    if (overlays.length > 0) this.#generation = this.#tree.generation + 1
    return merged
  }

  /** From the view down to the base, which must still be the tree's. */
  static #overlays(top: StateView): StateView[] {
    const overlays: StateView[] = []
    let view: StateView | undefined = top
    for (; view !== undefined && view.#generation === undefined; view = view.#below) {
      overlays.push(view)
    }
    if (view === undefined || view.#generation !== top.#tree.generation) {
      throw new StorageError('stale_view', 'the base of this state has moved elsewhere')
    }
    return overlays
  }

  #page(overlays: readonly StateView[], path: string, digest: Uint8Array): StatePage | undefined {
    for (const overlay of overlays) {
      const page = overlay.#changes.pages.get(path)
      if (page !== undefined) return page ?? undefined
    }
    return this.#tree.page(path, digest)
  }
}

const STALE = -1

function mergeInto(merged: Changes, { pages, values }: Changes): void {
  for (const [path, page] of pages) merged.pages.set(path, page)
  for (const [name, entry] of values) merged.values.set(name, entry)
}

function* operationsOf({ pages, values }: Changes): Generator<DatabaseOperation> {
  const allocate = allocateFrom(ENCODED_BYTES)
  for (const [path, page] of pages) {
    const key = pageKey(path)
    if (page === null) yield { type: 'del', key }
    else yield { type: 'put', key, value: page.encode(allocate) }
  }
  for (const { key: stateKey, value } of values.values()) {
    const key = valueKey(stateKey)
    yield value === null ? { type: 'del', key } : { type: 'put', key, value }
  }
}

function noChanges(): Changes {
  return { pages: new Map(), values: new Map() }
}

function gone(key: Uint8Array): StorageError {
  return new StorageError('missing', 'a part of the state is gone', { key: formatDatabaseKey(key) })
}

function altered(key: Uint8Array): StorageError {
  return new StorageError('corrupt', 'a part of the state is not what its root says', {
    key: formatDatabaseKey(key),
  })
}
