/**
 * From a checked request to an answer, for everything that only reads.
 *
 * An endpoint knows the handlers and nothing of fastify. What is named by content (a block) may be
 * kept for ever by anyone; what changes, and everything about records, by nobody.
 */

import type { Condition, Health, StoredRecord } from './answers.ts'
import type { Cursors } from './cursors.ts'
import { ApiError, problemItem } from './errors.ts'
import type { Catalogue } from './errors.ts'
import type { ApiHandlers, BlockName } from './handlers.ts'
import type { IdempotencyKeys } from './idempotency.ts'
import type { ApiLimits } from './limits.ts'
import type { RequestParts } from './route.ts'
import { PAGE_DEFAULT } from './route-forms.ts'
import type { OperationId, Routes } from './routes.ts'
import type { AdminEndpoints } from './admin-endpoints.ts'
import type { ApiCaller } from './caller.ts'
import type { EmergencyEndpoints } from './emergency-endpoints.ts'
import type { ErasureEndpoints } from './erasure-endpoints.ts'
import type { IdentityEndpoints } from './identity-endpoints.ts'
import type { PatientEndpoints } from './patient-endpoints.ts'
import type { TimelineEndpoints } from './timeline-endpoints.ts'
import type { VaultEndpoints } from './vault-endpoints.ts'

export interface Answer {
  status: number
  headers?: Record<string, string>
  /** Text, bytes and pieces of bytes are sent as they are, anything else by the schema of its route. */
  body: unknown
}

/** What an endpoint needs besides the parts of its request. */
export interface ApiContext {
  handlers: ApiHandlers
  limits: ApiLimits
  catalogue: Catalogue
  cursors: Cursors
  keys: IdempotencyKeys
  /** JSON. */
  openApi(): Promise<string>
}

export interface Caller {
  caller: ApiCaller
  contentType: string
  /** Of the body, as announced. */
  size: number | null
  /** After `startWaiting`: aborts when the client has gone or the server closes. */
  signal: AbortSignal
  /** Aborts when the client has gone. */
  whileHere: () => AbortSignal
  /** Leaves the requests in flight; false when too many wait already. */
  startWaiting: () => boolean
}

export type ApiRequest<K extends OperationId> = RequestParts<Routes[K]> & Caller

export type Endpoint<K extends OperationId> = (
  request: ApiRequest<K>,
  context: ApiContext,
) => Answer | Promise<Answer>

type Submitting = 'submitTransactions' | 'submitRecords'
type ForPatients =
  | keyof PatientEndpoints
  | keyof IdentityEndpoints
  | keyof EmergencyEndpoints
  | keyof ErasureEndpoints
  | keyof TimelineEndpoints
type Elsewhere =
  | Submitting
  | keyof VaultEndpoints
  | ForPatients
  | keyof AdminEndpoints
  | 'streamEvents'
type Reading = Exclude<OperationId, Elsewhere>

export const JSON_TYPE = 'application/json; charset=utf-8'
export const fresh = { 'cache-control': 'no-store' }
const immutable = { 'cache-control': 'public, max-age=31536000, immutable' }
const PROOF_RETRY_MS = 1_000

