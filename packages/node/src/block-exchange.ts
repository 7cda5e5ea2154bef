// Blocks between members: one by digest, some transactions of one, or a range with finalizations. The bytes of both
// sides.

import {
  bytes,
  bytesMax,
  decode,
  encode,
  type Infer,
  list,
  nullable,
  struct,
  uint,
  variant,
} from '@mooring/codec'
import { BLOCK_TRANSACTIONS_MAX, TRANSACTION_BYTES_MAX } from '@mooring/ledger'

export const RANGE_BYTES_MAX = 4 << 20
export const RANGE_BLOCKS_MAX = 512
const ANSWER_BYTES_MAX = 16 << 20
const PLACES_BYTES_MAX = BLOCK_TRANSACTIONS_MAX / 8

const requestSchema = variant({
  digest: bytes(32),
  range: struct({ from: uint(), to: uint(), bytesMax: uint(RANGE_BYTES_MAX) }),
  transactions: struct({ digest: bytes(32), places: bytesMax(PLACES_BYTES_MAX) }),
})

const laterSchema = struct({ header: bytesMax(512), path: list(bytes(32), 64) })

const answerSchema = struct({
  blocks: list(
    struct({
      block: bytesMax(8 << 20),
      finalization: nullable(bytesMax(64 << 10)),
      later: nullable(laterSchema),
    }),
    RANGE_BLOCKS_MAX,
  ),
})

const transactionsSchema = list(bytesMax(TRANSACTION_BYTES_MAX), BLOCK_TRANSACTIONS_MAX)

export type BlockRequest =
  | { kind: 'digest'; body: Uint8Array }
  | { kind: 'range'; body: { from: number; to: number; bytesMax: number } }
  /** Of an open block, one bit for each place: whose compact proposal somebody could not put together. */
  | { kind: 'transactions'; body: { digest: Uint8Array; places: Uint8Array } }

/** The header that a finalization is of, and the path of an earlier block in its history. */
export type Later = Infer<typeof laterSchema>

/**
 * A final block; only some have a finalization of their own, the others one of a descendant. Where the
 * next one is too far away for one answer, the last block of the answer has that one, with `later`.
 */
export type SentBlock = {
  block: Uint8Array
  finalization: Uint8Array | null
  later?: Later | null
}

export function encodeBlockRequest(request: BlockRequest): Uint8Array {
  return encode(requestSchema, request)
}

/** @throws CodecError */
export function decodeBlockRequest(data: Uint8Array): BlockRequest {
  return decode(requestSchema, data, 1024 + PLACES_BYTES_MAX)
}

export function encodeBlockAnswer(sent: SentBlock[]): Uint8Array {
  const blocks = sent.map(({ later = null, ...rest }) => ({ ...rest, later }))
  return encode(answerSchema, { blocks })
}

/** @throws CodecError */
export function decodeBlockAnswer(data: Uint8Array): SentBlock[] {
  return decode(answerSchema, data, ANSWER_BYTES_MAX).blocks
}

export function encodeTransactionsAnswer(transactions: Uint8Array[]): Uint8Array {
  return encode(transactionsSchema, transactions)
}

/** @throws CodecError */
export function decodeTransactionsAnswer(data: Uint8Array): Uint8Array[] {
  return decode(transactionsSchema, data, ANSWER_BYTES_MAX)
}
