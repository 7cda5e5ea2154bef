/**
 * The part of the client that is about the vault: content in pieces, grants, checks and repairs.
 *
 * What takes long has no total time-out. It ends when nothing moves for as long as an answer may
 * take, or when the caller says so.
 */

import type { Submission } from './answers.ts'
import type { Call, Http, PageOptions } from './client.ts'
import type { TimelinePage } from './timeline-answers.ts'
import type {
  PractitionerChallenge,
  ReadablePage,
  RecordVersions,
  ShownFieldsPage,
  Vault,
  VaultStep,
} from './vault-answers.ts'

export interface RecordFile {
  bytes: Uint8Array
  contentType: string
}

export interface RecordStream {
  contentType: string
  size: number
  /** Digest of the access entry that the read left. */
  entry: string | null
  /** Whether the chain has it, as the node that read it sees; in which block, as far as it knows. */
  anchored: { isAnchored: boolean; height: number | null }
  /** Whose shards were skipped. */
  badHolders: { holder: string; code: string }[]
  /** Throws `incomplete` when less arrives than was announced. */
  body: AsyncIterable<Uint8Array>
}

export interface UploadOptions {
  contentType: string
  /** A FHIR reference or bare number; without it the record is the institution's own. */
  patient?: string
  size?: number
  idempotencyKey?: string
  waitMs?: number
  signal?: AbortSignal
}

export interface GrantParts {
  patient: string
  recipient: string
  classes: readonly string[]
  purposes: readonly string[]
  notBefore?: string
  expiresAt: string
}

export interface Practitioner {
  /** Ed25519, hex. */
  key: string
  /** Of what the node wants signed; both hex. @throws when it should not be signed */
  sign(toSign: string): string
}

export interface UnderGrant {
  /** The grant document as text. */
  grant: string
  purpose: string
  /** Who at the organisation of the node looks. */
  person?: string | undefined
  /** A practitioner, whose signature goes with every request of the node; the key stays where it is. */
  practitioner?: Practitioner | undefined
}

/** Nothing moves while a node asks slow holders, so this is longer than for a plain answer. */
const QUIET_MS = 60_000
const JSON_TYPE = 'application/json'

const recordPath = (id: string) => `/v1/records/${encodeURIComponent(id)}`
interface Signing {
  readonly asked?: object
  /** What was to be signed for this call, with the signature. */
  readonly signed?: { challenge: string; signature: string }
}

/** A reading asks for two signatures at most; each is an answer of its own. */
const SIGNATURES_MAX = 4
const TO_SIGN = 202

const underGrant = (
  { grant, purpose, person, practitioner }: UnderGrant,
  more: Signing = {},
): Call => ({
  method: 'POST',
  headers: { 'content-type': JSON_TYPE },
  body: JSON.stringify({
    grant: JSON.parse(grant),
    purpose,
    person,
    ...(practitioner && { practitioner: { key: practitioner.key, ...more.signed } }),
    ...more.asked,
  }),
})
export interface OwnReading {
  purpose?: string | undefined
  /** Who at the organisation of the node looks. */
  person?: string | undefined
}

const ownReading = ({ purpose, person }: OwnReading): Call => ({ query: { purpose, person } })

export class IncompleteAnswer extends Error {
  constructor(bytes: number, size: number, cause?: unknown) {
    super(`The answer broke off after ${bytes} of ${size} bytes; the log of the node says why.`, {
      cause,
    })
    this.name = 'IncompleteAnswer'
  }
}

export function waitQuery(waitMs: number | undefined): Record<string, string> {
  return waitMs === undefined ? {} : { wait: 'final', timeout: `${waitMs}ms` }
}