export const reading: { [K in Reading]: Endpoint<K> } = {
  live: ({ query }, { handlers }) => health('not_live', handlers.live(), query),
  ready: ({ query }, { handlers }) => health('not_ready', handlers.ready(), query),
  metrics: async (_request, { handlers }) => {
    const { contentType, text } = await handlers.metrics()
    return { status: 200, headers: { ...fresh, 'content-type': contentType }, body: text }
  },
  openapi: async (_request, context) => ({
    status: 200,
    headers: { 'cache-control': 'no-cache', 'content-type': JSON_TYPE },
    body: await context.openApi(),
  }),
  getStatus: (_request, { handlers }) => current(handlers.status()),
  getNetwork: (_request, { handlers }) => current(handlers.network()),
  getGenesis: (_request, { handlers }) => {
    const { digest, json } = handlers.genesis()
    const headers = { ...immutable, etag: `"${digest}"`, 'content-type': JSON_TYPE }
    return { status: 200, headers, body: json }
  },
  listMembers: (_request, { handlers }) => current({ items: handlers.members() }),
  listEpochs: (_request, { handlers }) => current({ items: handlers.epochs() }),
  listChanges: ({ query }, { handlers }) => {
    const items = handlers.changes()
    const { status } = query
    return current({
      items: status === undefined ? items : items.filter((change) => change.status === status),
    })
  },
  getChange: ({ params }, { handlers }) => {
    const change = handlers.change(params.id)
    if (change === undefined) {
      throw new ApiError('unknown_change', 'No proposal on this chain has this id.')
    }
    return current(change)
  },
  previewChange: ({ body }, { handlers, catalogue }) => {
    const { problem, ...preview } = handlers.previewChange(body)
    const found = problem === null ? null : problemItem(catalogue, problem.code, problem.detail)
    return current({ ...preview, problem: found })
  },
  listEvidence: ({ query }, { handlers, cursors }) => {
    const limit = query.limit ?? PAGE_DEFAULT
    const before = query.cursor === undefined ? null : cursors.parse('evidence', query.cursor)
    const { items, next } = handlers.listEvidence({ before, limit })
    const nextCursor = next === null ? null : cursors.format('evidence', next)
    return pageAnswer('/v1/evidence', { limit: String(limit) }, { items, nextCursor })
  },
  getEvidence: ({ params }, { handlers }) => current(evidenceOf(handlers, params.id).evidence),
  getEvidenceBytes: ({ params }, { handlers }) => ({
    status: 200,
    headers: { ...immutable, 'content-type': 'application/cbor' },
    body: evidenceOf(handlers, params.id).bytes,
  }),
  listAccess: async ({ query }, { handlers, cursors }) => {
    const limit = query.limit ?? PAGE_DEFAULT
    const { organisation = null, custodian = null, outcome = null, open = false } = query
    const filter = { organisation, custodian, outcome, isOpen: open }
    const list = `access/${JSON.stringify(filter)}`
    const before = query.cursor === undefined ? null : cursors.parse(list, query.cursor)
    const { items, next } = await handlers.listAccess({ ...filter, before, limit })
    const nextCursor = next === null ? null : cursors.format(list, next)
    const { cursor: _, ...asked } = query
    const again = Object.entries(asked).map(([name, value]) => [name, String(value)])
    return pageAnswer('/v1/access', Object.fromEntries(again), { items, nextCursor })
  },
  getAccess: ({ params, query }, { handlers }) => {
    const found = handlers.access(params.id, { isOpen: query.open ?? false })
    if (found !== undefined) return current(found)
    throw new ApiError('unknown_access', 'The access log of this node has no such line.')
  },
  listPeers: (_request, { handlers }) => current({ items: handlers.peers() }),
  listSnapshots: async (_request, { handlers }) => current({ items: await handlers.snapshots() }),
  createSnapshot: async (_request, { handlers }) => current(await handlers.createSnapshot()),
  getSnapshotManifest: async ({ params }, { handlers }) =>
    octets(await handlers.snapshotManifest(Number(params.height))),
  getSnapshotChunk: async ({ params }, { handlers }) =>
    octets(await handlers.snapshotChunk(Number(params.height), Number(params.index))),
  getPruning: async (_request, { handlers }) => current(await handlers.pruning()),
  prune: async (_request, { handlers }) => current(await handlers.prune()),
  listBlocks: async ({ query }, { handlers, cursors }) => {
    const limit = query.limit ?? PAGE_DEFAULT
    const before = query.cursor === undefined ? null : cursors.parse('blocks', query.cursor)
    const items = await handlers.blocks({ before, limit })
    const last = items.at(-1)
    const isEnd = last === undefined || last.height === 0 || items.length < limit
    const nextCursor = isEnd ? null : cursors.format('blocks', last.height)
    return pageAnswer('/v1/blocks', { limit: String(limit) }, { items, nextCursor })
  },
  getBlock: async ({ params }, { handlers }) => {
    const name = blockName(params.block)
    const block = await handlers.block(name)
    if (block === undefined) {
      throw new ApiError('unknown_block', `There is no final block "${params.block}" here.`)
    }
    const cache = name === 'latest' ? { 'cache-control': 'no-cache' } : immutable
    return { status: 200, headers: { ...cache, etag: `"${block.digest}"` }, body: block }
  },
  getCheckpoint: ({ params }, { handlers }) => {
    const height = params.height === 'latest' ? 'latest' : Number(params.height)
    const checkpoint = handlers.checkpoint(height)
    if (checkpoint !== undefined) return current(checkpoint)
    throw new ApiError('unknown_block', `No final block is kept here at or after ${params.height}.`)
  },
  getTransaction: async ({ params }, { handlers }) => {
    const transaction = await handlers.transaction(params.id)
    if (transaction === undefined) {
      throw new ApiError('unknown_transaction', 'It is neither final nor waiting on this node.')
    }
    if (transaction.status === 'pending') return current(transaction)
    return { status: 200, headers: { ...immutable, etag: `"${params.id}"` }, body: transaction }
  },
  listRecords: async ({ query }, { handlers, cursors }) => {
    const limit = query.limit ?? PAGE_DEFAULT
    const resourceType = query.type ?? null
    const name = `records/${resourceType ?? ''}`
    const before = query.cursor === undefined ? null : cursors.parse(name, query.cursor)
    const { items, next } = await handlers.records({ before, limit, resourceType })
    const nextCursor = next === null ? null : cursors.format(name, next)
    const filter: Record<string, string> = resourceType === null ? {} : { type: resourceType }
    const body = { items: items.map(withLinks), nextCursor }
    return pageAnswer('/v1/records', { limit: String(limit), ...filter }, body)
  },
  getRecord: async ({ params }, { handlers }) => {
    const record = await handlers.record(params.id)
    if (record === undefined) throw unknownRecord()
    return current(withLinks(record))
  },
  getProof: async ({ params, query }, { handlers }) => {
    const proof = await handlers.proof(params.id, { withOpening: query.opening ?? true })
    if (proof === undefined) {
      throw new ApiError('unknown_proof', 'Neither a record nor a transaction has this id here.')
    }
    if (proof.kind === 'pending') {
      throw new ApiError('proof_not_ready', 'It is accepted and waits for a final block.', {
        retryAfterMs: PROOF_RETRY_MS,
      })
    }
    const cache = proof.kind === 'transaction' ? immutable : fresh
    const headers = { ...cache, 'content-type': JSON_TYPE }
    return { status: 200, headers, body: proof.json }
  },
  verifyProof: async ({ body }, { handlers }) => current(await handlers.verifyProof(body)),
}

