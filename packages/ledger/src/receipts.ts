// The outcome of an applied transaction. Only valid transactions enter a block, so there is one
// outcome today; a kind whose effect may come later (a change that waits for approvals) adds its own.

import {
  bytes,
  decode,
  encode,
  type Infer,
  list,
  nullable,
  oneOf,
  struct,
  uint,
  versioned,
} from '@mooring/codec'
import { kindSchema } from './kinds.ts'
import { identifierSchema } from './organisation.ts'
import { BLOCK_TRANSACTIONS_MAX } from './parameters.ts'
import { type DecodedTransaction, payerOf, placeOf } from './transaction.ts'

const receiptSchema = struct({
  /** Id. */
  transaction: bytes(32),
  index: uint(BLOCK_TRANSACTIONS_MAX),
  kind: kindSchema,
  outcome: oneOf('applied'),
  /** The one whose quota paid. */
  organisation: identifierSchema,
  sequence: nullable(uint()),
})

const receiptsSchema = versioned(1, { receipts: list(receiptSchema, BLOCK_TRANSACTIONS_MAX) })

export type Receipt = Infer<typeof receiptSchema>

/** What a transaction in a block leaves: only valid ones enter, so it follows from the transaction. */
export function receiptOf(transaction: DecodedTransaction, index: number): Receipt {
  const { id, payload } = transaction
  const organisation = payerOf(transaction)
  const sequence = placeOf(transaction)?.sequence ?? null
  return { transaction: id, index, kind: payload.kind, outcome: 'applied', organisation, sequence }
}

/** The receipts of one block, in its order. */
export function encodeReceipts(receipts: Receipt[]): Uint8Array {
  return encode(receiptsSchema, { receipts })
}

/** @throws CodecError */
export function decodeReceipts(encoded: Uint8Array): Receipt[] {
  return decode(receiptsSchema, encoded).receipts
}
