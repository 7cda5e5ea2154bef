// The first steps of checking that an entry of an access log is on the chain: 2 the content is what the
// commitment names, where there is content, 3 the commitment is in the batch. The ledger makes the others.

import { CodecError, equalBytes } from '@mooring/codec'
import { accessEntryCommit } from './access-entry.ts'
import type { AccessProof } from './access-proof.ts'
import {
  batchStep,
  type RecordProofResult,
  runSteps,
  short,
  type Step,
} from './verify-record-proof.ts'

export function verifyAccessProof(proof: AccessProof): RecordProofResult {
  return runSteps(stepsOf(proof))
}

function* stepsOf({ entry, batch }: AccessProof): Generator<Step> {
  if (entry.content !== null) yield contentStep(entry.content, entry.commit)
  yield batchStep(entry.commit, batch)
}

function contentStep(
  content: NonNullable<AccessProof['entry']['content']>,
  commit: Uint8Array,
): Step {
  const step = { number: 2, name: 'access entry' }
  let computed: Uint8Array
  try {
    computed = accessEntryCommit(content)
  } catch (error) {
    if (!(error instanceof CodecError)) throw error
    return { ...step, detail: error.message, code: 'entry_commitment_differs' }
  }
  const formula = `H(access-entry, nonce, custodian, sealed) = ${short(computed)}`
  return equalBytes(computed, commit)
    ? { ...step, detail: formula, code: undefined }
    : { ...step, detail: `${formula} is not ${short(commit)}`, code: 'entry_commitment_differs' }
}