export function vaultCalls(http: Http) {
  const { read } = http
  const open = (path: string, call: Call = {}) => openContent(http, path, call)
  const list = <T extends object>(
    path: string,
    under: UnderGrant,
    { asked = {}, page }: { asked?: object; page: PageOptions },
  ) =>
    signing<T>(under, (signed) =>
      read<T | PractitionerChallenge>(path, {
        ...underGrant(under, { asked, ...signed }),
        query: { ...page },
        waitMs: QUIET_MS,
      }),
    )
  return {
    /** One record of any media type, in pieces. */
    uploadRecord: (body: AsyncIterable<Uint8Array>, options: UploadOptions) =>
      upload(http, body, options),
    /** As a whole; `openRecord` for what may be large. */
    recordContent: async (id: string, how: OwnReading = {}) =>
      whole(await open(`${recordPath(id)}/content`, ownReading(how))),
    openRecord: (id: string, how: OwnReading = {}) =>
      open(`${recordPath(id)}/content`, ownReading(how)),
    readRecord: (id: string, under: UnderGrant) =>
      signing(under, (signed) =>
        openToSign(http, `${recordPath(id)}/read`, underGrant(under, signed)),
      ),
    readable: (under: UnderGrant & { records?: readonly string[] }, page: PageOptions = {}) => {
      const { records } = under
      return list<ReadablePage>('/v1/reads', under, { asked: { records }, page })
    },
    /** A patient reads a record of their own. */
    openOwnRecord: (id: string) => open(`/v1/patient/records/${encodeURIComponent(id)}/content`),
    readFields: (under: UnderGrant, page: PageOptions = {}) =>
      list<ShownFieldsPage>('/v1/reads/fields', under, { page }),
    grantedTimeline: (under: UnderGrant, page: PageOptions = {}) =>
      list<TimelinePage>('/v1/timeline', under, { page }),
    recordHistory: (id: string, page: PageOptions = {}) =>
      read<RecordVersions>(`${recordPath(id)}/history`, { query: { ...page } }),
    /** The disclosure as text, to be kept as it is. */
    disclose: (id: string, fields: readonly string[]) =>
      http.text(`${recordPath(id)}/disclose`, jsonCall({ fields })),
    /** The grant document as text, to be kept as it is. */
    createGrant: (grant: GrantParts) => http.text('/v1/grants', jsonCall(grant)),
    vault: () => read<Vault>('/v1/vault'),
    verifyVault: ({ full, signal }: { full?: boolean; signal?: AbortSignal } = {}) =>
      readSteps(http, '/v1/vault/verify', { full }, signal),
    repairVault: ({ immediate, signal }: { immediate?: boolean; signal?: AbortSignal } = {}) =>
      readSteps(http, '/v1/vault/repair', { immediate }, signal),
  }
}

function jsonCall(body: object): Call {
  const headers = { 'content-type': JSON_TYPE }
  return { method: 'POST', headers, body: JSON.stringify(body), waitMs: QUIET_MS }
}

async function upload(
  http: Http,
  body: AsyncIterable<Uint8Array>,
  { contentType, patient, size, idempotencyKey, waitMs, signal }: UploadOptions,
): Promise<Submission> {
  const watch = new Watch(QUIET_MS + (waitMs ?? 0), signal)
  const headers: Record<string, string> = { 'content-type': contentType }
  if (size !== undefined) headers['content-length'] = String(size)
  if (idempotencyKey !== undefined) headers['idempotency-key'] = idempotencyKey
  const source = body[Symbol.asyncIterator]()
  let failure: unknown = null
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const next = await source.next()
        watch.moved()
        if (next.done === true) controller.close()
        else controller.enqueue(next.value)
      } catch (error) {
        failure = error
        controller.error(error)
      }
    },
    cancel: async () => {
      await source.return?.()
    },
  })
  const query = { patient, ...waitQuery(waitMs) }
  const call = { method: 'POST' as const, query, headers, body: stream, signal: watch.signal }
  try {
    return JSON.parse(await http.text('/v1/records', call))
  } catch (error) {
    throw failure ?? error
  } finally {
    watch.end()
  }
}

/** Called again with each signature, until the reading has what it needs. */
async function signing<T extends object>(
  { practitioner }: UnderGrant,
  call: (signed: Signing) => Promise<T | PractitionerChallenge>,
): Promise<T> {
  let found = await call({})
  for (let count = 0; isToSign(found); count += 1) {
    if (practitioner === undefined || count === SIGNATURES_MAX)
      throw new TypeError('the node asks for a signature that it should not need')
    const { challenge, toSign } = found
    found = await call({ signed: { challenge, signature: practitioner.sign(toSign) } })
  }
  return found
}

function isToSign(answer: object): answer is PractitionerChallenge {
  return 'toSign' in answer
}

async function openContent(http: Http, path: string, call: Call): Promise<RecordStream> {
  const found = await openToSign(http, path, call)
  if (isToSign(found)) throw new TypeError('the node asks for a signature that nobody offered')
  return found
}

