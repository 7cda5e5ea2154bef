// What a peer may cost us in time.
//
// Budgets of bytes and frames see what a stream delivers; below them a hostile member can still send
// a million empty muxer frames. So the whole connection has a budget of our own processing time: how
// long it took to digest each read. When it is overdrawn the socket is not read for as long as the
// debt takes, and the peer feels it through TCP. All connections together get a share of one core.

import type { MultiaddrConnection, Stream } from '@libp2p/interface'
import type { Shared } from './link.ts'
import { TokenBucket } from './token-bucket.ts'

/** To be called when the encryption listens already: listeners run in order, ours measures theirs. */
export function paceConnection(
  connection: MultiaddrConnection,
  { limits, counters, now }: Shared,
  members: number,
): void {
  const share = limits.peersTimeMsPerSecond / Math.max(1, members)
  const perSecond = Math.max(limits.peerTimeMsPerSecondMin, share)
  const budget = new TokenBucket(limits.peerTimeBurstMs, perSecond, now())
  connection.addEventListener('message', ({ timeStamp }) => {
    const waitMs = budget.spend(now() - timeStamp, now())
    if (waitMs === 0) return
    counters.connectionPauses += 1
    pauseFor(connection, Math.min(waitMs, limits.connectionPauseMaxMs))
  })
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
