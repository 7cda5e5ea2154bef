/**
 * What a client submits: transactions, and records.
 *
 * Submitting never waits for anybody else: 202 says that the node keeps it. Only a caller who asked
 * waits for finality, in a budget of its own, and gets 201; when the time is over the same answer as
 * without waiting, with `Retry-After`. A wait that ends early is never a failure.
 */

import { createHash } from 'node:crypto'
import { sha256 } from '@mooring/crypto'
import { toHex } from '@mooring/codec'
import type { Submission, SubmittedTransaction, TransactionResult } from './answers.ts'
import {
  type Answer,
  type ApiContext,
  type ApiRequest,
  type Caller,
  type Endpoint,
  fresh,
  withLinks,
} from './endpoints.ts'
import { ApiError, Refusal } from './errors.ts'
import type { RecordSubmission, SubmissionOutcome, TransactionOutcome } from './handlers.ts'
import type { Fingerprint } from './idempotency.ts'

const DEFAULT_WAIT_MS = 10_000
const RETRY_AFTER = { 'retry-after': '1' }
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000 }
const DURATION = /^(?<amount>[0-9]+)(?<unit>ms|s|m)$/
const PREFER_WAIT = /(?:^|,)\s*wait\s*=\s*"?(?<seconds>[0-9]{1,6})"?\s*(?=$|[,;])/i
const IDEMPOTENCY_KEY =
  /^(?:"(?<quoted>[\x20-\x21\x23-\x7e]{1,255})"|(?<plain>[\x21\x23-\x7e]{1,255}))$/

interface Wait {
  ms: number
  headers: Record<string, string>
}

interface WaitParts {
  query: { wait?: 'final'; timeout?: string }
  headers: { prefer?: string }
}

export const submitTransactions: Endpoint<'submitTransactions'> = (request, context) => {
  const wait = waitOf(request, context)
  const { body } = request
  if (body instanceof Uint8Array) return submitOne(body, wait, request, context)
  if (body.transaction !== undefined) {
    return submitOne(fromBase64(body.transaction), wait, request, context)
  }
  return submitList(body.transactions ?? [], wait, request, context)
}

async function submitOne(
  transaction: Uint8Array | undefined,
  wait: Wait | undefined,
  caller: Caller,
  context: ApiContext,
): Promise<Answer> {
  if (transaction === undefined) {
    const errors = [{ in: 'body' as const, pointer: '/transaction', detail: NOT_BASE64 }]
    throw new ApiError('malformed_transaction', NOT_BASE64, { errors })
  }
  const [outcome] = await context.handlers.submitTransactions([transaction])
  if (outcome === undefined) throw new TypeError('a transaction was submitted without an outcome')
  if (outcome.status === 'rejected') throw new Refusal(outcome.code, outcome.detail)
  if (outcome.status === 'final') return oneAnswer(wait ? 201 : 200, outcome.id, outcome.height)
  if (wait !== undefined && caller.startWaiting()) {
    const signal = AbortSignal.any([caller.signal, AbortSignal.timeout(wait.ms)])
    const [height] = await context.handlers.waitForTransactions([outcome.id], signal)
    if (typeof height === 'number') return oneAnswer(201, outcome.id, height, wait.headers)
  }
  const headers = wait === undefined ? {} : { ...RETRY_AFTER, ...wait.headers }
  return oneAnswer(outcome.status === 'known' && !wait ? 200 : 202, outcome.id, null, headers)
}

function oneAnswer(
  status: number,
  id: string,
  height: number | null,
  headers: Record<string, string> = {},
): Answer {
  const body: SubmittedTransaction = { id, status: height === null ? 'accepted' : 'final', height }
  return { status, headers: { ...headers, location: `/v1/transactions/${id}` }, body }
}

