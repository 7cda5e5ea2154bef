// The pages that changes of many keys will need, read together and away from the event loop.
//
// They are found as the changes will find them, from the root down, but a depth at a time: all pages of one
// depth that are not in memory are read at once and decoded together, where the lanes of the hash are full.
// What is read here must hash to what its parent says, like every page; what does not, or is gone, is left
// for whoever needs it to complain of.

import { equalBytes } from '@mooring/codec'
import { pageKey } from './keys.ts'
import type { StateDrafts } from './state-drafts.ts'
import { NODE, SLOTS, type StatePage } from './state-page.ts'

export interface PrefetchSource {
  readonly root: StatePage
  readonly drafts: StateDrafts
  read(keys: Uint8Array[]): Promise<(Uint8Array | undefined)[]>
  known(path: string): StatePage | undefined
  keep(path: string, page: StatePage): void
  /** Counts the moves of the base: what was read before one is not kept after it. */
  readonly generation: number
}

interface Missing {
  path: string
  digest: Uint8Array
  /** The paths below it. */
  from: number
  to: number
}

/** So many have their drafts at the same time, near the processor. */
const PAGES_AT_ONCE = 128
/** Reads go to so many threads. */
const READERS = 2

/** The paths are sorted. */
export async function prefetchPages(
  source: PrefetchSource,
  paths: readonly string[],
): Promise<void> {
  const { root, generation, drafts } = source
  let missing: Missing[] = []
  findMissing(source, missing, { page: root, paths, from: 0, to: paths.length, path: '' })
  while (missing.length > 0) {
    const stored = await readAll(source, missing)
    if (source.generation !== generation) return
    const next: Missing[] = []
    for (let at = 0; at < missing.length; at += PAGES_AT_ONCE) {
      const part = missing.slice(at, at + PAGES_AT_ONCE)
      const pages = drafts.decode(stored.slice(at, at + PAGES_AT_ONCE))
      let index = 0
      for (const { path, digest, from, to } of part) {
        const page = pages[index]
        index += 1
        if (page === undefined || !equalBytes(page.rootDigest, digest)) continue
        source.keep(path, page)
        findMissing(source, next, { page, paths, from, to, path })
      }
    }
    missing = next
  }
}

async function readAll(
  source: PrefetchSource,
  missing: readonly Missing[],
): Promise<(Uint8Array | undefined)[]> {
  const keys = missing.map(({ path }) => pageKey(path))
  const share = Math.ceil(keys.length / READERS)
  const parts = Array.from({ length: READERS }, (_, reader) =>
    source.read(keys.slice(reader * share, (reader + 1) * share)),
  )
  return (await Promise.all(parts)).flat()
}

interface Visit {
  path: string
  page: StatePage
  paths: readonly string[]
  from: number
  to: number
}

function findMissing(source: PrefetchSource, missing: Missing[], visit: Visit): void {
  const { path, page, paths } = visit
  const depth = path.length
  for (let from = visit.from; from < visit.to; ) {
    const digit = paths[from]?.charCodeAt(depth)
    let to = from + 1
    while (to < visit.to && paths[to]?.charCodeAt(depth) === digit) to += 1
    const below = paths[from]?.slice(0, depth + 1) ?? ''
    const slot = SLOTS + Number.parseInt(below.slice(depth), 16)
    if (page.kindAt(slot) === NODE) {
      const known = source.known(below)
      if (known !== undefined) {
        findMissing(source, missing, { path: below, page: known, paths, from, to })
      } else missing.push({ path: below, digest: page.digestAt(slot).slice(), from, to })
    }
    from = to
  }
}
