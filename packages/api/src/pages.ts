/**
 * The pages of a node: files that are handed in, under `/ui/`. They are code and no data; what they
 * show they ask for over the same routes as everybody, as whoever opened them.
 *
 * A browser is told to load nothing from elsewhere and to run nothing that is not one of these files.
 */

import type { FastifyInstance } from 'fastify'
import { ApiError } from './errors.ts'
import type { Route } from './route.ts'

export interface PageFile {
  type: string
  bytes: Uint8Array
  /** Quoted, as RFC 9110 writes it. */
  etag: string
}

/** By path below `/ui/`; the empty path is the page itself. Asked for once, at the first request. */
export type ReadPages = () => Promise<ReadonlyMap<string, PageFile>>

const PLACE = '/ui/'
const ROUTE: Route = {
  method: 'GET',
  path: `${PLACE}*`,
  tag: 'pages',
  role: 'none',
  summary: 'The pages that a browser opens.',
  listeners: ['api'],
  responses: {},
}
const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-cache',
}

export function servePages(app: FastifyInstance, read: ReadPages): void {
  let files: ReturnType<ReadPages> | null = null
  const details = { schema: { hide: true }, config: { route: ROUTE } }
  app.get('/ui', details, (_request, reply) => reply.redirect(PLACE, 308))
  app.get<{ Params: { '*': string } }>(ROUTE.path, details, async (request, reply) => {
    files ??= read()
    const file = (await files).get(request.params['*'])
    if (file === undefined) throw new ApiError('unknown_route', `The pages begin at ${PLACE}.`)
    reply.headers(HEADERS).header('etag', file.etag)
    if (request.headers['if-none-match'] === file.etag) return reply.code(304).send()
    return reply.type(file.type).send(file.bytes)
  })
}