async function openToSign(
  http: Http,
  path: string,
  call: Call,
): Promise<RecordStream | PractitionerChallenge> {
  const watch = new Watch(QUIET_MS)
  const headers = { ...call.headers, accept: '*/*' }
  try {
    const response = await http.send(path, { ...call, headers, signal: watch.signal })
    watch.moved()
    if (response.status === TO_SIGN) {
      const challenge: PractitionerChallenge = JSON.parse(await response.text())
      watch.end()
      return challenge
    }
    const size = Number(response.headers.get('content-length'))
    return {
      contentType: response.headers.get('content-type') ?? 'application/octet-stream',
      size,
      entry: response.headers.get('mooring-access-entry'),
      anchored: anchoredOf(response.headers.get('mooring-anchored')),
      badHolders: badHoldersOf(response.headers.get('mooring-bad-holders')),
      body: counted(http, piecesOf(response, watch), size),
    }
  } catch (error) {
    watch.end()
    throw error
  }
}

async function* counted(
  http: Http,
  pieces: AsyncIterable<Uint8Array>,
  size: number,
): AsyncGenerator<Uint8Array> {
  let bytes = 0
  const incomplete = (cause?: unknown) => http.failure(new IncompleteAnswer(bytes, size, cause))
  try {
    for await (const piece of pieces) {
      bytes += piece.length
      yield piece
    }
  } catch (error) {
    const isTimeout = error instanceof Error && error.name === 'TimeoutError'
    throw isTimeout ? http.failure(error) : incomplete(error)
  }
  if (bytes !== size) throw incomplete()
}

async function* readSteps(
  http: Http,
  path: string,
  body: object,
  signal?: AbortSignal,
): AsyncGenerator<VaultStep> {
  const watch = new Watch(QUIET_MS, signal)
  try {
    const headers = { 'content-type': JSON_TYPE, accept: 'application/x-ndjson' }
    const text = JSON.stringify(body)
    const call = { method: 'POST' as const, headers, body: text, signal: watch.signal }
    const response = await http.send(path, call)
    const decoder = new TextDecoder()
    let rest = ''
    for await (const piece of piecesOf(response, watch)) {
      rest += decoder.decode(piece, { stream: true })
      const lines = rest.split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) yield JSON.parse(line)
    }
  } catch (error) {
    throw http.failure(error)
  } finally {
    watch.end()
  }
}

async function* piecesOf(response: Response, watch: Watch): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader()
  if (reader === undefined) return
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      watch.moved()
      yield next.value
    }
  } finally {
    watch.end()
    await reader.cancel().catch(() => undefined)
  }
}

async function whole({ body, contentType }: RecordStream): Promise<RecordFile> {
  const pieces: Uint8Array[] = []
  let size = 0
  for await (const piece of body) {
    pieces.push(piece)
    size += piece.length
  }
  const bytes = new Uint8Array(size)
  let at = 0
  for (const piece of pieces) {
    bytes.set(piece, at)
    at += piece.length
  }
  return { bytes, contentType }
}

function anchoredOf(header: string | null): RecordStream['anchored'] {
  const isAnchored = header !== null && header !== 'pending'
  const height = Number(header)
  return { isAnchored, height: isAnchored && Number.isInteger(height) ? height : null }
}

function badHoldersOf(header: string | null): { holder: string; code: string }[] {
  if (header === null) return []
  return header.split(', ').map((text) => {
    const [holder = '', code = ''] = text.split(';')
    return { holder, code }
  })
}

/** Aborts when nothing has moved for so long. */
class Watch {
  readonly signal: AbortSignal
  readonly #quiet = new AbortController()
  readonly #ms: number
  #timer: ReturnType<typeof setTimeout>
  #isOver = false

  constructor(ms: number, caller?: AbortSignal) {
    this.#ms = ms
    this.signal =
      caller === undefined ? this.#quiet.signal : AbortSignal.any([caller, this.#quiet.signal])
    this.#timer = this.#start()
  }

  moved(): void {
    if (this.#isOver) return
    clearTimeout(this.#timer)
    this.#timer = this.#start()
  }

  end(): void {
    this.#isOver = true
    clearTimeout(this.#timer)
  }

  #start(): ReturnType<typeof setTimeout> {
    const reason = new DOMException('Nothing has moved for too long.', 'TimeoutError')
    return setTimeout(() => this.#quiet.abort(reason), this.#ms)
  }
}
