/**
 * A proof file checked from a genesis digest alone, by whoever holds the file: no node is asked.
 *
 * Three packages know a part each and none knows the others: `records` checks that the file, or the
 * fields that are shown, are the record's and the record in the batch (steps 1 to 3), `ledger` that the anchor is in a block and the
 * block in the chain (4 to 6), `consensus` what makes a block final. Here they meet, and so does the one
 * joint between them: the batch is that of this anchor. This module runs in a browser.
 */

import { CodecError, equalBytes, JsonError, memberOf, parseJson, toHex } from '@mooring/codec'
import { checkCertificate, decodeCertificate, quorumOf } from '@mooring/consensus'
import { signersOf } from '@mooring/crypto'
import {
  type CertifiedHeader,
  decodeTransaction,
  decodeTransactionProof,
  type FinalizationVerifier,
  type Genesis,
  genesisDigest,
  isSealing,
  LedgerError,
  parseTransactionProofJson,
  type ProofFailure,
  type TransactionProof,
  verifyTransactionProof,
} from '@mooring/ledger'
import {
  type AccessProof,
  parseAccessProof,
  parseRecordProof,
  type RecordProof,
  type RecordProofFailure,
  type RecordProofResult,
  RecordsError,
  verifyAccessProof,
  verifyRecordProof as verifyRecord,
} from '@mooring/records'
import type { Verification } from './answers.ts'

/** What the verifier trusts, and all it trusts. */
export type Trust = { genesisDigest: Uint8Array } | { genesis: Genesis }

export interface VerificationStep {
  readonly number: number
  readonly name: string
  readonly detail: string
  readonly ok: boolean
}

/** `malformed_proof` and `wrong_network` concern the document, which counts as step 0. */
export type VerificationFailure =
  | 'malformed_proof'
  | 'wrong_anchor'
  | RecordProofFailure
  | ProofFailure

export type ProofVerification =
  | {
      ok: true
      steps: VerificationStep[]
      transactionId: string
      height: number
      /** Unix milliseconds. */
      blockTime: number
      /** Null when the transaction puts no batch on the chain. */
      anchor: { kind: BatchKind; organisation: string; sequence: number } | null
      /** Fields of the record that the proof shows, each with its JSON text. */
      shown: { pointer: string; value: string }[]
    }
  | {
      ok: false
      steps: VerificationStep[]
      failed: { number: number; name: string; code: VerificationFailure }
    }

type Failed = ProofVerification & { ok: false }
/** A batch of records, or of entries of an access log. */
type BatchKind = 'record.anchor' | 'access.log'

/** Any kind of document; `file` is the record's bytes, when there are any to compare. */
export function verifyProof(
  document: string | Uint8Array,
  trust: Trust,
  file: Uint8Array | null = null,
): ProofVerification {
  const bytes = typeof document === 'string' ? new TextEncoder().encode(document) : document
  return reading(() => {
    const root = parseJson(bytes, DOCUMENT_LIMITS)
    if (memberOf(root, 'record') !== undefined) return verifyRecordProof(bytes, trust, file)
    if (memberOf(root, 'entry') !== undefined) {
      const proof = parseAccessProof(bytes)
      return verifyBatched(proof, verifyAccessProof(proof), { kind: 'access.log', trust })
    }
    const proof = parseTransactionProofJson(new TextDecoder().decode(bytes))
    return verifyAnchor(proof, digestOf(trust), [])
  })
}

export function verifyRecordProof(
  document: string | Uint8Array,
  trust: Trust,
  file: Uint8Array | null = null,
): ProofVerification {
  return reading(() => {
    const proof = parseRecordProof(document)
    const record = verifyRecord(proof, file)
    const result = verifyBatched(proof, record, { kind: 'record.anchor', trust })
    return result.ok ? { ...result, shown: shownIn(proof) } : result
  })
}

/**
 * For many records: what anchored them is checked once, however many share it. An anchor is known by the
 * bytes it was given as.
 */
