/**
 * The other half of the contract: one function for each route, over `fetch` and nothing else.
 *
 * It runs in Node and in a browser. Answers are typed by the schemas that the server writes with; what
 * is not 2xx is thrown as `ApiProblem`, also when no node answers at all. Nothing is retried here,
 * except that `follow` opens its event stream again where the last one ended.
 *
 * The node is not trusted by being asked: `verify.ts` checks its proofs.
 */

import type {
  Block,
  BlockPage,
  Health,
  Peers,
  RecordPage,
  Status,
  StoredRecord,
  Submission,
  SubmittedTransaction,
  Transaction,
  TransactionResults,
  Verification,
} from './answers.ts'
import type { ProblemDocument, ProblemItem } from './errors.ts'
import { readEvents, type ServerEvent } from './event-reader.ts'
import type { EventType } from './handlers.ts'
import type {
  Change,
  ChangePreview,
  Changes,
  Epochs,
  Members,
  Network,
} from './membership-answers.ts'
import type { Checkpoint } from './checkpoint-answers.ts'
import type { Pruned, PrunePlan, Snapshot, Snapshots } from './storage-answers.ts'
import type { Access, AccessOutcome, AccessPage } from './access-answers.ts'
import type { Evidence, EvidencePage } from './evidence-answers.ts'
import { erasureCalls } from './erasure-client.ts'
import { adminCalls } from './admin-client.ts'
import { identityCalls } from './identity-client.ts'
import { emergencyCalls } from './emergency-client.ts'
import { patientCalls } from './patient-client.ts'
import { timelineCalls } from './timeline-client.ts'
import { IncompleteAnswer, vaultCalls, waitQuery } from './vault-client.ts'

export interface ClientOptions {
  /** How long an answer may take, waiting for finality not counted. */
  timeoutMs?: number
  headers?: Record<string, string>
  /** The `Authorization` of each call, made from what is sent; such a client sends no body in pieces. */
  authorize?: (call: SentCall) => string
  fetch?: typeof globalThis.fetch
}

export interface SentCall {
  method: 'GET' | 'POST'
  /** With the query, as the node sees it. */
  path: string
  body: Uint8Array
}

export interface WaitOptions {
  /** Answer after finality, or after this time. */
  waitMs?: number
}

export interface RecordsOptions extends WaitOptions {
  contentType: string
  isPartial?: boolean
  idempotencyKey?: string
}

export interface PageOptions {
  limit?: number
  cursor?: string
}

export interface AccessFilter {
  organisation?: string
  custodian?: string
  outcome?: AccessOutcome
  open?: boolean
}

export interface EventOptions {
  types?: readonly EventType[]
  /** First height. */
  from?: number
  /** Id of the last event received; goes before `from`. */
  lastEventId?: string
  signal?: AbortSignal
}

/** What the node refused; `unreachable` or `timeout`, with status 0, when there was no answer. */
export class ApiProblem extends Error {
  readonly code: string
  readonly status: number
  readonly title: string
  readonly detail: string
  readonly mor: string | undefined
  readonly instance: string | undefined
  readonly errors: readonly ProblemItem[]
  readonly retryAfterMs: number | undefined

  constructor(
    problem: Partial<ProblemDocument> & { code: string; status: number },
    cause?: unknown,
  ) {
    const title = problem.title ?? problem.code
    const detail = problem.detail ?? title
    super(detail, cause === undefined ? undefined : { cause })
    this.name = 'ApiProblem'
    this.code = problem.code
    this.status = problem.status
    this.title = title
    this.detail = detail
    this.mor = problem.mor
    this.instance = problem.instance
    this.errors = problem.errors ?? []
    this.retryAfterMs = problem.retryAfterMs
  }
}

export type Client = ReturnType<typeof createClient>

const DEFAULT_TIMEOUT_MS = 10_000
/** Both work through the disk. */
const SNAPSHOT_MS = 600_000
const PRUNE_MS = 600_000
const RECONNECT_MS = 3_000

