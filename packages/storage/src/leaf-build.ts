// The state tree of many values at once, for an import: every page is made and written about once.
//
// The leaves are gathered first, both hashes of each and nothing else, and go into the tree in the order of their
// paths. Values come in the order of their keys, which says nothing of the paths: taken as they come, each chunk
// would rewrite most pages of the tree. Of the pages in between only the way down to the last leaf is kept, for
// the next leaves are to the right of it.
//
// So many leaves are gathered at most; then they are built in, and the next ones go into the tree that is there.

import { equalBytes } from '@mooring/codec'
import { sha256 } from '@mooring/crypto'
import type { Database, DatabaseOperation } from './database.ts'
import { StorageError } from './errors.ts'
import { formatDatabaseKey, pageKey } from './keys.ts'
import type { StateValue } from './pinned-chain.ts'
import { StateDrafts } from './state-drafts.ts'
import { allocateFrom, DIGEST_BYTES, LEAF_BYTES, type StatePage } from './state-page.ts'
import { type LeafChange, pathOf, updatePages } from './state-update.ts'

const GATHERED_MAX = 2_000_000
const PIECE_LEAVES = 16_384
const ENCODED_BYTES = 65_536
/** By the first two bytes of the path. */
const BUCKETS = 65_536
/** About so many go into the tree at a time. */
const RUN_LEAVES = 2_048

export class LeafBuild {
  readonly #database: Pick<Database, 'getSync' | 'batch'>
  readonly #drafts = new StateDrafts()
  readonly #gatheredMax: number
  #pieces: Uint8Array[] = []
  #count = 0
  /** The root page, and those on the way down to the last leaf. */
  #pages = new Map<string, StatePage>()

  constructor(database: Pick<Database, 'getSync' | 'batch'>, gatheredMax = GATHERED_MAX) {
    this.#database = database
    this.#gatheredMax = gatheredMax
  }

  /** Of several values of one key the last counts. */
  async add(values: readonly StateValue[]): Promise<void> {
    for (const { key, value } of values) {
      const at = (this.#count % PIECE_LEAVES) * LEAF_BYTES
      if (at === 0) this.#pieces.push(new Uint8Array(PIECE_LEAVES * LEAF_BYTES))
      const piece = this.#pieces.at(-1)
      piece?.set(sha256(key), at)
      piece?.set(sha256(value), at + DIGEST_BYTES)
      this.#count += 1
    }
    if (this.#count >= this.#gatheredMax) await this.finish()
  }

  /** All that were added are in the tree. */
  async finish(): Promise<void> {
    const { order, ends } = this.#sorted()
    let from = 0
    let written: Promise<void> = Promise.resolve()
    for (const [bucket, end] of ends.entries()) {
      if (end - from < RUN_LEAVES && bucket < BUCKETS - 1) continue
      if (end > from) {
        // Nothing that is being written is read for the leaves to the right of it.
        const operations = this.#build(order.subarray(from, end))
        await written
        written = this.#database.batch(operations, { sync: false })
      }
      from = end
    }
    await written
    this.#pieces = []
    this.#count = 0
  }

  /** The leaves by the first two bytes of their paths, else as they came; and where those of each two bytes end. */
  #sorted(): { order: Uint32Array; ends: Uint32Array } {
    const ends = new Uint32Array(BUCKETS)
    for (let index = 0; index < this.#count; index += 1) add(ends, this.#bucketOf(index), 1)
    for (let bucket = 1; bucket < BUCKETS; bucket += 1) add(ends, bucket, ends[bucket - 1] ?? 0)
    const starts = ends.slice()
    const order = new Uint32Array(this.#count)
    for (let index = this.#count - 1; index >= 0; index -= 1) {
      order[add(starts, this.#bucketOf(index), -1)] = index
    }
    return { order, ends }
  }

  /** What is to be written of the pages with these leaves. */
  #build(leaves: Uint32Array): DatabaseOperation[] {
    const sorted = Array.from(leaves, (index) => this.#changeOf(index)).toSorted(byPath)
    const changes = sorted.filter(({ path }, at) => path !== sorted[at + 1]?.path)
    const source = {
      root: () => this.#pages.get(''),
      load: (path: string, digest: Uint8Array) => this.#load(path, digest),
      drafts: this.#drafts,
    }
    const changed = updatePages(source, changes)
    const last = changes.at(-1)?.path ?? ''
    for (const path of this.#pages.keys()) if (!last.startsWith(path)) this.#pages.delete(path)
    const operations: DatabaseOperation[] = []
    const allocate = allocateFrom(ENCODED_BYTES)
    for (const [path, page] of changed) {
      if (page === null) throw new Error('a page has dissolved, and nothing was removed')
      operations.push({ type: 'put', key: pageKey(path), value: page.encode(allocate) })
      if (last.startsWith(path)) this.#pages.set(path, page)
    }
    return operations
  }

  #load(path: string, digest: Uint8Array): StatePage {
    const known = this.#pages.get(path)
    if (known !== undefined) return known
    const key = pageKey(path)
    const stored = this.#database.getSync(key)
    const page = stored === undefined ? undefined : this.#drafts.decode([stored])[0]
    if (page === undefined || !equalBytes(page.rootDigest, digest)) {
      const details = { key: formatDatabaseKey(key) }
      throw new StorageError('corrupt', 'a part of the state is not what its root says', details)
    }
    return page
  }

  #bucketOf(index: number): number {
    const [piece, at] = this.#placeOf(index)
    return ((piece[at] ?? 0) << 8) | (piece[at + 1] ?? 0)
  }

  #changeOf(index: number): LeafChange {
    const [piece, at] = this.#placeOf(index)
    const keyHash = piece.subarray(at, at + DIGEST_BYTES)
    const valueHash = piece.subarray(at + DIGEST_BYTES, at + LEAF_BYTES)
    return { path: pathOf(keyHash), keyHash, valueHash }
  }

  #placeOf(index: number): [piece: Uint8Array, at: number] {
    const piece = this.#pieces[Math.floor(index / PIECE_LEAVES)]
    if (piece === undefined) throw new RangeError(`no leaf ${index}`)
    return [piece, (index % PIECE_LEAVES) * LEAF_BYTES]
  }
}

function byPath(a: LeafChange, b: LeafChange): number {
  if (a.path === b.path) return 0
  return a.path < b.path ? -1 : 1
}

function add(counts: Uint32Array, at: number, more: number): number {
  const sum = (counts[at] ?? 0) + more
  counts[at] = sum
  return sum
}
