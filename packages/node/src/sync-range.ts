// A range of final blocks as a peer sent it, judged by itself: it begins where it was asked for, each block
// stands on the one before, and a finalization covers its end. Such a range is the chain, whatever else is
// known of the blocks before it; so whoever sent it can be blamed for it, and nobody else.
//
// Where a finalization is further away than an answer reaches, it comes with the header that it is of, and
// the last block of the answer is in the history to which that header commits.
//
// Certificates count by the set of their epoch. What is applied at once never crosses the end of one: a
// range is cut behind a sealing block, which has a finalization of its own.

import { CodecError, fromHex, toHex } from '@mooring/codec'
import {
  type AuthorityKeys,
  type BlockMeta,
  type Certificate,
  checkCertificate,
  decodeCertificate,
} from '@mooring/consensus'
import { checkInclusion, leafHash } from '@mooring/crypto'
import {
  blockDigest,
  decodeBlock,
  type DecodedBlock,
  decodeHeader,
  type Header,
} from '@mooring/ledger'
import type { Later, SentBlock } from './block-exchange.ts'
import { metaOf } from './execution.ts'

export interface ReadBlock {
  readonly meta: BlockMeta
  readonly epoch: number
  readonly encoded: Uint8Array
  readonly finalization: Uint8Array | null
  readonly later: Later | null
  readonly transactions: readonly Uint8Array[]
  readonly decoded: DecodedBlock
}

export interface Fault {
  readonly fault: string
}

/** Blocks of one epoch, the last of them final by this certificate, of its own or of a later block. */
export interface Stretch {
  readonly blocks: readonly ReadBlock[]
  readonly finalization: Certificate
  readonly isOwn: boolean
  /** What comes after it, at once or after the end of the epoch. */
  readonly rest: readonly ReadBlock[]
}

/** The blocks up to the last finalization. */
export function readRange(sent: readonly SentBlock[], from: number): ReadBlock[] | Fault {
  const last = sent.findLastIndex(({ finalization }) => finalization !== null)
  if (last < 0) return { fault: 'no_finalization' }
  const blocks: ReadBlock[] = []
  for (const each of sent.slice(0, last + 1)) {
    const block = readBlock(each)
    if (block === null) return { fault: 'undecodable_block' }
    const before = blocks.at(-1)
    if (block.meta.height !== from + blocks.length) return { fault: 'other_blocks' }
    if (before !== undefined && block.meta.parent !== before.meta.digest)
      return { fault: 'broken_chain' }
    blocks.push(block)
  }
  return blocks
}

/**
 * The part that can be applied at once, and not much longer than so many transactions where a block in between has
 * a finalization; every certificate that is looked at must hold.
 */
export function firstStretch(
  blocks: readonly ReadBlock[],
  { epoch, authorities }: { epoch: number; authorities: AuthorityKeys },
  transactionsMax = Infinity,
): Stretch | Fault {
  const sealing = blocks.findIndex(({ meta }) => meta.isSealing)
  const reach = sealing < 0 ? blocks.length : sealing + 1
  const lastFinal = blocks
    .slice(0, reach)
    .findLastIndex(({ finalization }) => finalization !== null)
  const last = endOfPart(blocks.slice(0, lastFinal + 1), transactionsMax)
  const end = blocks[last]
  const finalization = readCertificate(end?.finalization ?? null)
  if (end === undefined || finalization === null) return { fault: 'no_finalization' }
  const { kind, subject } = finalization
  if (kind !== 'finalize' || subject.epoch !== epoch) return { fault: 'bad_finalization' }
  if (subject.digest !== certifiedBy(end)) return { fault: 'finalization_of_another_block' }
  if (checkCertificate(finalization, authorities) !== undefined)
    return { fault: 'bad_finalization' }
  const rest = last === sealing || last < lastFinal ? blocks.slice(last + 1) : []
  const isOwn = end.later === null
  return { blocks: blocks.slice(0, last + 1), finalization, isOwn, rest }
}

/** The first block with a finalization by which there are so many transactions; else the last. */
function endOfPart(blocks: readonly ReadBlock[], transactionsMax: number): number {
  let transactions = 0
  const end = blocks.findIndex((block) => {
    transactions += block.transactions.length
    return block.finalization !== null && transactions >= transactionsMax
  })
  return end < 0 ? blocks.length - 1 : end
}

/** The digest that the finalization of this block must be of; null when its history is another one. */
function certifiedBy({ meta, later }: ReadBlock): string | null {
  if (later === null) return meta.digest
  const header = readHeader(later.header)
  if (header === null) return null
  const problem = checkInclusion({
    leafHash: leafHash(fromHex(meta.digest)),
    index: meta.height,
    size: header.height,
    path: later.path,
    root: header.historyRoot,
  })
  return problem === undefined ? toHex(blockDigest(header)) : null
}

function readHeader(encoded: Uint8Array): Header | null {
  try {
    return decodeHeader(encoded)
  } catch (error) {
    if (error instanceof CodecError) return null
    throw error
  }
}

function readBlock({ block: encoded, finalization, later = null }: SentBlock): ReadBlock | null {
  try {
    const block = decodeBlock(encoded)
    const { epoch } = block.header
    const { transactions } = block
    return {
      meta: metaOf(block),
      epoch,
      encoded,
      finalization,
      later,
      transactions,
      decoded: block,
    }
  } catch (error) {
    if (error instanceof CodecError) return null
    throw error
  }
}

function readCertificate(encoded: Uint8Array | null): Certificate | null {
  if (encoded === null) return null
  try {
    return decodeCertificate(encoded)
  } catch (error) {
    if (error instanceof CodecError) return null
    throw error
  }
}