async function submitList(
  texts: string[],
  wait: Wait | undefined,
  caller: Caller,
  context: ApiContext,
): Promise<Answer> {
  const decoded = texts.map(fromBase64)
  const readable = decoded.filter((bytes) => bytes !== undefined)
  const outcomes = readable.length > 0 ? await context.handlers.submitTransactions(readable) : []
  const results = inOrder(decoded, outcomes).map((outcome) => resultOf(outcome, context))
  const open = results.filter(({ status }) => status === 'accepted' || status === 'known')
  const later = results.some(({ problem }) => isBusy(problem, context)) ? RETRY_AFTER : {}
  if (wait === undefined || open.length === 0) return listAnswer(results, later)
  if (caller.startWaiting()) {
    const ids = open.map(({ id }) => id).filter((id) => id !== null)
    const signal = AbortSignal.any([caller.signal, AbortSignal.timeout(wait.ms)])
    const heights = await context.handlers.waitForTransactions(ids, signal)
    for (const [index, result] of open.entries()) {
      const height = heights[index]
      if (typeof height === 'number') Object.assign(result, { status: 'final', height })
    }
  }
  const isFinal = results.every(({ status }) => status === 'final')
  if (isFinal) return { status: 201, headers: wait.headers, body: { results } }
  return listAnswer(results, { ...RETRY_AFTER, ...wait.headers })
}

/** The same is taken a moment later: what waits becomes final meanwhile. */
function isBusy(problem: TransactionResult['problem'], { catalogue }: ApiContext): boolean {
  return problem !== null && catalogue(problem.code)?.status === 503
}

function listAnswer(results: TransactionResult[], headers: Record<string, string>): Answer {
  const isAccepted = results.some(({ status }) => status === 'accepted')
  return { status: isAccepted ? 202 : 200, headers, body: { results } }
}

const NOT_BASE64 = 'The transaction is not canonical base64.'
const UNREADABLE: TransactionOutcome = {
  status: 'rejected',
  id: null,
  code: 'malformed_transaction',
  detail: NOT_BASE64,
}

function inOrder(
  decoded: (Uint8Array | undefined)[],
  outcomes: TransactionOutcome[],
): TransactionOutcome[] {
  const remaining = outcomes.values()
  return decoded.map((bytes) => {
    if (bytes === undefined) return UNREADABLE
    const { value } = remaining.next()
    if (value === undefined) throw new TypeError('a transaction was submitted without an outcome')
    return value
  })
}

function resultOf(outcome: TransactionOutcome, { catalogue }: ApiContext): TransactionResult {
  const { id, status } = outcome
  if (outcome.status === 'final') return { id, status, height: outcome.height, problem: null }
  if (outcome.status !== 'rejected') return { id, status, height: null, problem: null }
  const { code, detail } = outcome
  const mor = catalogue(code)?.mor ?? null
  return { id, status, height: null, problem: { code, mor, detail } }
}

/** Buffer skips what it does not know; writing it back shows whether it did. */
function fromBase64(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64')
  return bytes.length > 0 && bytes.toString('base64') === text ? bytes : undefined
}

export const submitRecords: Endpoint<'submitRecords'> = async (request, context) => {
  const { handlers, keys } = context
  const wait = waitOf(request, context)
  const key = idempotencyKey(request.headers['idempotency-key'])
  const { work, fingerprint } = submissionOf(request, context, key !== undefined)
  const outcome =
    key === undefined ? await work() : await keys.once(key, fingerprint(), performance.now(), work)
  const isWaiting = wait !== undefined && !isAnchored(outcome) && request.startWaiting()
  if (!isWaiting) return recordsAnswer(outcome, wait)
  const signal = AbortSignal.any([request.signal, AbortSignal.timeout(wait.ms)])
  const records = await handlers.waitForRecords(outcome.submission, signal)
  return recordsAnswer({ ...outcome, records }, wait)
}

interface SubmissionWork {
  work: () => Promise<SubmissionOutcome>
  fingerprint: () => Fingerprint
}

