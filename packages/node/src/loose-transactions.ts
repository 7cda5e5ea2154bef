// The waiting transactions that have no sequence: each may enter a block as soon as the state lets it in,
// in the order in which they came: governance, and what is relayed for patients. Few wait at a time, so the
// state is asked for each one anew instead of remembering what it said before.

import {
  checkTransaction,
  type DecodedTransaction,
  type InvalidTransaction,
  payerOf,
  purseOf,
  type State,
  type TransactionContext,
} from '@mooring/ledger'
import { mayComeTrue } from './lasting-refusals.ts'

/**
 * Of one organisation and purse, so that none can fill the mempool with what never comes true, and a flood of
 * data leaves governance its room.
 */
const ROOM = {
  governance: { count: 64, bytes: 256 << 10 },
  data: { count: 512, bytes: 512 << 10 },
} as const

export interface LooseEntry {
  readonly transaction: DecodedTransaction
  readonly name: string
  readonly organisation: string
}

export class LooseTransactions<E extends LooseEntry> {
  readonly #entries = new Map<string, E>()
  #bytes = 0

  get size(): number {
    return this.#entries.size
  }

  get bytes(): number {
    return this.#bytes
  }

  values(): Iterable<E> {
    return this.#entries.values()
  }

  add(entry: E): void {
    this.#entries.set(entry.name, entry)
    this.#bytes += entry.transaction.bytes.length
  }

  delete(name: string): void {
    const entry = this.#entries.get(name)
    if (entry === undefined) return
    this.#entries.delete(name)
    this.#bytes -= entry.transaction.bytes.length
  }

  /** Why one more has no place here, or nothing. */
  checkRoom(transaction: DecodedTransaction): { code: 'mempool_full'; detail: string } | undefined {
    const organisation = payerOf(transaction)
    const purse = purseOf(transaction)
    let count = 0
    let total = transaction.bytes.length
    for (const entry of this.values()) {
      if (entry.organisation !== organisation || purseOf(entry.transaction) !== purse) continue
      count += 1
      total += entry.transaction.bytes.length
    }
    if (count < ROOM[purse].count && total <= ROOM[purse].bytes) return undefined
    const detail = `${count} transactions of ${organisation} wait already`
    return { code: 'mempool_full', detail }
  }

  hasReady(state: State, context: TransactionContext): boolean {
    for (const { transaction } of this.values())
      if (checkNow(state, context, transaction) === undefined) return true
    return false
  }

  /** Those that a block on top of this state could carry. */
  ready(state: State, context: TransactionContext): E[] {
    return [...this.values()].filter(
      ({ transaction }) => checkNow(state, context, transaction) === undefined,
    )
  }

  /** Those that the final state refuses for good; what may still come true stays until it expires. */
  dead(state: State, context: TransactionContext): E[] {
    return [...this.values()].filter(({ transaction }) => {
      const reason = checkNow(state, context, transaction)
      return reason !== undefined && !mayComeTrue(reason)
    })
  }
}

/** Without its signature, which was verified at the door. */
function checkNow(
  state: State,
  context: TransactionContext,
  transaction: DecodedTransaction,
): InvalidTransaction | undefined {
  return checkTransaction(state, context, transaction, { verifySignature: false })
}
