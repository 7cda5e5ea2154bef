/**
 * The vault of the node in memory: records as they came, and grants that are plain text.
 *
 * A grant opens when its recipient is this node; every read is remembered as one entry. What a test
 * wants to see fail is set on the fields.
 */

import { toHex } from '@mooring/codec'
import { sha256 } from '@mooring/crypto'
import { Refusal, SignatureNeeded } from '../src/errors.ts'
import type { ProofOutcome, RecordAnswer, SubmissionOutcome } from '../src/handlers.ts'
import type { ReadableRecord, RecordVersion, Vault, VaultStep } from '../src/vault-answers.ts'
import type {
  GrantRequest,
  PractitionerProof,
  ReadableQuery,
  ReadRequest,
  RecordContent,
  RepairRequest,
  UploadSubmission,
  VaultHandlers,
  VerifyRequest,
} from '../src/vault-handlers.ts'

const T0 = Date.UTC(2026, 10, 20, 9, 0, 0)

export function timeOf(seconds: number): string {
  return new Date(T0 + seconds * 1_000).toISOString()
}

export function digestOf(text: string | Uint8Array): string {
  return toHex(sha256(typeof text === 'string' ? new TextEncoder().encode(text) : text))
}

export interface Stored extends RecordAnswer {
  bytes: Uint8Array
  position: number
  submission: string
}

export const NOT_PLACED = { class: null, holders: null, transactionId: null, height: null }

export const VAULT: Vault = {
  scheme: { needed: 2, shards: 4, groups: 4 },
  records: { total: 3, waiting: 0, full: 2, reduced: 1, critical: 0, lost: 0 },
  held: { custodians: 4, shards: 12, bytes: 4_096, keyDeposits: 2 },
  holders: [
    {
      name: 'riverside',
      group: 'riverside-group',
      reachable: false,
      shards: 3,
      challenged: 9,
      failed: 1,
      lastGoodAt: timeOf(1),
      problem: 'not_connected',
    },
  ],
  challenges: { lastAt: timeOf(2), checked: 3, bad: 1 },
  repair: { active: false, waiting: 1, repaired: 4, lastAt: null },
}

export const STEP: VaultStep = {
  kind: 'progress',
  checked: 1,
  total: 3,
  good: 1,
  bad: 0,
  repaired: 0,
  record: null,
  holder: null,
  movedTo: null,
  code: null,
  detail: 'One of three.',
}

const PIECE = 64 * 1024

export class MemoryVault implements VaultHandlers {
  readonly stored = new Map<string, Stored>()
  /** Who looked, for each of the reads. */
  readonly persons: (string | null)[] = []
  readonly signatures: string[] = []
  /** What the practitioner has to sign first, and then. */
  toSign = (count: number): Uint8Array => Uint8Array.of(7, count)
  readonly reads: Omit<ReadRequest, 'signal'>[] = []
  readonly uploads: Omit<UploadSubmission, 'body' | 'signal'>[] = []
  readonly grants: GrantRequest[] = []
  readonly repairs: boolean[] = []
  badHolders: RecordContent['badHolders'] = []
  anchored: RecordContent['anchored'] = { isAnchored: true, height: 12 }
  /** Refuses every upload, after so many bytes. */
  refuseUpload: { afterBytes: number; code: string } | null = null
  /** What a read does after so many bytes. */
  breakAfter: { bytes: number; run: () => Promise<void> } | null = null
  steps: VaultStep[] = [STEP, { ...STEP, kind: 'done', checked: 3, good: 3 }]
  /** Set by a test: steps wait for it. */
  stepsHold: Promise<void> | null = null
  stepsEnded = 0

  async submitUpload(upload: UploadSubmission): Promise<SubmissionOutcome> {
    const { body, contentType, size, patient } = upload
    const pieces: Uint8Array[] = []
    let bytes = 0
    for await (const piece of body) {
      pieces.push(piece)
      bytes += piece.length
      const refusal = this.refuseUpload
      if (refusal !== null && bytes >= refusal.afterBytes) {
        throw new Refusal(refusal.code, 'It cannot be taken now.')
      }
    }
    this.uploads.push({ contentType, size, patient })
    const whole = new Uint8Array(Buffer.concat(pieces))
    const id = digestOf(whole)
    const status = this.stored.has(id) ? 'known' : 'accepted'
    const position = this.stored.size + 1
    const base = { id, resourceType: null, contentType, size: bytes, submission: id, position }
    const acceptedAt = timeOf(position)
    if (status === 'accepted') {
      this.stored.set(id, { ...base, ...NOT_PLACED, bytes: whole, status: 'accepted', acceptedAt })
    }
    const record = { id, resourceType: null, entry: 0, status, height: null } as const
    return { submission: id, records: [record], problems: [] }
  }

  async recordContent(asked: ReadRequest): Promise<RecordContent | undefined> {
    const { id, purpose, grant } = asked
    if (grant !== null) this.#check(grant)
    this.#sign(asked.practitioner)
    this.persons.push(asked.person ?? null)
    this.reads.push({ id, purpose, grant })
    const record = this.stored.get(id)
    if (record === undefined) return undefined
    const { contentType, bytes } = record
    const { badHolders } = this
    const entry = digestOf(`entry ${this.reads.length}`)
    const body = this.#pieces(bytes)
    const { anchored } = this
    return { contentType, size: bytes.length, body, entry, anchored, badHolders }
  }

