// What the peers together may cost us in time.
//
// Budgets of bytes and frames see what a stream delivers; below them a hostile member can still send
// a million empty muxer frames. So our own processing time is budgeted too: how long it took to digest
// each read of a socket. While the peers together stay within their share of a core, nobody is held
// back. When they do not, those above their even part of it are not read for a moment, and feel it
// through TCP; a member that costs little is never paused because another one costs much.

import type { MultiaddrConnection, Stream } from '@libp2p/interface'
import type { Shared } from './link.ts'
import { TokenBucket } from './token-bucket.ts'

export class Pace {
  readonly #shared: Shared
  readonly #members: () => number
  readonly #all: TokenBucket

  constructor(shared: Shared, members: () => number) {
    const { peersTimeBurstMs, peersTimeMsPerSecond } = shared.limits
    this.#shared = shared
    this.#members = members
    this.#all = new TokenBucket(peersTimeBurstMs, peersTimeMsPerSecond, shared.now())
  }

  /** To be called when the encryption listens already: listeners run in order, ours measures theirs. */
  watch(connection: MultiaddrConnection): void {
    const { limits, counters, now } = this.#shared
    const even = limits.peersTimeMsPerSecond / Math.max(1, this.#members())
    const own = new TokenBucket(limits.peerTimeBurstMs, even, now())
    connection.addEventListener('message', ({ timeStamp }) => {
      const end = now()
      const ownWaitMs = own.spend(end - timeStamp, end)
      const allWaitMs = this.#all.spend(end - timeStamp, end)
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
