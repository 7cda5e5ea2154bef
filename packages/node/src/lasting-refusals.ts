// Which refusals of a transaction that waits a later block may lift.

import {
  countersOf,
  type DecodedTransaction,
  type InvalidTransaction,
  type State,
} from '@mooring/ledger'
import { lanePlaceOf } from './lanes.ts'
import type { Refused } from './refusal-text.ts'

/** Reasons that no later block lifts. Everything else may come from a chain that is still behind. */
const FOR_GOOD: ReadonlySet<Refused['code']> = new Set([
  'expired',
  'already_included',
  // A gap is allowed: its sequence is used up.
  'wrong_sequence',
  'root_seen',
  'change_passed',
  'change_expired',
  'already_approved',
  'already_ready',
  'handle_seen',
  'handle_revoked',
  'handle_expired',
  'key_replaced_already',
  'key_cycle',
  'item_erased',
  'emergency_seen',
  'emergency_closed',
  'emergency_overdue',
])

export function isForGood({ code }: Refused): boolean {
  return FOR_GOOD.has(code)
}

/** Of a transaction without a sequence, by the final state: anything else stays as it is. */
export function mayComeTrue({ code }: InvalidTransaction): boolean {
  return (
    code === 'quota_exceeded' ||
    code === 'unknown_change' ||
    code === 'too_many_changes' ||
    code === 'too_many_own_changes' ||
    code === 'unknown_handle' ||
    code === 'unknown_emergency' ||
    code === 'root_not_anchored'
  )
}

/** Whether what a proposer found invalid on top of the chain can be dropped, by the final state. */
export function isDead(
  { transaction, reason }: { transaction: DecodedTransaction; reason: InvalidTransaction },
  state: State,
): boolean {
  if (reason.code === 'quota_exceeded') return false
  const place = lanePlaceOf(transaction)
  // The block that it did not fit onto may never be final; the mempool's `tick` asks the state that is.
  if (place === null) return reason.code === 'bad_signature'
  if (reason.code !== 'wrong_sequence') return true
  return place.sequence <= countersOf(state, place.organisation)[place.counter]
}
