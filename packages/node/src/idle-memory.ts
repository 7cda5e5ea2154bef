// Memory of a busy time, given back in a quiet one. V8 collects when there is something to collect for:
// a node that has started, or has had a load, and then has nothing to do keeps the space for new objects
// at the size it had grown to, some 60 MiB, for hours. So it collects by itself once it has been quiet
// for a while, twice: V8 shrinks that space only when little was asked of it since the collection before.
// Both together hold everything else up for 70 ms where 50 MiB are alive, and do not come again before the
// process has been busy. Where much more is alive it would be longer than a vote may wait, for a gain that
// matters less: there it does not.

import { performance } from 'node:perf_hooks'
import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Clock } from './clock.ts'

const LOOK_MS = 2_000
const QUIET_MS = 20_000
/** Of the time between two looks. */
const BUSY_SHARE = 0.25
const LIVE_BYTES_MAX = 192 << 20

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

let collectGarbage: (() => void) | null = null

export function collectTwice(): void {
  if (getHeapStatistics().used_heap_size > LIVE_BYTES_MAX) return
  collectGarbage ??= findCollector()
  collectGarbage()
  collectGarbage()
}

/** Flags are part of the key of compiled code that is kept for the next start: as they were, at once. */
function findCollector(): () => void {
  setFlagsFromString('--expose-gc')
  const found: unknown = runInNewContext('gc')
  setFlagsFromString('--no-expose-gc')
  return typeof found === 'function' ? () => Reflect.apply(found, undefined, []) : () => undefined
}