export function createRecordVerifier(
  trust: Trust,
): (proof: RecordProof, file: Uint8Array | null) => ProofVerification {
  const known = new Map<Uint8Array, CheckedAnchor>()
  const checked = (encoded: Uint8Array): CheckedAnchor => {
    const before = known.get(encoded)
    if (before !== undefined) return before
    const anchor = decodeTransactionProof(encoded)
    const result = verifyAnchor(anchor, digestOf(trust), [])
    known.set(encoded, { anchor, result })
    return { anchor, result }
  }
  return (proof, file) =>
    reading(() => {
      const own = verifyRecord(proof, file)
      return verifyBatched(proof, own, { kind: 'record.anchor', trust, checked })
    })
}

interface CheckedAnchor {
  readonly anchor: TransactionProof
  readonly result: ProofVerification
}

/** What is in a batch, after its own steps: the network, the joint to the transaction, and the chain. */
function verifyBatched(
  proof: RecordProof | AccessProof,
  own: RecordProofResult,
  {
    kind,
    trust,
    checked,
  }: { kind: BatchKind; trust: Trust; checked?: (encoded: Uint8Array) => CheckedAnchor },
): ProofVerification {
  const before = checked?.(proof.anchor)
  const anchor = before?.anchor ?? decodeTransactionProof(proof.anchor)
  const digest = digestOf(trust)
  if (!equalBytes(proof.network, digest)) {
    const detail = `the proof is of genesis ${short(proof.network)}, not ${short(digest)}`
    return failedAt({ number: 0, name: 'document', detail }, 'wrong_network')
  }
  if (!own.ok) {
    const { number, code } = own.failed
    const name = own.steps.at(-1)?.name ?? 'record'
    return { ok: false, steps: [...own.steps], failed: { number, name, code } }
  }
  const { steps, problem } = joined(proof, anchor, { digest, steps: own.steps, kind })
  if (problem !== undefined) return problem
  if (before === undefined) return verifyAnchor(anchor, digest, steps)
  return { ...before.result, steps: [...steps, ...before.result.steps] }
}

/** The answer of the API for the same thing. */
export function formatVerification(result: ProofVerification): Verification {
  const { ok, steps } = result
  if (!result.ok) {
    const nothing = { height: null, blockTime: null, transaction: null }
    return { ok, steps, failed: result.failed.code, ...nothing }
  }
  const blockTime = new Date(result.blockTime).toISOString()
  const { height, transactionId: transaction } = result
  return { ok, steps, failed: null, height, blockTime, transaction }
}

/** What the ledger does not know: a finalization is a certificate of agreement over this very block. */
export const verifyFinalization: FinalizationVerifier = (certified: CertifiedHeader) => {
  const { finalization, header, headerDigest, genesisDigest: chain, authoritySet } = certified
  let certificate: ReturnType<typeof decodeCertificate>
  try {
    certificate = decodeCertificate(finalization)
  } catch (error) {
    if (!(error instanceof CodecError)) throw error
    return { code: 'malformed_finalization' }
  }
  const { kind, subject, bitmap } = certificate
  const isOfBlock =
    subject.digest === toHex(headerDigest) &&
    subject.height === header.height &&
    subject.epoch === header.epoch &&
    // Only a block that ends its epoch is proposed again, in later views than that of its header.
    (subject.view === header.view || (isSealing(header) && subject.view > header.view))
  if (kind !== 'finalize' || !isOfBlock) return { code: 'finalization_of_another_block' }
  const { keys } = authoritySet
  const invalid = checkCertificate(certificate, { chain, keys })
  if (invalid !== undefined) return { code: invalid.code }
  return { signers: signersOf(bitmap), needed: quorumOf(keys.length) }
}

const DOCUMENT_LIMITS = { bytesMax: 4 * 1024 * 1024, depthMax: 8, itemsMax: 100_000 }

