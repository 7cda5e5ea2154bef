// The other end of signature-threads.ts, on a thread of its own.

import { CodecError } from '@mooring/codec'
import { decodeBlock, decodeTransaction, hasValidSignature } from '@mooring/ledger'
import { answerJobs } from './job-thread.ts'
import type { SignatureAnswer, SignatureRequest } from './signature-threads.ts'

/** Whether the block is signed all through; what does not decode is not. */
function isSigned(block: Uint8Array, genesisDigest: Uint8Array): boolean {
  try {
    return decodeBlock(block).transactions.every((encoded) => {
      return hasValidSignature(decodeTransaction(encoded, genesisDigest), genesisDigest)
    })
  } catch (error) {
    if (error instanceof CodecError) return false
    throw error
  }
}

answerJobs(
  ({ blocks, genesisDigest }: SignatureRequest): SignatureAnswer =>
    blocks.map((block) => isSigned(block, genesisDigest)),
)
