/**
 * Everything this API refuses, and how a refusal looks.
 *
 * Inside, a refusal is an `ApiError` with a code of this package, or the error of a lower package
 * with its own code. Outside, it is problem details (RFC 9457): the code for programs, the MOR number
 * and the title for people, one sentence of detail, and the request's id so that an operator finds the
 * log line. Texts and numbers come from the catalogue of `node`; the table here is what holds without one.
 * What nobody foresaw is `internal_error`: its cause is logged and never sent.
 */

const REFUSALS = {
  invalid_request: [400, 'The request does not match its schema'],
  malformed_request: [400, 'The request is not valid HTTP'],
  malformed_body: [400, 'The body cannot be read'],
  invalid_cursor: [400, 'The cursor was not made by this node for this list'],
  invalid_idempotency_key: [400, 'The Idempotency-Key header cannot be used'],
  credentials_missing: [401, 'The request shows neither a token nor a certificate'],
  token_unknown: [401, 'The token is none of this node'],
  token_expired: [401, 'The token has expired'],
  token_revoked: [401, 'The token was revoked'],
  certificate_expired: [401, 'The certificate has expired'],
  certificate_refused: [401, 'The certificate is not accepted'],
  certificate_unknown: [403, 'No role is set for this certificate'],
  role_missing: [403, 'The role of the caller does not permit this'],
  admin_socket_only: [403, 'This is served on the admin socket alone'],
  patient_unsigned: [401, 'The request is not signed by a patient'],
  foreign_origin: [403, 'A page of another site may not ask this'],
  unknown_route: [404, 'There is nothing at this address'],
  unknown_block: [404, 'No final block has this height or digest'],
  unknown_transaction: [404, 'No transaction has this id'],
  unknown_change: [404, 'No change has this id'],
  unknown_evidence: [404, 'No evidence has this id'],
  unknown_grant: [404, 'No grant has this handle'],
  unknown_access: [404, 'The access log has no line with this id'],
  unknown_erasure: [404, 'Nobody has asked that this record be erased'],
  unknown_record: [404, 'No record has this id'],
  unknown_proof: [404, 'No record or transaction has this id'],
  proof_not_ready: [404, 'The proof exists only after finality'],
  method_not_allowed: [405, 'The address does not take this method'],
  request_timeout: [408, 'The request did not arrive in time'],
  idempotency_in_flight: [409, 'A request with this Idempotency-Key is still running'],
  body_too_large: [413, 'The body is too large'],
  unsupported_media_type: [415, 'The content type is not accepted here'],
  unknown_host: [421, 'This node does not answer to that host name'],
  invalid_submission: [422, 'The submission was refused'],
  malformed_transaction: [422, 'The transaction cannot be read'],
  idempotency_key_reused: [422, 'The Idempotency-Key was used for another request'],
  too_many_requests: [429, 'Too many requests'],
  headers_too_large: [431, 'The header fields are too large'],
  internal_error: [500, 'Something failed inside the node'],
  address_in_use: [500, 'The address is in use'],
  listen_failed: [500, 'The address cannot be listened on'],
  overloaded: [503, 'The node has too many requests in flight'],
  too_many_streams: [503, 'The node has too many event streams open'],
  closing: [503, 'The node is shutting down'],
  not_ready: [503, 'The node is not ready'],
  not_live: [503, 'The node is not live'],
} as const satisfies Record<string, readonly [number, string]>

export type ApiCode = keyof typeof REFUSALS

/** One part of what is wrong: a place in the request, or an entry of a submission. */
export interface ProblemItem {
  detail: string
  code?: string | undefined
  in?: 'body' | 'query' | 'path' | 'header' | undefined
  pointer?: string | undefined
  entry?: number | null | undefined
  line?: number | undefined
  column?: number | undefined
}

export interface ProblemDocument {
  type: string
  title: string
  status: number
  detail: string
  instance: string
  code: string
  mor?: string
  errors?: ProblemItem[]
  retryAfterMs?: number
}

export interface CatalogueEntry {
  mor: string
  title: string
  status: number
}

/** The text and number of any package's code; supplied by `node`. */
export type Catalogue = (code: string) => CatalogueEntry | undefined

export interface ApiErrorOptions {
  errors?: ProblemItem[]
  retryAfterMs?: number
  headers?: Record<string, string>
  cause?: unknown
}

export class ApiError extends Error {
  readonly code: ApiCode
  readonly status: number
  readonly detail: string
  readonly errors: ProblemItem[] | undefined
  readonly retryAfterMs: number | undefined
  readonly headers: Record<string, string>

