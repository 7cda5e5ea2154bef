// The other end of door-signatures.ts, on a thread of its own.

import { parentPort } from 'node:worker_threads'
import { decodeTransaction, hasValidSignature } from '@mooring/ledger'
import type { DoorAnswer, DoorRequest } from './door-signatures.ts'
import { decodeTransactionBatch } from './transaction-gossip.ts'

parentPort?.on('message', ({ job, batch, genesisDigest }: DoorRequest) => {
  const began = performance.now()
  const transactions = decodeTransactionBatch(batch) ?? []
  const signed = Uint8Array.from(transactions, (bytes) =>
    hasValidSignature(decodeTransaction(bytes, genesisDigest), genesisDigest) ? 1 : 0,
  )
  const msEach = (performance.now() - began) / Math.max(1, transactions.length)
  parentPort?.postMessage({ job, signed, msEach } satisfies DoorAnswer)
})