/** Steps 4 to 6, after those of the record. */
function verifyAnchor(
  proof: TransactionProof,
  digest: Uint8Array,
  before: readonly VerificationStep[],
): ProofVerification {
  const result = verifyTransactionProof(proof, digest, verifyFinalization)
  const steps = [...before, ...result.steps]
  if (!result.ok) return { ...result, steps }
  const { height, blockTime, transaction } = result
  const transactionId = toHex(transaction.id)
  const { payload } = transaction
  if (payload.kind !== 'record.anchor' && payload.kind !== 'access.log') {
    return { ok: true, steps, transactionId, height, blockTime, anchor: null, shown: [] }
  }
  const { organisation, sequence } = payload.body
  const anchor = { kind: payload.kind, organisation, sequence }
  return { ok: true, steps, transactionId, height, blockTime, anchor, shown: [] }
}

function shownIn({ record }: RecordProof): { pointer: string; value: string }[] {
  const { opening } = record
  if (opening === null || !('fields' in opening)) return []
  const text = new TextDecoder()
  return opening.fields.map(({ pointer, value }) => ({ pointer, value: text.decode(value) }))
}

const NAMES: Record<BatchKind, string> = {
  'record.anchor': 'anchor',
  'access.log': 'access batch',
}

/** Whether the anchor is that of the batch; said in step 3, which ends at the batch root. */
function joined(
  proof: RecordProof | AccessProof,
  anchor: TransactionProof,
  context: { digest: Uint8Array; steps: readonly VerificationStep[]; kind: BatchKind },
): { steps: VerificationStep[]; problem?: Failed } {
  const last = context.steps.at(-1)
  if (last === undefined) throw new TypeError('a record proof has at least its batch step')
  const before = context.steps.slice(0, -1)
  const refused = (detail: string) => {
    const problem = failedAt({ ...last, detail }, 'wrong_anchor')
    return { steps: before, problem: { ...problem, steps: [...before, ...problem.steps] } }
  }
  const { payload } = decodeTransaction(anchor.transaction, context.digest)
  if (payload.kind !== 'record.anchor' && payload.kind !== 'access.log') {
    return refused(`the transaction is a ${payload.kind} and anchors no batch`)
  }
  const { organisation, sequence, batchRoot, sizeBucket } = payload.body
  const name = `${NAMES[payload.kind]} ${sequence} of ${organisation}`
  if (payload.kind !== context.kind) return refused(`${name} is no batch of this kind`)
  // A node tells of its own acts, and of nobody else's.
  const teller = 'entry' in proof && proof.version === 2 ? proof.entry.content.organisation : null
  if (teller !== null && teller !== organisation)
    return refused(`${name} tells of an act at ${teller}`)
  const { root, size } = proof.batch
  return equalBytes(batchRoot, root) && sizeBucket === size
    ? { steps: [...before, { ...last, detail: `${last.detail} of ${name}` }] }
    : refused(`${name} is of another batch: ${short(batchRoot)} of ${sizeBucket} leaves`)
}

/** A document that cannot be read is a proof that does not verify, not an exception. */
function reading(verify: () => ProofVerification): ProofVerification {
  try {
    return verify()
  } catch (error) {
    const isUnreadable =
      error instanceof CodecError ||
      error instanceof JsonError ||
      error instanceof LedgerError ||
      error instanceof RecordsError
    if (!isUnreadable) throw error
    return failedAt({ number: 0, name: 'document', detail: error.message }, 'malformed_proof')
  }
}

function failedAt(
  step: { number: number; name: string; detail: string },
  code: VerificationFailure,
): Failed {
  const { number, name } = step
  return { ok: false, steps: [{ ...step, ok: false }], failed: { number, name, code } }
}

function digestOf(trust: Trust): Uint8Array {
  return 'genesis' in trust ? genesisDigest(trust.genesis) : trust.genesisDigest
}

function short(digest: Uint8Array): string {
  const hex = toHex(digest)
  return `${hex.slice(0, 4)}…${hex.slice(-2)}`
}
