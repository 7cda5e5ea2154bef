// Blocks: a header and its transactions. The digest of the header names the block.
//
// The header travels inside the block as a byte string, so that its digest is taken from the bytes
// as they came; transactions stay bytes until they are applied. Genesis counts as height 0 and
// its digest as that of block 0; so the history of a block at height h has h leaves.

import {
  bytes,
  bytesMax,
  CodecError,
  decode,
  decodeShared,
  encode,
  equalBytes,
  type Infer,
  list,
  nullable,
  uint,
  versioned,
} from '@mooring/codec'
import { domainHash, MERKLE_EMPTY_ROOT, merkleRoot } from '@mooring/crypto'
import { identifierSchema } from './organisation.ts'
import {
  BLOCK_BYTES_MAX,
  BLOCK_RESERVE,
  BLOCK_TRANSACTIONS_MAX,
  timeSchema,
  TRANSACTION_BYTES_MAX,
  transactionCost,
  type UnixMs,
} from './parameters.ts'

export const HEADER_BYTES_MAX = 512

const headerSchema = versioned(1, {
  genesisDigest: bytes(32),
  epoch: uint(),
  view: uint(),
  parentView: uint(),
  height: uint(),
  parent: bytes(32),
  time: timeSchema,
  proposer: identifierSchema,
  transactionRoot: bytes(32),
  transactionCount: uint(BLOCK_TRANSACTIONS_MAX),
  stateRoot: bytes(32),
  historyRoot: bytes(32),
  authoritySetDigest: bytes(32),
  nextAuthoritySetDigest: nullable(bytes(32)),
})

const blockSchema = versioned(1, {
  header: bytesMax(HEADER_BYTES_MAX),
  transactions: list(bytesMax(TRANSACTION_BYTES_MAX), BLOCK_TRANSACTIONS_MAX),
})

export type Header = Infer<typeof headerSchema>

export type Block = {
  header: Header
  /** Encoded, in order. */
  transactions: Uint8Array[]
  /** Of these transactions, where whoever read or made the block has computed it. */
  computedRoot?: Uint8Array
}

export type DecodedBlock = Block & { digest: Uint8Array; encodedHeader: Uint8Array }

/** What a block must fit onto. `view` is the one in which the parent was certified. */
export type ParentBlock = {
  epoch: number
  view: number
  height: number
  time: UnixMs
  digest: Uint8Array
}

export function encodeHeader(header: Header): Uint8Array {
  return encode(headerSchema, header)
}

/** @throws CodecError */
export function decodeHeader(encoded: Uint8Array): Header {
  return decode(headerSchema, encoded, HEADER_BYTES_MAX)
}

export function blockDigest(header: Header): Uint8Array {
  return headerDigest(encodeHeader(header))
}

export function headerDigest(encodedHeader: Uint8Array): Uint8Array {
  return domainHash('block', encodedHeader)
}

export function encodeBlock({ header, transactions }: Block): Uint8Array {
  return joinBlock(encodeHeader(header), transactions)
}

/** The bytes of a block of which these are the parts, whether or not they belong together. */
export function joinBlock(encodedHeader: Uint8Array, transactions: Uint8Array[]): Uint8Array {
  return encode(blockSchema, { header: encodedHeader, transactions })
}

/**
 * Its transactions are views of the encoded block, which stays in memory as long as one of them. The digest names
 * the header alone. Transactions that are not those of the header are refused here, or
 * who has them first would hold them under the name of the good block.
 *
 * @throws CodecError
 */
export function decodeBlock(encoded: Uint8Array): DecodedBlock {
  const { header: encodedHeader, transactions } = decodeShared(
    blockSchema,
    encoded,
    BLOCK_BYTES_MAX,
  )
  const header = decodeHeader(encodedHeader)
  const computedRoot = transactionRoot(transactions)
  const isOfHeader =
    header.transactionCount === transactions.length &&
    equalBytes(header.transactionRoot, computedRoot)
  if (!isOfHeader)
    throw new CodecError('out_of_range', 'the transactions are not those of the header')
  const digest = headerDigest(encodedHeader)
  return { header, transactions, digest, encodedHeader, computedRoot }
}

/** Whether the block ends its epoch: a change passes in it. */
export function isSealing({ nextAuthoritySetDigest }: Header): boolean {
  return nextAuthoritySetDigest !== null
}

/** A sealing block is the ground of the next epoch, as genesis is of the first: certified in view 0. */
export function parentOf(header: Header, digest: Uint8Array): ParentBlock {
  const { epoch, view, height, time } = header
  const place = isSealing(header) ? { epoch: epoch + 1, view: 0 } : { epoch, view }
  return { ...place, height, time, digest }
}

/** A block on top of `parent`; the roots come from whoever holds the trees. */
export function createBlock(
  parent: ParentBlock,
  content: Pick<
    Header,
    | 'genesisDigest'
    | 'view'
    | 'time'
    | 'proposer'
    | 'stateRoot'
    | 'historyRoot'
    | 'authoritySetDigest'
    | 'nextAuthoritySetDigest'
  > & { transactions: Uint8Array[] },
): Block {
  const { transactions, ...fields } = content
  const computedRoot = transactionRoot(transactions)
  const header: Header = {
    ...fields,
    epoch: parent.epoch,
    parentView: parent.view,
    height: parent.height + 1,
    parent: parent.digest,
    transactionRoot: computedRoot,
    transactionCount: transactions.length,
  }
  return { header, transactions, computedRoot }
}

/** What decoding the bytes of a block gives, for whoever has just made it. */
export function readOwnBlock(block: Block): DecodedBlock {
  const encodedHeader = encodeHeader(block.header)
  return { ...block, digest: headerDigest(encodedHeader), encodedHeader }
}

export function transactionRoot(transactions: Uint8Array[]): Uint8Array {
  return transactions.length === 0 ? MERKLE_EMPTY_ROOT : merkleRoot(transactions)
}

/** Bytes of a block's transactions as the limit counts them: each with its CBOR head. */
export function transactionBytes(transactions: Uint8Array[]): number {
  let total = 0
  for (const transaction of transactions) total += transactionCost(transaction.length)
  return total
}

/** What the transactions of a block may take together; header and frame fit into the rest. */
export function roomFor({ blockBytesMax }: { blockBytesMax: number }): number {
  return blockBytesMax - BLOCK_RESERVE
}