export interface Call {
  method?: 'POST'
  query?: Record<string, string | number | boolean | undefined>
  headers?: Record<string, string>
  body?: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | string
  waitMs?: number | undefined
  signal?: AbortSignal | undefined
}

/** @param endpoint base address, for example `http://127.0.0.1:7421`. */
export function createClient(endpoint: string, options: ClientOptions = {}) {
  const http = createHttp(endpoint, options)
  const { read, text } = http
  return {
    ...submitting(http),
    ...vaultCalls(http),
    ...patientCalls(http),
    ...identityCalls(http),
    ...emergencyCalls(http),
    ...erasureCalls(http),
    ...timelineCalls(http),
    admin: adminCalls(http),
    live: (verbose = false) => read<Health>('/livez', { query: { verbose } }),
    ready: (verbose = false) => read<Health>('/readyz', { query: { verbose } }),
    status: () => read<Status>('/v1/status'),
    network: () => read<Network>('/v1/network'),
    /** The genesis file as text; the caller compares its digest. */
    genesis: () => text('/v1/genesis'),
    members: () => read<Members>('/v1/members'),
    epochs: () => read<Epochs>('/v1/epochs'),
    changes: (query: { status?: 'open' | 'passed' } = {}) =>
      read<Changes>('/v1/changes', { query }),
    change: (id: string) => read<Change>(`/v1/changes/${encodeURIComponent(id)}`),
    checkpoint: (height: number | 'latest') => read<Checkpoint>(`/v1/checkpoints/${height}`),
    snapshots: () => read<Snapshots>('/v1/snapshots'),
    snapshotManifest: (height: number) => readBytes(http, `/v1/snapshots/${height}/manifest`),
    snapshotChunk: (height: number, index: number) =>
      readBytes(http, `/v1/snapshots/${height}/chunks/${index}`),
    pruning: () => read<PrunePlan>('/v1/pruning'),
    /** The access log of this node, newest first. */
    accessList: (query: AccessFilter & PageOptions = {}) =>
      read<AccessPage>('/v1/access', { query: { ...query } }),
    access: (id: string, query: { open?: boolean } = {}) =>
      read<Access>(`/v1/access/${encodeURIComponent(id)}`, { query }),
    evidenceList: (page: PageOptions = {}) =>
      read<EvidencePage>('/v1/evidence', { query: { ...page } }),
    evidence: (id: string) => read<Evidence>(`/v1/evidence/${encodeURIComponent(id)}`),
    /** Its encoding, as a removal proposal takes it. */
    evidenceBytes: (id: string) =>
      readBytes(http, `/v1/evidence/${encodeURIComponent(id)}/content`),
    peers: () => read<Peers>('/v1/peers'),
    blocks: (page: PageOptions = {}) => read<BlockPage>('/v1/blocks', { query: { ...page } }),
    /** By height, by digest, or the latest. */
    block: (name: number | string) => read<Block>(`/v1/blocks/${encodeURIComponent(name)}`),
    transaction: (id: string) => read<Transaction>(`/v1/transactions/${encodeURIComponent(id)}`),
    records: (page: PageOptions & { type?: string } = {}) =>
      read<RecordPage>('/v1/records', { query: { ...page } }),
    record: (id: string) => read<StoredRecord>(`/v1/records/${encodeURIComponent(id)}`),
    /** The proof file as text, to be kept as it is. */
    proof: (id: string, { withOpening }: { withOpening?: boolean } = {}) =>
      text(`/v1/proofs/${encodeURIComponent(id)}`, { query: { opening: withOpening } }),
    openApi: () => read<Record<string, unknown>>('/openapi.json'),
    /** One connection; ends when the node ends it, throws when it breaks. */
    events: (query: EventOptions = {}) => readStream(http, query),
    /** The same across connections, without gap or duplicate, until the signal aborts. */
    follow: (query: EventOptions & { signal: AbortSignal }) => follow(http, query),
  }
}

