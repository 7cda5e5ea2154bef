/**
 * From a checked request to an answer, for the vault.
 *
 * Content and progress are answered in pieces. The first piece is fetched before anything is said, so
 * that what fails until then is a problem document like everywhere else; what fails later breaks the
 * connection, and a client sees that it has less than was announced.
 */

import type { Answer, ApiContext, Endpoint } from './endpoints.ts'
import { current, fresh, JSON_TYPE, pageAnswer, unknownRecord } from './endpoints.ts'
import { toHex } from '@mooring/codec'
import { ApiError, SignatureNeeded } from './errors.ts'
import { PAGE_DEFAULT } from './route-forms.ts'
import type { OperationId } from './routes.ts'
import type { VaultStep } from './vault-answers.ts'
import type { ReadRequest, RecordContent } from './vault-handlers.ts'

type VaultOperation =
  | 'getRecordContent'
  | 'readRecord'
  | 'listReadable'
  | 'readFields'
  | 'getRecordHistory'
  | 'discloseRecord'
  | 'createGrant'
  | 'getVault'
  | 'verifyVault'
  | 'repairVault'

export type VaultEndpoints = { [K in VaultOperation & OperationId]: Endpoint<K> }

/** What a custodian reads its own records for, when nobody says otherwise. */
const OWN_PURPOSE = 'TREAT'
export const ENTRY_HEADER = 'mooring-access-entry'
export const ANCHORED_HEADER = 'mooring-anchored'
export const BAD_HOLDERS_HEADER = 'mooring-bad-holders'

export const vaultEndpoints: VaultEndpoints = {
  getRecordContent: ({ params, query, whileHere }, context) => {
    const purpose = query.purpose ?? OWN_PURPOSE
    const asked = { id: params.id, purpose, person: query.person ?? null, grant: null }
    return content({ ...asked, signal: whileHere() }, context)
  },
  readRecord: ({ params, body, whileHere }, context) => {
    const { purpose, person = null, practitioner = null } = body
    const by = { purpose, person, practitioner }
    const asked = { ...by, id: params.id, grant: JSON.stringify(body.grant) }
    return orToSign(() => content({ ...asked, signal: whileHere() }, context))
  },
  listReadable: async ({ query, body, whileHere }, { handlers, cursors }) => {
    const grant = JSON.stringify(body.grant)
    const { purpose, person = null, practitioner = null, records = null } = body
    const list = `reads/${grant}/${purpose}/${records?.join() ?? ''}`
    const after = query.cursor === undefined ? null : cursors.parseText(list, query.cursor)
    const limit = query.limit ?? PAGE_DEFAULT
    const signal = whileHere()
    const asked = { grant, purpose, person, practitioner, records }
    return await orToSign(async () => {
      const found = await handlers.readable({ ...asked, after, limit, signal })
      const nextCursor = found.next === null ? null : cursors.formatText(list, found.next)
      return current({ items: found.items, entry: found.entry, nextCursor })
    })
  },
  readFields: async ({ query, body, whileHere }, { handlers, cursors }) => {
    const grant = JSON.stringify(body.grant)
    const { purpose, person = null, practitioner = null } = body
    const list = `fields/${grant}/${purpose}`
    const after = query.cursor === undefined ? null : cursors.parseText(list, query.cursor)
    const limit = query.limit ?? PAGE_DEFAULT
    const signal = whileHere()
    const asked = { grant, purpose, person, practitioner }
    return await orToSign(async () => {
      const found = await handlers.readFields({ ...asked, after, limit, signal })
      const nextCursor = found.next === null ? null : cursors.formatText(list, found.next)
      return current({ items: found.items, entry: found.entry, nextCursor })
    })
  },
  getRecordHistory: async ({ params, query }, { handlers, cursors }) => {
    const limit = query.limit ?? PAGE_DEFAULT
    const list = `history/${params.id}`
    const before = query.cursor === undefined ? null : cursors.parse(list, query.cursor)
    const found = await handlers.recordHistory(params.id, { before, limit })
    if (found === undefined) throw unknownRecord()
    const { items, next } = found
    const nextCursor = next === null ? null : cursors.format(list, next)
    const path = `/v1/records/${params.id}/history`
    return pageAnswer(path, { limit: String(limit) }, { items, nextCursor })
  },
  discloseRecord: async ({ params, body, whileHere }, { handlers }) => {
    const proof = await handlers.disclose(params.id, body.fields, whileHere())
    if (proof === undefined) throw unknownRecord()
    if (proof.kind === 'pending') {
      throw new ApiError('proof_not_ready', 'It is accepted and waits for a final block.', {
        retryAfterMs: 1_000,
      })
    }
    return { status: 200, headers: { ...fresh, 'content-type': JSON_TYPE }, body: proof.json }
  },
  createGrant: async ({ body }, { handlers }) => {
    const { patient, recipient, classes, purposes, notBefore, expiresAt } = body
    const times = {
      notBefore: notBefore === undefined ? null : instant(notBefore, '/notBefore'),
      expiresAt: instant(expiresAt, '/expiresAt'),
    }
    const json = await handlers.createGrant({ patient, recipient, classes, purposes, ...times })
    return { status: 201, headers: { ...fresh, 'content-type': JSON_TYPE }, body: json }
  },
  getVault: async (_request, { handlers }) => current(await handlers.vault()),
  verifyVault: ({ body, startWaiting, signal }, { handlers }) => {
    requirePlace(startWaiting)
    return steps(handlers.verifyVault({ isFull: body.full ?? true, signal }))
  },
  repairVault: ({ body, startWaiting, signal }, { handlers }) => {
    requirePlace(startWaiting)
    return steps(handlers.repairVault({ isImmediate: body.immediate ?? false, signal }))
  },
}

