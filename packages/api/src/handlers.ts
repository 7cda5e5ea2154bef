/**
 * The other side of the contract: what a node supplies so that this API can answer.
 *
 * Handlers give data and decisions, never HTTP: no status code, no header, no cursor text. What is
 * not there is `undefined`. What cannot be done is thrown: `Refusal` with any package's code, or an
 * error whose `code` the catalogue knows. Waiting ends when the signal aborts, and then the handler
 * returns what it has; an aborted signal is no error.
 *
 * Digests, ids and roots are lower-case hex; times are RFC 3339 UTC, as in `answers.ts`.
 */

import type {
  Block,
  BlockSummary,
  Condition,
  Peer,
  Status,
  StoredRecord,
  SubmissionProblem,
  SubmittedRecord,
  Transaction,
  Verification,
} from './answers.ts'
import type { Checkpoint } from './checkpoint-answers.ts'
import type { Pruned, PrunePlan, Snapshot } from './storage-answers.ts'
import type { Access, AccessOutcome } from './access-answers.ts'
import type { Evidence } from './evidence-answers.ts'
import type { Change, ChangePreview, Epoch, Member, Network } from './membership-answers.ts'
import type { AuditHandlers } from './admin-access-handlers.ts'
import type { AdminHandlers } from './admin-handlers.ts'
import type { EmergencyHandlers } from './emergency-handlers.ts'
import type { ErasureHandlers } from './erasure-handlers.ts'
import type { IdentityHandlers } from './identity-handlers.ts'
import type { TimelineHandlers } from './timeline-handlers.ts'
import type { PatientHandlers } from './patient-handlers.ts'
import type { VaultHandlers } from './vault-handlers.ts'

/** What a record answer is before the server adds its links. */
export type RecordAnswer = Omit<StoredRecord, 'links'>
export type SubmittedRecordAnswer = Omit<SubmittedRecord, 'links'>

export type BlockName = { height: number } | { digest: string } | 'latest'

/** `known`: submitted before and still waiting. */
export type TransactionOutcome =
  | { status: 'accepted' | 'known'; id: string }
  | { status: 'final'; id: string; height: number }
  | { status: 'rejected'; id: string | null; code: string; detail: string }

export interface RecordSubmission {
  bytes: Uint8Array
  format: 'json' | 'ndjson'
  contentType: string
  /** Keep the good entries although others are bad; otherwise one bad entry refuses all. */
  isPartial: boolean
}

export interface SubmissionOutcome {
  submission: string
  records: SubmittedRecordAnswer[]
  problems: SubmissionProblem[]
}

/** `problem` without the number, which the server adds. */
export type ChangePreviewOutcome = Omit<ChangePreview, 'problem'> & {
  problem: { code: string; detail: string } | null
}

export interface RecordQuery {
  /** Exclusive position in the list; null starts with the newest. */
  before: number | null
  limit: number
  resourceType: string | null
}

/** `json`: the proof file, sent as it is. `pending`: the record or transaction is known, its block is not final yet. */
export type ProofOutcome =
  | { kind: 'record' | 'transaction' | 'access'; json: string }
  | { kind: 'pending' }

export const EVENT_TYPES = [
  'block',
  'transaction',
  'record',
  'peer',
  'member',
  'evidence',
  'alarm',
] as const

export type EventType = (typeof EVENT_TYPES)[number]

/**
 * Events that follow from final blocks carry their place: the height, and an index that every reading
 * of that height repeats. Others (a peer went away) have none and are never replayed.
 */
export interface ApiEvent {
  type: EventType
  place: { height: number; index: number } | null
  body: unknown
}

export interface EventSource {
  /** The lowest height whose events can still be read. */
  oldestHeight(): number
  /** Placed events from that height to the last final one, in order. */
  eventsFrom(height: number): AsyncIterable<ApiEvent>
  /** Live events; one with a place is given only once `eventsFrom` would return it as well. */
  subscribe(listener: (event: ApiEvent) => void): () => void
}

export interface AccessQuery {
  /** Exclusive position in the log; null starts with the newest. */
  before: number | null
  limit: number
  organisation: string | null
  custodian: string | null
  outcome: AccessOutcome | null
  /** Whether to open what is about patients whose keys are hosted here. */
  isOpen: boolean
}

export interface ApiHandlers extends VaultHandlers {
  live(): Condition[]
  ready(): Condition[]
  metrics(): Promise<{ contentType: string; text: string }>

  status(): Status
  network(): Network
  genesis(): { digest: string; json: string }
  members(): Member[]
  peers(): Peer[]
  /** Newest first. */
  epochs(): Epoch[]
  /** Open ones, then those that passed, newest first. */
  changes(): Change[]
  change(id: string): Change | undefined
  /** Refuses bytes that are no proposal; what a valid one would meet is part of the answer. */
  previewChange(transaction: Uint8Array): ChangePreviewOutcome
  /** Newest first; `next` continues the list, null at its end. */
  listEvidence(query: { before: number | null; limit: number }): {
    items: Evidence[]
    next: number | null
  }
  /** With its encoding. */
  evidence(id: string): { evidence: Evidence; bytes: Uint8Array } | undefined

  /** Newest first; `next` continues the list, null at its end. */
  listAccess(query: AccessQuery): Promise<{ items: Access[]; next: number | null }>
  access(id: string, options: { isOpen: boolean }): Access | undefined

  snapshots(): Promise<Snapshot[]>
  createSnapshot(): Promise<Snapshot>
  snapshotManifest(height: number): Promise<Uint8Array>
  snapshotChunk(height: number, index: number): Promise<Uint8Array>
  pruning(): Promise<PrunePlan>
  prune(): Promise<Pruned>

  /** Final blocks below `before` (null: from the tip), newest first. */
  blocks(query: { before: number | null; limit: number }): Promise<BlockSummary[]>
  block(name: BlockName): Promise<Block | undefined>

  /** The first one at or after that height with a certificate of its own. */
  checkpoint(height: number | 'latest'): Checkpoint | undefined

  transaction(id: string): Promise<Transaction | undefined>
  /** One outcome for each transaction, in order. */
  submitTransactions(
    transactions: Uint8Array[],
  ): TransactionOutcome[] | Promise<TransactionOutcome[]>
  /** Heights of the blocks that made them final, null where that is still open at the abort. */
  waitForTransactions(ids: string[], signal: AbortSignal): Promise<(number | null)[]>

  submitRecords(submission: RecordSubmission): Promise<SubmissionOutcome>
  /** The same records when all are anchored, or as far as they came at the abort. */
  waitForRecords(submission: string, signal: AbortSignal): Promise<SubmittedRecordAnswer[]>
  /** Newest first; `next` continues the list, null at its end. */
  records(query: RecordQuery): Promise<{ items: RecordAnswer[]; next: number | null }>
  record(id: string): Promise<RecordAnswer | undefined>

  proof(id: string, options: { withOpening: boolean }): Promise<ProofOutcome | undefined>
  verifyProof(json: Uint8Array): Verification | Promise<Verification>

  readonly patients: PatientHandlers
  readonly identities: IdentityHandlers
  readonly emergencies: EmergencyHandlers
  readonly erasing: ErasureHandlers
  readonly timelines: TimelineHandlers
  readonly admin: AdminHandlers
  readonly audit: AuditHandlers

  readonly events: EventSource
}
