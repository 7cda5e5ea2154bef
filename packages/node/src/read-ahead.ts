// Pages of the state that many transactions will need, read away from the event loop before they are judged.
//
// Where the operating system has the state in memory this saves little; where it has not, each key would hold the
// event loop for as long as the disk needs. A few keys tell whether it is worth it: a node that has admitted the
// transactions of a block has their pages already.

import { type DecodedTransaction, ownKeysOf } from '@mooring/ledger'
import type { StateView } from '@mooring/storage'

const TRANSACTIONS_MIN = 32
/** Their pages must stay in the cache until they are used. */
const TRANSACTIONS_MAX = 8_192
const SAMPLE = 16
const MISSING_MIN = 4

/** Null when it is not worth it. `read` gives null for what is no transaction. Never rejects: what is wrong shows later. */
export function readAhead<T>(
  view: Pick<StateView, 'readAhead' | 'countMissing'>,
  transactions: readonly T[],
  read: (transaction: T) => DecodedTransaction | null,
): Promise<void> | null {
  const { length } = transactions
  if (length < TRANSACTIONS_MIN) return null
  const every = Math.floor(length / SAMPLE)
  const sample = transactions.filter((_, index) => index % every === 0).slice(0, SAMPLE)
  if (view.countMissing([...keysOf(sample, read)]) < MISSING_MIN) return null
  const keys = keysOf(transactions.slice(0, TRANSACTIONS_MAX), read)
  return view.readAhead(keys).catch(() => undefined)
}

function* keysOf<T>(
  transactions: readonly T[],
  read: (transaction: T) => DecodedTransaction | null,
): Generator<Uint8Array> {
  for (const transaction of transactions) {
    const decoded = read(transaction)
    if (decoded !== null) yield* ownKeysOf(decoded)
  }
}