  async readable({ grant, records, after, limit, practitioner }: ReadableQuery) {
    this.#check(grant)
    this.#sign(practitioner)
    const items = [...this.stored.values()]
      .filter(({ id }) => records === null || records.includes(id))
      .toSorted((a, b) => (a.id < b.id ? -1 : 1))
      .filter(({ id }) => after === null || id > after)
    const page = items.slice(0, limit)
    const next = items.length > limit ? (page.at(-1)?.id ?? null) : null
    const entry = digestOf('entry of the question')
    return { items: page.map(readableOf), entry, next }
  }

  readFields({ grant }: Pick<ReadableQuery, 'grant'>) {
    this.#check(grant)
    const [first] = this.stored.keys()
    const fields = [{ pointer: '/code/text', value: '"Penicillin"' }]
    const items = first === undefined ? [] : [{ id: first, fields, proof: { shown: 'fields' } }]
    return Promise.resolve({ items, entry: digestOf('entry of the question'), next: null })
  }

  recordHistory(id: string, { before, limit }: { before: number | null; limit: number }) {
    const record = this.stored.get(id)
    if (record === undefined) return Promise.resolve(undefined)
    const versions = [3, 2, 1].filter((n) => before === null || n < before)
    const page = versions.slice(0, limit)
    const next = versions.length > limit ? (page.at(-1) ?? null) : null
    return Promise.resolve({ items: page.map((n) => versionOf(record, n)), next })
  }

  disclose(id: string, fields: readonly string[]): Promise<ProofOutcome | undefined> {
    const record = this.stored.get(id)
    if (record === undefined) return Promise.resolve(undefined)
    if (record.height === null) return Promise.resolve({ kind: 'pending' })
    return Promise.resolve({ kind: 'record', json: JSON.stringify({ record: { fields } }) })
  }

  createGrant(request: GrantRequest): Promise<string> {
    if (request.patient === 'Patient/nobody') throw new Refusal('unknown_patient', 'Nobody.')
    this.grants.push(request)
    return Promise.resolve(`${JSON.stringify({ version: 1, ...request }, null, 2)}\n`)
  }

  vault(): Promise<Vault> {
    return Promise.resolve(VAULT)
  }

  verifyVault({ signal }: VerifyRequest): AsyncIterable<VaultStep> {
    return this.#steps(signal)
  }

  repairVault({ isImmediate, signal }: RepairRequest): AsyncIterable<VaultStep> {
    this.repairs.push(isImmediate)
    return this.#steps(signal)
  }

  /** Two signatures, each over its own bytes. */
  #sign(practitioner: PractitionerProof | null | undefined): void {
    if (!practitioner) return
    const { signature } = practitioner
    if (signature !== undefined) this.signatures.push(signature)
    const count = this.signatures.length
    if (count < 2) throw new SignatureNeeded(`${count}`.repeat(32), this.toSign(count))
  }

  #check(grant: string): void {
    const { recipient, jws = '' }: { recipient?: string; jws?: string } = JSON.parse(grant)
    const consent = Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString('utf8')
    if (recipient === 'st-mary' || consent.includes('did:mooring:org:st-mary"')) return
    throw new Refusal('not_the_recipient', 'The grant is for another organisation.')
  }

  async *#pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += PIECE) {
      if (this.breakAfter !== null && at >= this.breakAfter.bytes) await this.breakAfter.run()
      yield bytes.subarray(at, at + PIECE)
    }
  }

  async *#steps(signal: AbortSignal): AsyncGenerator<VaultStep> {
    try {
      for (const [index, step] of this.steps.entries()) {
        if (index > 0)
          await Promise.race([this.stepsHold, aborted(signal, this.stepsHold === null)])
        if (signal.aborted) return
        yield step
      }
    } finally {
      this.stepsEnded += 1
    }
  }
}

function aborted(signal: AbortSignal, isNow: boolean): Promise<void> {
  if (isNow || signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

function readableOf({ id, contentType, resourceType, bytes, acceptedAt }: Stored): ReadableRecord {
  return {
    id,
    commitment: digestOf(`commitment ${id}`),
    custodian: 'lakeview',
    class: 'general',
    resourceType,
    resourceId: null,
    versionId: null,
    contentType,
    size: bytes.length,
    receivedAt: acceptedAt,
    supersedes: null,
  }
}

function versionOf(record: Stored, n: number): RecordVersion {
  const { id, status, acceptedAt, size, transactionId, height } = record
  return {
    id: n === 3 ? id : digestOf(`${id} ${n}`),
    versionId: String(n),
    status,
    acceptedAt,
    size,
    commitment: digestOf(`commitment ${n}`),
    transactionId,
    height,
    supersedes: n === 1 ? null : digestOf(`${id} ${n - 1}`),
    holders: 4,
    accesses: n,
  }
}
