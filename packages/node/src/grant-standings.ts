// What a decision about a grant asks of the chain, answered from the final state of this node.

import type { GrantStandings } from '@mooring/records'
import type { FinalFacts } from './final-facts.ts'

export type StandingFacts = Pick<FinalFacts, 'handle' | 'successorOf' | 'isSuccessor' | 'time'>

export function grantStandings(facts: StandingFacts): GrantStandings {
  return {
    handle: (handle) => facts.handle(handle),
    isReplaced: (custodian, key) => facts.successorOf(custodian, key) !== null,
    isSuccessor: (custodian, former, key) => facts.isSuccessor(custodian, former, key),
  }
}

/** No earlier than the tip: a clock that is set back does not keep a grant in force. */
export function decisionTime(clock: { wall(): number }, facts: Pick<FinalFacts, 'time'>): number {
  return Math.max(clock.wall(), facts.time)
}
