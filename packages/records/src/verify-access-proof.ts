// The first steps of checking that an entry of an access log is on the chain: 2 the content is what the
// commitment names, where there is content, 3 the commitment is in the batch. The ledger makes the others.

import { CodecError, equalBytes } from '@mooring/codec'
import { type AccessEntry, accessEntryCommit } from './access-entry.ts'
import type { AccessProof } from './access-proof.ts'
import { type AdminAct, adminActCommit } from './admin-act.ts'
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

function* stepsOf(proof: AccessProof): Generator<Step> {
  const { commit } = proof.entry
  if (proof.version === 2) yield contentStep(actOf(proof.entry.content), commit)
  else if (proof.entry.content !== null) yield contentStep(entryOf(proof.entry.content), commit)
  yield batchStep(commit, proof.batch)
}

interface Content {
  name: string
  formula: string
  compute: () => Uint8Array
}

function entryOf(entry: AccessEntry): Content {
  const formula = 'H(access-entry, nonce, custodian, sealed)'
  return { name: 'access entry', formula, compute: () => accessEntryCommit(entry) }
}

function actOf(act: AdminAct): Content {
  const { caller, organisation, time, status } = act
  const at = new Date(time).toISOString()
  const words = `${act.act} by ${caller} at ${organisation}, ${at}, answered ${status}`
  return { name: 'act', formula: `H(admin-act, ${words})`, compute: () => adminActCommit(act) }
}

function contentStep({ name, formula: what, compute }: Content, commit: Uint8Array): Step {
  const step = { number: 2, name }
  let computed: Uint8Array
  try {
    computed = compute()
  } catch (error) {
    if (!(error instanceof CodecError)) throw error
    return { ...step, detail: error.message, code: 'entry_commitment_differs' }
  }
  const formula = `${what} = ${short(computed)}`
  return equalBytes(computed, commit)
    ? { ...step, detail: formula, code: undefined }
    : { ...step, detail: `${formula} is not ${short(commit)}`, code: 'entry_commitment_differs' }
}
