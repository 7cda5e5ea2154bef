// What the peers together may cost us in time.
//
// Budgets of bytes and frames see what a stream delivers; below them a hostile member can still send
// a million empty muxer frames. So our own time on each read of a socket is budgeted too, without what
// the handlers of the frames take: an expensive block is no offence. While the peers together stay
// within their part of a core, nobody is held back. When they do not, those above their own allowance
// are not read for a moment, and feel it through TCP; a member that costs little is never paused
// because another one costs much.

import type { MultiaddrConnection, Stream } from '@libp2p/interface'
import type { Shared } from './link.ts'
import { TokenBucket } from './token-bucket.ts'

export class Pace {
  readonly #shared: Shared
  readonly #members: () => number
  readonly #all: TokenBucket
  #handledMs = 0

  constructor(shared: Shared, members: () => number) {
    const { peersTimeBurstMs, peersTimeMsPerSecond } = shared.limits
    this.#shared = shared
    this.#members = members
    this.#all = new TokenBucket(peersTimeBurstMs, peersTimeMsPerSecond, shared.now())
  }

  /** To be called when the encryption listens already: listeners run in order, ours measures theirs. */
  watch(connection: MultiaddrConnection): void {
    const { limits, counters, handling, now } = this.#shared
    const even = limits.peersTimeMsPerSecond / Math.max(1, this.#members())
    const perSecond = Math.min(even * limits.peerTimeEvenParts, limits.peerTimeMsPerSecondMax)
    const own = new TokenBucket(limits.peerTimeBurstMs, perSecond, now())
    connection.addEventListener('message', ({ timeStamp }) => {
      const end = now()
      const spentMs = Math.max(0, end - timeStamp - (handling.ms - this.#handledMs))
      this.#handledMs = handling.ms
      const ownWaitMs = own.spend(spentMs, end)
      const allWaitMs = this.#all.spend(spentMs, end)
      if (ownWaitMs === 0 || allWaitMs === 0) return
      counters.connectionPauses += 1
      pauseFor(connection, Math.min(allWaitMs, limits.connectionPauseMaxMs))
    })
  }
}

export function pauseFor(stream: MultiaddrConnection | Stream, waitMs: number): void {
  if (stream.status !== 'open') return
  stream.pause()
  const timer = setTimeout(() => resume(stream), waitMs)
  timer.unref()
}

/** A stream whose connection has just gone may say that it is open and still throw. */
function resume(stream: MultiaddrConnection | Stream): void {
  if (stream.status !== 'open') return
  try {
    stream.resume()
  } catch (error) {
    stream.abort(error instanceof Error ? error : new Error(String(error)))
  }
}