export function withLinks<T extends { id: string }>(record: T): T & Pick<StoredRecord, 'links'> {
  const self = `/v1/records/${record.id}`
  const links = { self, content: `${self}/content`, proof: `/v1/proofs/${record.id}` }
  return { ...record, links }
}

export function current(body: unknown): Answer {
  return { status: 200, headers: fresh, body }
}

function octets(body: Uint8Array): Answer {
  return { status: 200, headers: { ...fresh, 'content-type': 'application/octet-stream' }, body }
}

function evidenceOf(handlers: ApiHandlers, id: string) {
  const evidence = handlers.evidence(id)
  if (evidence !== undefined) return evidence
  throw new ApiError('unknown_evidence', 'This node has no evidence with this id.')
}

export function unknownRecord(): ApiError {
  return new ApiError('unknown_record', 'This custodian keeps no record under this id.')
}

function blockName(text: string): BlockName {
  if (text === 'latest') return 'latest'
  return text.length === 64 ? { digest: text } : { height: Number(text) }
}

export function pageAnswer(
  path: string,
  query: Record<string, string>,
  body: { items: unknown[]; nextCursor: string | null },
): Answer {
  if (body.nextCursor === null) return current(body)
  const next = new URLSearchParams({ ...query, cursor: body.nextCursor })
  return {
    status: 200,
    headers: { ...fresh, link: `<${path}?${next.toString()}>; rel="next"` },
    body,
  }
}

function health(
  code: 'not_live' | 'not_ready',
  all: Condition[],
  query: { verbose?: boolean; exclude?: string },
): Answer {
  const excluded = new Set(query.exclude?.split(','))
  const conditions = all.filter(({ name }) => !excluded.has(name))
  const failing = conditions.filter(({ ok }) => !ok)
  if (failing.length > 0) {
    const detail = failing.map((condition) => condition.detail).join(' ')
    const errors = failing.map((condition) => ({ code: condition.name, detail: condition.detail }))
    throw new ApiError(code, detail, { errors })
  }
  const body: Health = { status: 'ok', conditions: query.verbose === true ? conditions : [] }
  return current(body)
}
