// The first three steps of checking a record proof; the ledger's rules make the other three.
//
// 1 the file is the one in the opening, or the fields shown are in its field tree, 2 the opening is the
// record's, 3 the record is in the batch. A step is there only if the proof has what it needs: a receipt
// without an opening goes straight to step 3, and says nothing about any file. The first step that fails
// is the last one.

import { equalBytes, toHex } from '@mooring/codec'
import { checkInclusion, leafHash } from '@mooring/crypto'
import { type RecordOpening, rawCommitment, recordCommitment } from './commit.ts'
import { checkShownField, type FieldsOpening } from './disclose.ts'
import { trimJson } from './read-submission.ts'
import type { Anchored, RecordProof } from './record-proof.ts'

export interface RecordProofStep {
  readonly number: number
  readonly name: string
  readonly detail: string
  readonly ok: boolean
}

export type RecordProofFailure =
  | 'no_opening'
  | 'raw_commitment_differs'
  | 'field_not_in_record'
  | 'record_commitment_differs'
  | 'entry_commitment_differs'
  | 'not_in_batch'

export type RecordProofResult =
  | { readonly ok: true; readonly steps: readonly RecordProofStep[] }
  | {
      readonly ok: false
      readonly steps: readonly RecordProofStep[]
      readonly failed: { readonly number: number; readonly code: RecordProofFailure }
    }

export interface Step {
  readonly number: number
  readonly name: string
  readonly detail: string
  readonly code: RecordProofFailure | undefined
}

/** Pass the bytes of the file, or null to check the proof alone. */
export function verifyRecordProof(proof: RecordProof, raw: Uint8Array | null): RecordProofResult {
  return runSteps(stepsOf(proof, raw))
}

/** The first that fails is the last one. */
export function runSteps(all: Iterable<Step>): RecordProofResult {
  const steps: RecordProofStep[] = []
  for (const { code, ...step } of all) {
    steps.push({ ...step, ok: code === undefined })
    if (code !== undefined) return { ok: false, steps, failed: { number: step.number, code } }
  }
  return { ok: true, steps }
}

function* stepsOf(proof: RecordProof, raw: Uint8Array | null): Generator<Step> {
  const { commit, opening } = proof.record
  if (raw !== null) yield rawStep(opening, raw)
  if (opening !== null && 'fields' in opening) yield fieldsStep(opening)
  if (opening !== null) yield recordStep(opening, commit)
  yield batchStep(commit, proof.batch)
}

function rawStep(opening: RecordOpening | FieldsOpening | null, raw: Uint8Array): Step {
  const step = { number: 1, name: 'raw commitment' }
  if (opening === null) {
    const detail = 'the proof is a receipt: it has no opening to check a file with'
    return { ...step, detail, code: 'no_opening' }
  }
  if ('fields' in opening) {
    const detail = 'the proof shows fields of the record: it has no opening to check a file with'
    return { ...step, detail, code: 'no_opening' }
  }
  const computed = rawCommitment(opening.rawSalt, raw)
  const formula = `H(raw/v1, salt, file) = ${short(computed)}`
  if (equalBytes(computed, opening.rawCommit)) {
    return { ...step, detail: `${formula} matches the opening`, code: undefined }
  }
  const trimmed = trimJson(raw)
  const isSpaceOnly =
    trimmed.length < raw.length &&
    equalBytes(rawCommitment(opening.rawSalt, trimmed), opening.rawCommit)
  const hint = isSpaceOnly ? '; it would without the white space around it' : ''
  const detail = `${formula} does not match ${short(opening.rawCommit)} in the opening${hint}`
  return { ...step, detail, code: 'raw_commitment_differs' }
}

function fieldsStep(opening: FieldsOpening): Step {
  const step = { number: 1, name: 'fields' }
  const { fields, size, fieldRoot } = opening
  for (const field of fields) {
    const invalid = checkShownField(opening, field)
    if (invalid === undefined) continue
    const detail = `${field.pointer} is not in the field tree ${short(fieldRoot)} (${invalid.code})`
    return { ...step, detail, code: 'field_not_in_record' }
  }
  const detail = `${fields.length} shown of at most ${size}, each leads to ${short(fieldRoot)}`
  return { ...step, detail, code: undefined }
}

function recordStep(opening: RecordOpening | FieldsOpening, commit: Uint8Array): Step {
  const computed = recordCommitment(opening.blind, opening.fieldRoot, opening.rawCommit)
  const isSame = equalBytes(computed, commit)
  const formula = `H(rec/v1, blind, fields, raw) = ${short(computed)}`
  return {
    number: 2,
    name: 'record',
    detail: isSame ? formula : `${formula} is not the record ${short(commit)}`,
    code: isSame ? undefined : 'record_commitment_differs',
  }
}

export function batchStep(commit: Uint8Array, batch: Anchored['batch']): Step {
  const { index, size, path, root } = batch
  const invalid = checkInclusion({ leafHash: leafHash(commit), index, size, path, root })
  const place = `leaf ${index} of ${size}, ${path.length} digests up`
  return {
    number: 3,
    name: 'batch path',
    detail:
      invalid === undefined
        ? `${place} = ${short(root)}, the batch root`
        : `${place} does not lead to the batch root ${short(root)} (${invalid.code})`,
    code: invalid === undefined ? undefined : 'not_in_batch',
  }
}

export function short(digest: Uint8Array): string {
  const hex = toHex(digest)
  return `${hex.slice(0, 4)}…${hex.slice(-2)}`
}
