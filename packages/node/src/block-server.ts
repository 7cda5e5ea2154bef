// Answers the others' requests for blocks: final ones from the chain, open ones from execution.

import { toHex } from '@mooring/codec'
import type { ChainStore } from '@mooring/storage'
import {
  decodeBlockRequest,
  encodeBlockAnswer,
  RANGE_BLOCKS_MAX,
  type SentBlock,
} from './block-exchange.ts'
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
  return encodeBlockAnswer(readRange(request.body, chain))
}

/** As many blocks as fit, ending at one with a finalization: at least one such stretch, if there is any. */
function readRange(
  { from, bytesMax }: { from: number; bytesMax: number },
  chain: ChainStore,
): SentBlock[] {
  const blocks: SentBlock[] = []
  let bytes = 0
  let complete = 0
  for (const { block, finalization } of chain.blocks(from, from + RANGE_BLOCKS_MAX - 1)) {
    bytes += block.length
    if (bytes > bytesMax && complete > 0) break
    blocks.push({ block, finalization: finalization ?? null })
    if (finalization !== undefined) complete = blocks.length
  }
  return blocks.slice(0, complete)
}