  constructor(code: ApiCode, detail: string, options: ApiErrorOptions = {}) {
    super(detail, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'ApiError'
    this.code = code
    this.status = REFUSALS[code][0]
    this.detail = detail
    this.errors = options.errors
    this.retryAfterMs = options.retryAfterMs
    this.headers = options.headers ?? {}
  }
}

/** Another package's reason, on its way to the client: `refuse('bad_signature', 'The …')`. */
export class Refusal extends Error {
  readonly code: string
  readonly errors: ProblemItem[] | undefined

  constructor(code: string, detail: string, errors?: ProblemItem[]) {
    super(detail)
    this.name = 'Refusal'
    this.code = code
    this.errors = errors
  }
}

/** No failure: the same call goes on when it comes with a practitioner's signature over this. */
export class SignatureNeeded extends Error {
  readonly challenge: string
  readonly toSign: Uint8Array

  constructor(challenge: string, toSign: Uint8Array) {
    super('a practitioner has to sign')
    this.name = 'SignatureNeeded'
    this.challenge = challenge
    this.toSign = toSign
  }
}

export const PROBLEM_TYPE = 'application/problem+json'

const REFUSED_STATUS = 422
const BUSY_STATUSES: readonly number[] = [429, 503]
const BUSY_RETRY_MS = 1_000

export interface Answerable {
  status: number
  headers: Record<string, string>
  body: ProblemDocument
}

/** Problem details for whatever was thrown; `undefined` when it is nothing a client may read. */
export function problemOf(
  error: unknown,
  catalogue: Catalogue,
  requestId: string,
): Answerable | undefined {
  if (error instanceof ApiError) return fromApiError(error, catalogue, requestId)
  const code = codeOf(error)
  const entry = code === undefined ? undefined : catalogue(code)
  if (error instanceof Refusal) {
    const status = entry?.status ?? REFUSED_STATUS
    const title = entry?.title ?? 'The request was refused'
    const parts = { code: error.code, status, title, detail: error.message, errors: error.errors }
    return answerable({ ...parts, mor: entry?.mor, retryAfterMs: undefined }, requestId, {})
  }
  if (code === undefined || entry === undefined || entry.status === 500) return undefined
  // Another package's sentence may name a path of this machine: the title alone travels.
  const parts = { ...entry, code, detail: `${entry.title}.`, errors: undefined }
  return answerable({ ...parts, retryAfterMs: undefined }, requestId, {})
}

export function internalProblem(catalogue: Catalogue, requestId: string): Answerable {
  const detail = 'The request failed. The node has logged the cause under this request id.'
  return fromApiError(new ApiError('internal_error', detail), catalogue, requestId)
}

export function problemItem(
  catalogue: Catalogue,
  code: string,
  detail: string,
): { code: string; mor: string | null; detail: string } {
  return { code, mor: catalogue(code)?.mor ?? null, detail }
}

function fromApiError(error: ApiError, catalogue: Catalogue, requestId: string): Answerable {
  const entry = catalogue(error.code)
  const { code, status, detail, errors, retryAfterMs } = error
  const title = entry?.title ?? REFUSALS[code][1]
  const parts = { code, status, title, detail, errors, retryAfterMs, mor: entry?.mor }
  return answerable(parts, requestId, error.headers)
}

interface ProblemParts {
  code: string
  status: number
  title: string
  detail: string
  mor: string | undefined
  errors: ProblemItem[] | undefined
  retryAfterMs: number | undefined
}

function answerable(
  parts: ProblemParts,
  requestId: string,
  headers: Record<string, string>,
): Answerable {
  const { code, status, title, detail, mor, errors } = parts
  const isBusy = BUSY_STATUSES.includes(status)
  const retryAfterMs = parts.retryAfterMs ?? (isBusy ? BUSY_RETRY_MS : undefined)
  const body: ProblemDocument = {
    type: mor === undefined ? 'about:blank' : `/errors/${mor}`,
    title,
    status,
    detail,
    instance: `urn:uuid:${requestId}`,
    code,
    ...(mor === undefined ? {} : { mor }),
    ...(errors === undefined || errors.length === 0 ? {} : { errors }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  }
  const retry: Record<string, string> =
    retryAfterMs === undefined ? {} : { 'retry-after': String(Math.ceil(retryAfterMs / 1_000)) }
  return {
    status,
    headers: { 'content-type': PROBLEM_TYPE, 'cache-control': 'no-store', ...retry, ...headers },
    body,
  }
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}