function submitting({ post }: Http) {
  return {
    submitTransaction: (transaction: Uint8Array, { waitMs }: WaitOptions = {}) =>
      post<SubmittedTransaction>('/v1/transactions', 'application/cbor', {
        body: transaction.slice(),
        query: waitQuery(waitMs),
        waitMs,
      }),
    /** What a signed proposal would do; nothing is submitted. */
    previewChange: (transaction: Uint8Array) =>
      post<ChangePreview>('/v1/changes/preview', 'application/cbor', {
        body: transaction.slice(),
      }),
    /** Of the newest block; the answer comes when it is on the disk. */
    createSnapshot: () =>
      post<Snapshot>('/v1/snapshots', 'application/json', { body: '{}', waitMs: SNAPSHOT_MS }),
    prune: () => post<Pruned>('/v1/pruning', 'application/json', { body: '{}', waitMs: PRUNE_MS }),
    submitTransactions: (transactions: readonly Uint8Array[], { waitMs }: WaitOptions = {}) =>
      post<TransactionResults>('/v1/transactions', 'application/json', {
        body: JSON.stringify({ transactions: transactions.map(toBase64) }),
        query: waitQuery(waitMs),
        waitMs,
      }),
    submitRecords: (bytes: Uint8Array, { contentType, ...rest }: RecordsOptions) =>
      post<Submission>('/v1/records', contentType, {
        body: bytes.slice(),
        query: { partial: rest.isPartial, ...waitQuery(rest.waitMs) },
        headers:
          rest.idempotencyKey === undefined ? {} : { 'idempotency-key': rest.idempotencyKey },
        waitMs: rest.waitMs,
      }),
    /** Asks the node to verify; `verify.ts` does it without trusting one. */
    verifyProof: (document: string) =>
      post<Verification>('/v1/proofs/verify', 'application/json', { body: document }),
  }
}

export interface Http {
  readonly send: (path: string, call?: Call) => Promise<Response>
  readonly text: (path: string, call?: Call) => Promise<string>
  readonly read: <T>(path: string, call?: Call) => Promise<T>
  readonly post: <T>(path: string, type: string, call: Call) => Promise<T>
  /** What arrives, or a failure on the way as `ApiProblem`. */
  readonly reached: <T>(answer: Promise<T>) => Promise<T>
  /** Of what is no answer of a node. */
  readonly failure: (cause: unknown) => ApiProblem
}

function createHttp(endpoint: string, options: ClientOptions): Http {
  const { timeoutMs = DEFAULT_TIMEOUT_MS, fetch = globalThis.fetch } = options
  const http: Http = {
    reached: async (answer) => {
      try {
        return await answer
      } catch (cause) {
        throw http.failure(cause)
      }
    },
    failure: (cause) => (cause instanceof ApiProblem ? cause : noAnswer(endpoint, cause)),
    send: async (path, call = {}) => {
      const { method = 'GET', body, waitMs = 0 } = call
      const url = urlOf(endpoint, path, call.query)
      const headers = {
        accept: 'application/json',
        ...authorized(options, { method, path: signedPath(endpoint, url), body }),
        ...options.headers,
        ...call.headers,
      }
      const signal = call.signal ?? AbortSignal.timeout(timeoutMs + waitMs)
      // Only a body in pieces needs `duplex`, and fetch insists on it.
      const sent = body === undefined ? {} : { body, duplex: 'half' as const }
      const request = { method, headers, signal, ...sent }
      const response = await http.reached(fetch(url, request))
      if (response.ok) return response
      throw problemIn(response, await http.reached(response.text()))
    },
    text: async (path, call) => http.reached((await http.send(path, call)).text()),
    read: async (path, call) => JSON.parse(await http.text(path, call)),
    post: (path, type, call) => {
      const headers = { 'content-type': type, ...call.headers }
      return http.read(path, { ...call, method: 'POST', headers })
    },
  }
  return http
}

