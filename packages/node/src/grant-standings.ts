// What a decision about a grant asks of the chain, answered from the final state of this node.

import type { GrantStandings } from '@mooring/records'
import type { FinalFacts } from './final-facts.ts'

export interface StandingFacts
  extends Pick<FinalFacts, 'handle' | 'successorOf' | 'isSuccessor' | 'time'> {
  /** Of the chain; 0 for a chain that makes no block while nothing happens. */
  readonly heartbeatMs: number
}

/** Longer than two hospitals of five are away for a repair, which stops the chain and no reading. */
const STALE_MS_MIN = 15 * 60_000
const HEARTBEATS_MISSED = 3

export function grantStandings(facts: StandingFacts): GrantStandings {
  return {
    handle: (handle) => facts.handle(handle),
    isReplaced: (custodian, key) => facts.successorOf(custodian, key) !== null,
    isSuccessor: (custodian, former, key) => facts.isSuccessor(custodian, former, key),
  }
}

/**
 * Whether revocations may be missed here: on the small side of a partition there are no final blocks. On a
 * chain without heartbeats silence says nothing.
 */
export function isStale(clock: { wall(): number }, { time, heartbeatMs }: StandingFacts): boolean {
  if (heartbeatMs === 0) return false
  return clock.wall() - time > Math.max(STALE_MS_MIN, HEARTBEATS_MISSED * heartbeatMs)
}

/** No earlier than the tip: a clock that is set back does not keep a grant in force. */
export function decisionTime(clock: { wall(): number }, facts: Pick<FinalFacts, 'time'>): number {
  return Math.max(clock.wall(), facts.time)
}