/** What a practitioner has to sign before it goes on is an answer as well. */
export async function orToSign(work: () => Promise<Answer>): Promise<Answer> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof SignatureNeeded)) throw error
    const { challenge, toSign } = error
    return { ...current({ challenge, toSign: toHex(toSign) }), status: 202 }
  }
}

async function content(request: ReadRequest, { handlers }: ApiContext): Promise<Answer> {
  const found = await handlers.recordContent(request)
  if (found === undefined) throw request.grant === null ? unknownRecord() : notOpened()
  return await contentAnswer(found)
}

export async function contentAnswer(found: RecordContent): Promise<Answer> {
  const { contentType, size, entry, anchored, badHolders } = found
  const headers: Record<string, string> = {
    ...fresh,
    'content-type': contentType,
    'content-length': String(size),
    'content-disposition': 'attachment',
    'x-content-type-options': 'nosniff',
    [ANCHORED_HEADER]: anchored.isAnchored ? String(anchored.height ?? 'final') : 'pending',
  }
  if (entry !== null) headers[ENTRY_HEADER] = entry
  const bad = badHolders.map(({ holder, code }) => `${holder};${code}`)
  if (bad.length > 0) headers[BAD_HOLDERS_HEADER] = bad.join(', ')
  return { status: 200, headers, body: await begun(found.body) }
}

function notOpened(): ApiError {
  return new ApiError('unknown_record', 'The grant opens no record of this id.')
}

/** Runs for minutes and costs nobody else a place: it counts among the waits, and ends with the server. */
function requirePlace(startWaiting: () => boolean): void {
  if (startWaiting()) return
  throw new ApiError('overloaded', 'Too many callers wait already. Try again in a moment.', {
    retryAfterMs: 1_000,
  })
}

async function steps(source: AsyncIterable<VaultStep>): Promise<Answer> {
  const headers = { ...fresh, 'content-type': 'application/x-ndjson' }
  return { status: 200, headers, body: await begun(lines(source)) }
}

async function* lines(source: AsyncIterable<VaultStep>): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder()
  for await (const step of source) yield encoder.encode(`${JSON.stringify(step)}\n`)
}

/** The same pieces, the first of which is there already. */
async function begun(source: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
  const pieces = source[Symbol.asyncIterator]()
  const first = await pieces.next()
  async function* all(): AsyncGenerator<Uint8Array> {
    try {
      for (let next = first; next.done !== true; next = await pieces.next()) yield next.value
    } finally {
      await pieces.return?.()
    }
  }
  return all()
}

function instant(text: string, pointer: string): number {
  const ms = Date.parse(text)
  if (Number.isFinite(ms)) return ms
  const detail = `"${text}" is no time of RFC 3339.`
  throw new ApiError('invalid_request', detail, { errors: [{ in: 'body', pointer, detail }] })
}
