// What became of a transaction at the door of this node.

import { toHex } from '@mooring/codec'
import type { DecodedTransaction } from '@mooring/ledger'
import { describeRefusal, type Refused } from './refusal-text.ts'

export type Submitted =
  | { status: 'accepted' | 'known'; id: string }
  | { status: 'final'; id: string; height: number }
  | { status: 'rejected'; id: string | null; code: string; detail: string; expected?: number }

export function refusal(
  reason: Refused,
  transaction: DecodedTransaction | null,
): Submitted & { status: 'rejected' } {
  const id = transaction === null ? null : toHex(transaction.id)
  const expected = reason.code === 'wrong_sequence' ? { expected: reason.expected } : {}
  return { status: 'rejected', id, code: reason.code, detail: describeRefusal(reason), ...expected }
}

export function isFull(submitted: Submitted): submitted is Submitted & { status: 'rejected' } {
  return submitted.status === 'rejected' && submitted.code === 'mempool_full'
}
