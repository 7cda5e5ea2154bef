// Answers the others' requests for blocks: final ones from the chain, open ones from execution.

import { toHex } from '@mooring/codec'
import type { ChainStore } from '@mooring/storage'
import {
  decodeBlockRequest,
  encodeBlockAnswer,
  encodeTransactionsAnswer,
  RANGE_BLOCKS_MAX,
  type SentBlock,
} from './block-exchange.ts'
import { pick } from './compact-proposals.ts'
import type { Execution } from './execution.ts'

export interface BlockServerModules {
  chain: ChainStore
  execution: Execution
}

/** @throws CodecError when the request cannot be read: the sender's fault. */
export function answerBlockRequest(
  payload: Uint8Array,
  { chain, execution }: BlockServerModules,
): Uint8Array {
  const request = decodeBlockRequest(payload)
  if (request.kind === 'digest') {
    const open = execution.encodedOf(toHex(request.body))
    const block = open ?? chain.getBlock(request.body)
    return encodeBlockAnswer(block === undefined ? [] : [{ block, finalization: null }])
  }
  if (request.kind === 'transactions') {
    const { digest, places } = request.body
    return encodeTransactionsAnswer(pick(execution.transactionsOf(toHex(digest)), places))
  }
  return encodeBlockAnswer(readRange(request.body, chain))
}

/**
 * The blocks from one height to another and on to the next that has a finalization, as far as they fit.
 * Where none of those that fit has one, the last is shown to be in the history of the next that has. So
 * it matters to nobody who catches up for how long blocks came and nothing was final.
 * @throws StorageError pruned when they are not kept here: the peer asks somebody else
 */
function readRange(
  { from, to, bytesMax }: { from: number; to: number; bytesMax: number },
  chain: ChainStore,
): SentBlock[] {
  const blocks: SentBlock[] = []
  let bytes = 0
  let complete = 0
  for (const { height, block, finalization } of chain.blocks(from, from + RANGE_BLOCKS_MAX - 1)) {
    bytes += block.length
    if (bytes > bytesMax && blocks.length > 0) break
    blocks.push({ block, finalization: finalization ?? null })
    if (finalization !== undefined) complete = blocks.length
    if (height >= to && complete === blocks.length) break
  }
  return complete > 0 ? blocks.slice(0, complete) : throughLater(blocks, from, chain)
}

function throughLater(blocks: SentBlock[], from: number, chain: ChainStore): SentBlock[] {
  const last = blocks.at(-1)
  const height = from + blocks.length - 1
  const certified = last === undefined ? undefined : chain.finalizationAtOrAfter(height)
  const header = certified === undefined ? undefined : chain.getHeader(certified.height)
  if (last === undefined || certified === undefined || header === undefined) return []
  const { finalization } = certified
  const later = { header, path: chain.historyPath(height, certified.height) }
  return [...blocks.slice(0, -1), { ...last, finalization, later }]
}