function submissionOf(
  { body, query, contentType, size, whileHere }: ApiRequest<'submitRecords'>,
  { handlers }: ApiContext,
  isKeyed: boolean,
): SubmissionWork {
  if (!(body instanceof Uint8Array)) {
    const patient = query.patient ?? null
    const { pieces, digest } = hashed(body, `upload\0${contentType}\0${patient ?? ''}\0`)
    // Gigabytes are not hashed for a key that nobody sent.
    const passing = isKeyed ? pieces : body
    const upload = { body: passing, contentType, size, patient, signal: whileHere() }
    const work = async () => accepted(await handlers.submitUpload(upload))
    return { work, fingerprint: () => digest }
  }
  if (query.patient !== undefined) {
    const detail = 'The patient of FHIR content is read from the resource. Leave it out.'
    const errors = [{ in: 'query' as const, pointer: '/patient', detail }]
    throw new ApiError('invalid_request', detail, { errors })
  }
  const submission: RecordSubmission = {
    bytes: body,
    format: contentType.endsWith('ndjson') ? 'ndjson' : 'json',
    contentType,
    isPartial: query.partial ?? false,
  }
  const work = async () => accepted(await handlers.submitRecords(submission))
  return { work, fingerprint: () => fingerprintOf(submission) }
}

/** The pieces as they pass, and their digest, for which what is left of them is read. */
function hashed(
  body: AsyncIterable<Uint8Array>,
  head: string,
): { pieces: AsyncIterable<Uint8Array>; digest: () => Promise<string> } {
  const hash = createHash('sha256').update(head)
  async function* passing(): AsyncGenerator<Uint8Array> {
    for await (const piece of body) {
      hash.update(piece)
      yield piece
    }
  }
  const pieces = passing()
  const digest = async () => {
    while ((await pieces.next()).done !== true);
    return hash.digest('hex')
  }
  return { pieces, digest }
}

function accepted(outcome: SubmissionOutcome): SubmissionOutcome {
  const { records, problems } = outcome
  if (records.length > 0) return outcome
  const [first] = problems
  const detail =
    problems.length === 1 && first !== undefined
      ? first.detail
      : `Nothing was accepted: ${problems.length} problems.`
  throw new ApiError('invalid_submission', detail, { errors: problems })
}

function recordsAnswer(outcome: SubmissionOutcome, wait: Wait | undefined): Answer {
  const records = outcome.records.map(withLinks)
  const body: Submission = { ...outcome, records }
  if (wait !== undefined) {
    if (isAnchored(outcome)) return { status: 201, headers: { ...fresh, ...wait.headers }, body }
    return { status: 202, headers: { ...fresh, ...RETRY_AFTER, ...wait.headers }, body }
  }
  const isNew = records.some(({ status }) => status === 'accepted' || status === 'received')
  return { status: isNew ? 202 : 200, headers: fresh, body }
}

function isAnchored({ records }: SubmissionOutcome): boolean {
  return records.every(({ height }) => height !== null)
}

function fingerprintOf({ bytes, contentType, isPartial }: RecordSubmission): string {
  const head = new TextEncoder().encode(`records\0${contentType}\0${isPartial}\0`)
  return toHex(sha256(head, bytes))
}

function idempotencyKey(header: string | undefined): string | undefined {
  if (header === undefined) return undefined
  const groups = IDEMPOTENCY_KEY.exec(header)?.groups
  const key = groups?.['quoted'] ?? groups?.['plain']
  if (key === undefined) {
    const detail = 'The key is 1 to 255 visible ASCII characters, in quotation marks or without.'
    throw new ApiError('invalid_idempotency_key', detail)
  }
  return key
}

function waitOf({ query, headers }: WaitParts, { limits }: ApiContext): Wait | undefined {
  const { waitMsMax } = limits
  if (query.wait === 'final') {
    const ms = query.timeout === undefined ? DEFAULT_WAIT_MS : durationMs(query.timeout)
    if (ms <= waitMsMax) return { ms, headers: {} }
    const detail = `The timeout is at most ${waitMsMax / 1_000}s.`
    const errors = [{ in: 'query' as const, pointer: '/timeout', detail }]
    throw new ApiError('invalid_request', detail, { errors })
  }
  const seconds = PREFER_WAIT.exec(headers.prefer ?? '')?.groups?.['seconds']
  if (seconds === undefined) return undefined
  const applied = Math.min(Number(seconds), waitMsMax / 1_000)
  return { ms: applied * 1_000, headers: { 'preference-applied': `wait=${applied}` } }
}

function durationMs(text: string): number {
  const groups = DURATION.exec(text)?.groups
  return Number(groups?.['amount']) * (UNIT_MS[groups?.['unit'] ?? ''] ?? NaN)
}
