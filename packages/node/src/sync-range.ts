// A range of final blocks as a peer sent it, judged by itself: it begins where it was asked for, each block
// stands on the one before, and a finalization covers its end. Such a range is the chain, whatever else is
// known of the blocks before it; so whoever sent it can be blamed for it, and nobody else.
//
// Certificates count by the set of their epoch. What is applied at once never crosses the end of one: a
// range is cut behind a sealing block, which has a finalization of its own.

import { CodecError } from '@mooring/codec'
import {
  type AuthorityKeys,
  type BlockMeta,
  type Certificate,
  checkCertificate,
  decodeCertificate,
} from '@mooring/consensus'
import { decodeBlock } from '@mooring/ledger'
import type { SentBlock } from './block-exchange.ts'
import { metaOf } from './execution.ts'

export interface ReadBlock {
  readonly meta: BlockMeta
  readonly epoch: number
  readonly encoded: Uint8Array
  readonly finalization: Uint8Array | null
  readonly transactions: readonly Uint8Array[]
}

export interface Fault {
  readonly fault: string
}

/** Blocks of one epoch, the last of them final by this certificate. */
export interface Stretch {
  readonly blocks: readonly ReadBlock[]
  readonly finalization: Certificate
  /** What comes after the end of the epoch. */
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

/** The part that can be applied at once; every certificate that is looked at must hold. */
export function firstStretch(
  blocks: readonly ReadBlock[],
  { epoch, authorities }: { epoch: number; authorities: AuthorityKeys },
): Stretch | Fault {
  const sealing = blocks.findIndex(({ meta }) => meta.isSealing)
  const reach = sealing < 0 ? blocks.length : sealing + 1
  const last = blocks.slice(0, reach).findLastIndex(({ finalization }) => finalization !== null)
  const end = blocks[last]
  const finalization = readCertificate(end?.finalization ?? null)
  if (end === undefined || finalization === null) return { fault: 'no_finalization' }
  const { kind, subject } = finalization
  if (kind !== 'finalize' || subject.epoch !== epoch) return { fault: 'bad_finalization' }
  if (subject.digest !== end.meta.digest) return { fault: 'finalization_of_another_block' }
  if (checkCertificate(finalization, authorities) !== undefined)
    return { fault: 'bad_finalization' }
  const rest = last === sealing ? blocks.slice(last + 1) : []
  return { blocks: blocks.slice(0, last + 1), finalization, rest }
}

function readBlock({ block: encoded, finalization }: SentBlock): ReadBlock | null {
  try {
    const block = decodeBlock(encoded)
    const { epoch } = block.header
    const { transactions } = block
    return { meta: metaOf(block), epoch, encoded, finalization, transactions }
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