/** As the node sees it: a proxy in front of it takes the path of the endpoint off. */
function signedPath(endpoint: string, url: string): string {
  const base = new URL(endpoint).pathname.replace(/\/+$/, '')
  const { pathname, search } = new URL(url)
  return `${pathname.slice(base.length)}${search}`
}

function authorized(
  { authorize }: ClientOptions,
  { method, path, body }: { method: 'GET' | 'POST'; path: string; body: Call['body'] | undefined },
): Record<string, string> {
  if (authorize === undefined) return {}
  if (body instanceof ReadableStream) throw new TypeError('a body in pieces cannot be signed')
  const sent = typeof body === 'string' ? new TextEncoder().encode(body) : body
  return { authorization: authorize({ method, path, body: sent ?? new Uint8Array(0) }) }
}

async function readBytes(http: Http, path: string): Promise<Uint8Array> {
  const response = await http.send(path, { headers: { accept: '*/*' } })
  return new Uint8Array(await http.reached(response.arrayBuffer()))
}

async function* readStream(
  http: Http,
  query: EventOptions,
  onRetry?: (ms: number) => void,
): AsyncGenerator<ServerEvent> {
  const { types, from, lastEventId, signal = new AbortController().signal } = query
  const headers: Record<string, string> = { accept: 'text/event-stream' }
  if (lastEventId !== undefined) headers['last-event-id'] = lastEventId
  const call = { query: { types: types?.join(','), from }, headers, signal }
  try {
    const { body } = await http.send('/v1/events', call)
    if (body !== null) yield* readEvents(body, onRetry)
  } catch (error) {
    if (signal.aborted) return
    throw error instanceof ApiProblem ? error : http.failure(error)
  }
}

async function* follow(
  http: Http,
  query: EventOptions & { signal: AbortSignal },
): AsyncGenerator<ServerEvent> {
  let resumed: EventOptions = query
  let retryMs = RECONNECT_MS
  const onRetry = (ms: number) => {
    retryMs = ms
  }
  while (!query.signal.aborted) {
    try {
      for await (const event of readStream(http, resumed, onRetry)) {
        resumed = event.id === null ? resumed : { ...resumed, lastEventId: event.id }
        yield event
      }
    } catch (error) {
      const isRefused = error instanceof ApiProblem && error.status >= 400 && error.status < 500
      if (isRefused) throw error
    }
    await pause(retryMs, query.signal)
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    const stop = () => {
      clearTimeout(timer)
      resolve()
    }
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
  })
}

function urlOf(endpoint: string, path: string, query: Call['query'] = {}): string {
  const url = new URL(`${endpoint.replace(/\/+$/, '')}${path}`)
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) url.searchParams.set(name, String(value))
  }
  return url.href
}

function toBase64(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return btoa(text)
}

function problemIn({ status, headers }: Response, body: string): ApiProblem {
  if (headers.get('content-type')?.startsWith('application/problem+json') !== true) {
    const detail = `The answer has status ${status} and is not from a Mooring node.`
    return new ApiProblem({ code: 'foreign_answer', status, title: 'Foreign answer', detail })
  }
  const problem: ProblemDocument = JSON.parse(body)
  return new ApiProblem(problem)
}

function noAnswer(endpoint: string, cause: unknown): ApiProblem {
  if (cause instanceof IncompleteAnswer) {
    return new ApiProblem(
      { code: 'incomplete', status: 0, title: 'The answer is incomplete', detail: cause.message },
      cause,
    )
  }
  const isTimeout = cause instanceof Error && cause.name === 'TimeoutError'
  const code = isTimeout ? 'timeout' : 'unreachable'
  const what = isTimeout ? 'did not answer in time' : 'cannot be reached'
  return new ApiProblem({ code, status: 0, title: what, detail: `${endpoint} ${what}.` }, cause)
}
