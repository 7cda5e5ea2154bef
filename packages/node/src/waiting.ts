// For how long work has been waiting for a finalization: the one number that tells a stalled chain
// from an idle one.
//
// Work is a transaction that a block could take now, a heartbeat that is due, or something that
// agreement has begun. A transaction that waits for an earlier one of its lane is none: no block
// could carry it, and it may never get there. Every final block starts the clock again.

import { type ConsensusState, faultsOf, recordOf } from '@mooring/consensus'
import { payerOf } from '@mooring/ledger'
import { toHex } from '@mooring/codec'
import type { NodeParts } from './node-parts.ts'

/** More lanes than this are not looked at. */
const LANES_MAX = 1_000

export type WaitingParts = Pick<
  NodeParts,
  'clock' | 'driver' | 'execution' | 'mempool' | 'committer'
>

export class Waiting {
  readonly #parts: WaitingParts
  readonly #unsubscribe: () => void
  #finalAt: number
  #since: number | null = null

  constructor(parts: WaitingParts) {
    this.#parts = parts
    this.#finalAt = parts.clock.monotonic()
    this.#unsubscribe = parts.committer.subscribe(() => {
      this.#finalAt = parts.clock.monotonic()
    })
  }

  /** 0 when idle. To be asked regularly: between two calls an idle moment goes unnoticed. */
  ms(): number {
    const now = this.#parts.clock.monotonic()
    const begun = this.#begunAt(now)
    if (begun === null) {
      this.#since = null
      return 0
    }
    this.#since ??= begun
    return Math.max(0, now - Math.max(this.#since, this.#finalAt))
  }

  close(): void {
    this.#unsubscribe()
  }

  /** Null when there is no work; never later than now. */
  #begunAt(now: number): number | null {
    const starts = [this.#heartbeatAt(now), this.#transactionAt()]
    if (hasOpenWork(this.#parts.driver())) starts.push(now)
    const known = starts.filter((start) => start !== null)
    return known.length === 0 ? null : Math.min(...known)
  }

  #heartbeatAt(now: number): number | null {
    const { clock, execution } = this.#parts
    const { heartbeatMs } = execution.parameters
    const overdueMs = clock.wall() - execution.tip.meta.time - heartbeatMs
    return heartbeatMs > 0 && overdueMs >= 0 ? now - overdueMs : null
  }

  /** When the oldest transaction came that is the next of its lane. */
  #transactionAt(): number | null {
    const { mempool, execution } = this.#parts
    if (mempool.size === 0) return null
    const limits = { count: LANES_MAX, bytes: Number.MAX_SAFE_INTEGER }
    const seen = new Set<string>()
    let oldest: number | null = null
    for (const transaction of mempool.take(execution.finalState(), limits)) {
      const organisation = payerOf(transaction)
      if (seen.has(organisation)) continue
      seen.add(organisation)
      const received = mempool.receivedAt(toHex(transaction.id))
      if (received !== undefined) oldest = Math.min(oldest ?? received.at, received.at)
    }
    return oldest
  }
}

/** Whether agreement has begun something that is not final: also work that only others know. */
function hasOpenWork(state: ConsensusState): boolean {
  const { proposal, ownNotarize, nullify } = recordOf(state, state.view)
  if (state.isWaiting || proposal !== null || ownNotarize !== null) return true
  if (nullify.size > faultsOf(state.config.authorities)) return true
  for (const [view, { notarization }] of state.views) {
    if (view <= state.final.view || notarization === null) continue
    if (state.blocks.get(notarization.subject.digest)?.meta.isEmpty !== true) return true
  }
  return false
}
