/**
 * The part of `handlers.ts` that is about the vault: what is uploaded, read, granted and repaired.
 *
 * Content passes through in pieces and is never whole in memory here. A body is read once; it throws
 * when the rest cannot be had, and then the client's connection breaks, so that a part is never taken
 * for the whole. Documents (grants, disclosures) are JSON text, sent and handed on as they are.
 */

import type {
  ReadableRecord,
  RecordVersion,
  ShownFields,
  Vault,
  VaultStep,
} from './vault-answers.ts'
import type { ProofOutcome, SubmissionOutcome } from './handlers.ts'

/** Bytes of a media type that is neither FHIR JSON nor NDJSON: one record. */
export interface UploadSubmission {
  /** Throws when the client leaves, is too slow, or sends too much. Not reading on holds the client back. */
  body: AsyncIterable<Uint8Array>
  /** Media type, lower case, without parameters. */
  contentType: string
  /** As announced; null when the client did not say. */
  size: number | null
  /** Whose it is, as a FHIR reference or bare number; null: the institution's own. */
  patient: string | null
  signal: AbortSignal
}

/** All in hexadecimal digits. Without a challenge it is the first call. */
export interface PractitionerProof {
  key: string
  challenge?: string | undefined
  signature?: string | undefined
}

export interface ReadRequest {
  /** Of a record here, or as `readable` names it. */
  id: string
  /** Code of v3-ActReason. */
  purpose: string
  /** JSON of the grant document; null: the custodian reads what is its own. */
  grant: string | null
  /** Who at this organisation looks; null or absent: nobody in particular. */
  person?: string | null
  /** A practitioner who signs; see SignatureNeeded. */
  practitioner?: PractitionerProof | null
  signal: AbortSignal
}

export interface RecordContent {
  contentType: string
  size: number
  /** Begins when the trace is kept. What it gives has been checked. */
  body: AsyncIterable<Uint8Array>
  /** Digest of the access entry that this read leaves; null: nothing had to be asked. */
  entry: string | null
  /** Whether the chain has it: its height, when the block is still here. */
  anchored: { isAnchored: boolean; height: number | null }
  /** Whose shards were skipped, as far as is known before the first byte. */
  badHolders: readonly { holder: string; code: string }[]
}

export interface ReadableQuery {
  /** JSON of the grant document. */
  grant: string
  purpose: string
  /** As of a reading. */
  person?: string | null
  practitioner?: PractitionerProof | null
  /** Only these; null: all that the grant opens. */
  records: readonly string[] | null
  /** `next` of the page before. */
  after: string | null
  limit: number
  signal: AbortSignal
}

export interface GrantRequest {
  /** A patient of this custodian, as a FHIR reference or bare number. */
  patient: string
  /** Organisation that may read. */
  recipient: string
  classes: readonly string[]
  purposes: readonly string[]
  /** Unix milliseconds; null: now. */
  notBefore: number | null
  expiresAt: number
}

export interface VerifyRequest {
  /** Challenge for every record instead of a sample. */
  isFull: boolean
  signal: AbortSignal
}

export interface RepairRequest {
  /** Replace holders that do not answer without waiting for them any longer. */
  isImmediate: boolean
  signal: AbortSignal
}

export interface VaultHandlers {
  /** Refuses, among others, with `vault_busy` and `full`; then nothing of it is kept. */
  submitUpload(upload: UploadSubmission): Promise<SubmissionOutcome>

  recordContent(request: ReadRequest): Promise<RecordContent | undefined>
  /** What a grant opens, over all its records; `next` continues the list, null at its end. */
  readable(
    query: ReadableQuery,
  ): Promise<{ items: ReadableRecord[]; entry: string | null; next: string | null }>
  /** Records of which the grant shows no more than fields; `next` as above. */
  readFields(
    query: Omit<ReadableQuery, 'records'>,
  ): Promise<{ items: ShownFields[]; entry: string; next: string | null }>
  /** Newest first, ending with the first version; `next` continues the list, null at its end. */
  recordHistory(
    id: string,
    query: { before: number | null; limit: number },
  ): Promise<{ items: RecordVersion[]; next: number | null } | undefined>
  /** A proof of the record that opens these fields (JSON pointers) and no other. */
  disclose(
    id: string,
    fields: readonly string[],
    signal: AbortSignal,
  ): Promise<ProofOutcome | undefined>

  /** JSON of the signed grant document; the recipient's key has its wraps when this resolves. */
  createGrant(request: GrantRequest): Promise<string>

  vault(): Promise<Vault>
  /** Ends with one step `done`; a signal that aborts ends it early. */
  verifyVault(request: VerifyRequest): AsyncIterable<VaultStep>
  repairVault(request: RepairRequest): AsyncIterable<VaultStep>
}
