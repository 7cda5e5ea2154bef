// The other end of door-signatures.ts, on a thread of its own.

import { decodeTransaction, hasValidSignature } from '@mooring/ledger'
import type { DoorAnswer, DoorRequest } from './door-signatures.ts'
import { answerJobs } from './job-thread.ts'
import { decodeTransactionBatch } from './transaction-gossip.ts'

answerJobs(({ batch, genesisDigest }: DoorRequest): DoorAnswer => {
  const began = performance.now()
  const transactions = decodeTransactionBatch(batch)
  if (transactions === null) throw new RangeError('this is no batch of transactions')
  const signed = Uint8Array.from(transactions, (bytes) =>
    hasValidSignature(decodeTransaction(bytes, genesisDigest), genesisDigest) ? 1 : 0,
  )
  return { signed, msEach: (performance.now() - began) / Math.max(1, transactions.length) }
})
