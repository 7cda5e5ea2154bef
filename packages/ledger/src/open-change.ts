// The open change that a transaction is about, or why there is none.

import type { RecordedChange } from './change.ts'
import { changeOf } from './membership.ts'
import type { Facts, InvalidTransaction } from './transaction-kind.ts'

/** Undefined when it is not here yet and need not be: the door of a mempool is ahead of the chain. */
export function findOpen(
  { draft, time, acceptsGap }: Facts,
  id: Uint8Array,
): RecordedChange | InvalidTransaction | undefined {
  const found = changeOf(draft, id)
  if (found === undefined) return acceptsGap ? undefined : { code: 'unknown_change', change: id }
  const { passedAt, expiresAt } = found
  if (passedAt !== null) return { code: 'change_passed', change: id, height: passedAt.height }
  return expiresAt <= time ? { code: 'change_expired', expiresAt, time } : found
}
