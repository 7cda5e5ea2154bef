// Proofs that lines of the access log are on the chain, as files (proof-documents.ts).

import type { ProofOutcome } from '@mooring/api'
import { fromHex } from '@mooring/codec'
import { encodeTransactionProof } from '@mooring/ledger'
import { batchPath, formatAccessProof } from '@mooring/records'
import type { AccessLog } from './access-log.ts'
import { type ProofModules, transactionProof } from './proof-documents.ts'

export interface AccessProofModules
  extends Pick<ProofModules, 'chain' | 'genesis' | 'genesisDigest'> {
  log: Pick<AccessLog, 'find' | 'batchOf'>
}

export interface AccessProofs {
  /** Undefined when the access log has no such line. */
  access(id: string): ProofOutcome | undefined
}

/** Of a line by the id that the API gives it; undefined when the log has none. */
export function accessProof(modules: AccessProofModules, id: string): ProofOutcome | undefined {
  const { log, genesisDigest } = modules
  const commit = fromHex(id)
  const kept = log.find(commit)
  if (kept === undefined) return undefined
  const batch = kept.batch && log.batchOf(kept.batch)
  if (batch === null) return { kind: 'pending' }
  const proof = transactionProof(modules, batch.transaction)
  if (proof === undefined || proof === 'pending') return { kind: 'pending' }
  const { leaves, root, position: index } = batch
  const anchored = {
    network: genesisDigest,
    batch: { index, size: leaves.length, path: batchPath(leaves, index), root },
    anchor: encodeTransactionProof(proof),
  }
  const content = kept.note === null ? kept.entry : null
  const json = formatAccessProof(
    kept.act === null
      ? { version: 1, ...anchored, entry: { commit, content } }
      : { version: 2, ...anchored, entry: { commit, content: kept.act } },
  )
  return { kind: 'access', json }
}
