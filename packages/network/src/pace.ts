// What the peers may cost us in time.
//
// Budgets of bytes and frames see what a stream delivers; below them a hostile member can still send
// a million empty muxer frames. So our own time on each read of a socket is measured too.
//
// - A turn: the socket library hands over up to two megabytes before anybody else gets a word in. A
//   connection that has taken its part of the current turn waits for the next one.
// - A budget, without what the handlers of the frames take: an expensive block is no offence. While the
//   peers together stay within their part of a core, nobody is held back. When they do not, those above
//   their own allowance are not read for a moment, and feel it through TCP; a member that costs little
//   is never paused because another one costs much.

import type { MultiaddrConnection } from '@libp2p/interface'
import type { Shared } from './link.ts'
import { TokenBucket } from './token-bucket.ts'
import { Valve } from './valve.ts'

export class Pace {
  readonly #shared: Shared
  readonly #members: () => number
  readonly #all: TokenBucket
  #handledMs = 0
  #turn = 0
  #isTurnPlanned = false

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
    const valve = new Valve(connection)
    let turn = -1
    let turnMs = 0
    connection.addEventListener('message', ({ timeStamp }) => {
      const end = now()
      const elapsedMs = end - timeStamp
      const spentMs = Math.max(0, elapsedMs - (handling.ms - this.#handledMs))
      this.#handledMs = handling.ms
      const ownWaitMs = own.spend(spentMs, end)
      const allWaitMs = this.#all.spend(spentMs, end)
      turnMs = this.#currentTurn() === turn ? turnMs + elapsedMs : elapsedMs
      turn = this.#turn
      if (ownWaitMs > 0 && allWaitMs > 0) {
        counters.connectionPauses += 1
        valve.pauseFor(Math.min(allWaitMs, limits.connectionPauseMaxMs))
      } else if (turnMs > limits.connectionTurnMs) {
        counters.connectionYields += 1
        valve.yield()
      }
    })
  }

  #currentTurn(): number {
    if (!this.#isTurnPlanned) {
      this.#isTurnPlanned = true
      setImmediate(() => {
        this.#isTurnPlanned = false
        this.#turn += 1
      })
    }
    return this.#turn
  }
}
