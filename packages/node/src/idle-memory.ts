// Memory of a busy time, given back in a quiet one. V8 collects when there is something to collect for:
// a node that has started, or has had a load, and then has nothing to do keeps the space for new objects
// at the size it had grown to, some 60 MiB, for hours, and with it the code of everything that ran once. So
// it collects by itself once it has been quiet for a while, as V8 does when memory runs out: that shrinks the
// space for new objects and gives back pages that are half empty, 60 MiB. Code goes with it, compiled again when
// somebody asks for it: 7 MiB more, for 30 ms of the first seconds afterwards. All of it holds everything else up
// where 45 MiB are alive, for 44 ms of CPU, and does not come again before the process has been busy. Where much
// more is alive it would be longer than a vote may wait, for a gain that matters less: there it does not.

import { performance } from 'node:perf_hooks'
import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Clock } from './clock.ts'

const LOOK_MS = 2_000
const QUIET_MS = 20_000
/** Of the time between two looks. */
const BUSY_SHARE = 0.25
const LIVE_BYTES_MAX = 128 << 20

export interface IdleMemoryModules {
  clock: Clock
  /** The share of the time since it was last asked that the event loop had something to do. */
  busyShare: () => number
  collect: () => void
}

/** Looks until it is closed. */
export function collectWhenQuiet({ clock, busyShare, collect }: IdleMemoryModules): {
  close(): void
} {
  let busyAt: number | null = clock.monotonic()
  let cancel = clock.after(LOOK_MS, look)
  function look(): void {
    const now = clock.monotonic()
    if (busyShare() >= BUSY_SHARE) busyAt = now
    if (busyAt !== null && now - busyAt >= QUIET_MS) {
      collect()
      busyAt = null
      // What it took to collect is no load.
      busyShare()
    }
    cancel = clock.after(LOOK_MS, look)
  }
  return { close: () => cancel() }
}

export function eventLoopShare(): () => number {
  let before = performance.eventLoopUtilization()
  return () => {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, before)
    before = now
    return utilization
  }
}

/** What V8 calls it when it is told to forget code that did not run since the last collection. */
const FORGETS_CODE = ['stress-flush-code', 'flush-baseline-code']

let collectGarbage: ((how: object) => void) | null = null

export function collectAll(): void {
  if (getHeapStatistics().used_heap_size > LIVE_BYTES_MAX) return
  collectGarbage ??= withFlags(['expose-gc'], findCollector)
  const collect = collectGarbage
  withFlags(FORGETS_CODE, () => {
    collect({ type: 'major', execution: 'sync', flavor: 'last-resort' })
  })
}

function findCollector(): (how: object) => void {
  const found: unknown = runInNewContext('gc')
  return typeof found === 'function'
    ? (how) => Reflect.apply(found, undefined, [how])
    : () => undefined
}

/** Flags are part of the key of compiled code that is kept for the next start: as they were, at once. */
function withFlags<T>(flags: readonly string[], work: () => T): T {
  for (const flag of flags) setFlagsFromString(`--${flag}`)
  try {
    return work()
  } finally {
    for (const flag of flags) setFlagsFromString(`--no-${flag}`)
  }
}
