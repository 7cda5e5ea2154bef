// Pages of the base in memory, bounded in bytes.
//
// They lie one behind the other in slabs, each copied there when it comes in, so that nothing else is kept
// alive by them. A page that changes and keeps its length, as most do, is overwritten where it lies. When there is
// no room the oldest slab goes, with all that is in it.
//
// Every key passes through upper pages, which have no leaves; of a tree of millions of keys the lowest are hardly
// ever met again. So the upper ones have slabs of their own, which stay as long as they leave a quarter of the
// room to the others.

import { StatePage } from './state-page.ts'

interface Slab {
  readonly bytes: Uint8Array
  used: number
  readonly paths: string[]
  readonly pages: StatePage[]
}

const SLAB_BYTES = 256 * 1024
/** In how many pieces the room is at least. */
const SLABS_MIN = 16
const UPPER_SHARE = 0.75
/** What a page takes beside its bytes. */
const PAGE_OVERHEAD = 300

export class PageCache {
  readonly #bytesMax: number
  readonly #slabBytes: number
  readonly #pages = new Map<string, StatePage>()
  readonly #upper: Slab[] = []
  readonly #lower: Slab[] = []
  #bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
    this.#slabBytes = Math.min(SLAB_BYTES, Math.floor(bytesMax / SLABS_MIN))
  }

  /** About what all of it takes in memory. */
  get size(): number {
    return this.#bytes + this.#pages.size * PAGE_OVERHEAD
  }

  /** To be read at once: the page is overwritten when the base moves. */
  get(path: string): StatePage | undefined {
    return this.#pages.get(path)
  }

  set(path: string, page: StatePage): void {
    const known = this.#pages.get(path)
    if (known !== undefined && known.bytes.length === page.bytes.length) {
      known.bytes.set(page.bytes)
      return
    }
    this.#append(page.hasLeaves ? this.#lower : this.#upper, path, page)
    while (this.size > this.#bytesMax) {
      const isTooHigh = bytesOf(this.#upper) > UPPER_SHARE * this.#bytesMax
      this.#drop(isTooHigh || this.#lower.length === 0 ? this.#upper : this.#lower)
    }
  }

  delete(path: string): void {
    this.#pages.delete(path)
  }

  #append(slabs: Slab[], path: string, page: StatePage): void {
    const { length } = page.bytes
    const newest = slabs.at(-1)
    const hasRoom = newest !== undefined && newest.bytes.length - newest.used >= length
    const slab = hasRoom ? newest : this.#add(slabs, length)
    const kept = new StatePage(slab.bytes.subarray(slab.used, slab.used + length))
    kept.bytes.set(page.bytes)
    slab.used += length
    slab.paths.push(path)
    slab.pages.push(kept)
    this.#pages.set(path, kept)
  }

  #add(slabs: Slab[], length: number): Slab {
    const bytes = new Uint8Array(Math.max(length, this.#slabBytes))
    const slab: Slab = { bytes, used: 0, paths: [], pages: [] }
    slabs.push(slab)
    this.#bytes += bytes.length
    return slab
  }

  #drop(slabs: Slab[]): void {
    const oldest = slabs.shift()
    if (oldest === undefined) return
    this.#bytes -= oldest.bytes.length
    for (const [index, path] of oldest.paths.entries()) {
      if (this.#pages.get(path) === oldest.pages[index]) this.#pages.delete(path)
    }
  }
}

function bytesOf(slabs: readonly Slab[]): number {
  return slabs.reduce((sum, { bytes }) => sum + bytes.length, 0)
}
