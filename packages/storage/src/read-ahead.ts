// The pages that changes of many keys will need, read away from the event loop before they are needed.
//
// They are found as the changes will find them, from the root down, but a depth at a time: what is not in memory of
// one depth is read in one go and decoded together, where the lanes of the hash are full. It must hash to what its
// parent says, like every page; what does not, or is gone, is left for whoever needs it to complain of. Nothing but
// time hangs on it: a page that was not read ahead, or was dropped again, is read when it is needed.
//
// Few keys at a time, by few readers: what is decoded in one turn is little, and the threads that read are those
// that sync the journal.

import { equalBytes } from '@mooring/codec'
import { sha256 } from '@mooring/crypto'
import { pageKey } from './keys.ts'
import type { StateDrafts } from './state-drafts.ts'
import type { StatePage } from './state-page.ts'
import { pathOf } from './state-update.ts'

export interface ReadAheadSource {
  /** Undefined for an empty tree. */
  root: () => StatePage | undefined
  readonly drafts: StateDrafts
  read: (keys: Uint8Array[]) => Promise<(Uint8Array | undefined)[]>
  known: (path: string) => StatePage | undefined
  keep: (path: string, page: StatePage) => void
  /** Counts the moves of the base: what was read before one is not kept after it. */
  generation: () => number
}

/** Paths of which the page above is in memory. */
interface Visit {
  readonly path: string
  readonly page: StatePage
  readonly paths: readonly string[]
}

interface Missing {
  readonly path: string
  readonly digest: Uint8Array
  readonly paths: readonly string[]
}

const KEYS_AT_ONCE = 128
const READERS = 2

export async function readAhead(
  source: ReadAheadSource,
  keys: Iterable<Uint8Array>,
): Promise<void> {
  const left = keys[Symbol.iterator]()
  const readOn = async (): Promise<void> => {
    for (let part = some(left); part.length > 0; part = some(left)) await readPart(source, part)
  }
  await Promise.all(Array.from({ length: READERS }, readOn))
}

/** How many pages below those in memory are the next ones on the way to these keys. */
export function countMissing(
  source: Pick<ReadAheadSource, 'root' | 'known'>,
  keys: readonly Uint8Array[],
): number {
  const page = source.root()
  return page === undefined
    ? 0
    : missingBelow(source, { path: '', page, paths: pathsOf(keys) }).length
}

async function readPart(source: ReadAheadSource, keys: readonly Uint8Array[]): Promise<void> {
  const page = source.root()
  if (page === undefined) return
  const generation = source.generation()
  let missing = missingBelow(source, { path: '', page, paths: pathsOf(keys) })
  while (missing.length > 0) {
    const stored = await source.read(missing.map(({ path }) => pageKey(path)))
    if (source.generation() !== generation) return
    const found = missing.flatMap((each, index) => {
      const bytes = stored[index]
      return bytes === undefined ? [] : [{ ...each, bytes }]
    })
    const pages = source.drafts.decode(found.map(({ bytes }) => bytes))
    missing = found.flatMap(({ path, digest, paths }, index) => {
      const read = pages[index]
      if (read === undefined || !equalBytes(read.rootDigest, digest)) return []
      source.keep(path, read)
      return missingBelow(source, { path, page: read, paths })
    })
  }
}

/** The paths are sorted. */
function missingBelow(source: Pick<ReadAheadSource, 'known'>, visit: Visit): Missing[] {
  const { path, page, paths } = visit
  const depth = path.length
  const missing: Missing[] = []
  for (let from = 0; from < paths.length; ) {
    const digit = paths[from]?.charAt(depth) ?? ''
    let to = from + 1
    while (paths[to]?.charAt(depth) === digit) to += 1
    const part = paths.slice(from, to)
    const slot = page.slot(Number.parseInt(digit, 16))
    if (slot.kind === 'node') {
      const below = path + digit
      const known = source.known(below)
      if (known === undefined)
        missing.push({ path: below, digest: slot.digest.slice(), paths: part })
      else missing.push(...missingBelow(source, { path: below, page: known, paths: part }))
    }
    from = to
  }
  return missing
}

function pathsOf(keys: readonly Uint8Array[]): string[] {
  return keys.map((key) => pathOf(sha256(key))).toSorted()
}

function some(left: Iterator<Uint8Array>): Uint8Array[] {
  const part: Uint8Array[] = []
  while (part.length < KEYS_AT_ONCE) {
    const next = left.next()
    if (next.done === true) break
    part.push(next.value)
  }
  return part
}
