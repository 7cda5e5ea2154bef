/**
 * A request before an endpoint sees it: its query made what it says, and what is wrong with it told
 * in this API's words.
 *
 * fastify and Node have errors of their own for a body that is too large, a schema that does not
 * match, or bytes that are not HTTP. Here they become `ApiError`s, so that a client meets one form
 * only; the last kind happens before there is a request and is written straight to the socket.
 */

import type { Socket } from 'node:net'
import type { FastifyError } from 'fastify'
import { ApiError, type Catalogue, PROBLEM_TYPE, type ProblemItem, problemOf } from './errors.ts'
import { isServedBy, type Listener, type Route } from './route.ts'
import { type OperationId, operationIds, routes } from './routes.ts'

const PART_OF: Readonly<Record<string, NonNullable<ProblemItem['in']>>> = {
  body: 'body',
  querystring: 'query',
  params: 'path',
  headers: 'header',
}

/** fastify's own errors; `undefined` for anything else. */
export function apiErrorOf(error: FastifyError, route: Route | undefined): ApiError | undefined {
  if (error.validation !== undefined) return schemaError(error)
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE': {
      const limit = route?.bodyBytesMax ?? 0
      return new ApiError('body_too_large', `The limit here is ${limit} bytes.`)
    }
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE': {
      const types = Object.keys(route?.accepts ?? {}).join(', ')
      return new ApiError('unsupported_media_type', `Accepted here: ${types}.`)
    }
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
      return new ApiError('malformed_body', 'The body is empty or not valid JSON.')
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return new ApiError('malformed_body', 'The body is not as long as Content-Length says.')
    case 'FST_ERR_BAD_URL':
      return new ApiError('malformed_request', 'The path is not valid percent-encoding.')
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return new ApiError('unknown_route', 'Nothing has so long a name here.')
    default:
      return undefined
  }
}

function schemaError(error: FastifyError): ApiError {
  const part = PART_OF[error.validationContext ?? ''] ?? 'body'
  const errors = (error.validation ?? []).map((failure): ProblemItem => {
    const missing = failure.params['missingProperty'] ?? failure.params['additionalProperty']
    const place = typeof missing === 'string' ? `/${missing}` : ''
    const detail = failure.message ?? 'does not match its schema'
    return { in: part, pointer: `${failure.instancePath}${place}`, detail }
  })
  const [first] = errors
  const detail = `${part} ${first?.pointer ?? ''} ${first?.detail ?? ''}`
  return new ApiError('invalid_request', detail, { errors })
}

/** Bytes that never became a request: too slow, too large, or not HTTP. */
export function answerOnSocket(
  error: NodeJS.ErrnoException,
  socket: Socket,
  catalogue: Catalogue,
  requestId: string,
): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) {
    socket.destroy()
    return
  }
  const problem = problemOf(socketError(error.code), catalogue, requestId)
  if (problem === undefined) throw new TypeError('an ApiError is always a problem')
  const body = JSON.stringify(problem.body)
  const head = [
    `HTTP/1.1 ${problem.status} ${problem.body.title}`,
    `content-type: ${PROBLEM_TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy())
}

function socketError(code: string | undefined): ApiError {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return new ApiError('headers_too_large', 'Send fewer or shorter header fields.')
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new ApiError('request_timeout', 'The request was not complete in time.')
  }
  return new ApiError('malformed_request', 'The bytes received are not an HTTP/1.1 request.')
}

/** Methods of the routes at this path; empty when there is none. */
export function methodsAt(path: string, listener: Listener): string[] {
  const methods = operationIds
    .filter((id) => isServedBy(routes[id], listener) && patternOf(routes[id]).test(path))
    .flatMap((id) => (hasHead(id) ? ['GET', 'HEAD'] : [routes[id].method]))
  return [...new Set(methods)]
}

/** A stream has no length to tell and no end to wait for; reading a record leaves a trace; a patient signs. */
export function hasHead(id: OperationId): boolean {
  const { method, role }: Route = routes[id]
  return (
    method === 'GET' && role !== 'patient' && id !== 'streamEvents' && id !== 'getRecordContent'
  )
}

function patternOf({ path }: Route): RegExp {
  return new RegExp(`^${path.replaceAll('.', '\\.').replace(/:[a-z]+/g, '[^/]+')}$`)
}

/** Query text becomes what its schema says; what does not look like it stays and is refused. */
export function convertQuery(route: Route, query: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(query)) {
    const type = route.query?.properties[name]?.['type']
    if (type === 'boolean' && (value === '' || value === 'true')) query[name] = true
    if (type === 'boolean' && value === 'false') query[name] = false
    if (type === 'integer' && typeof value === 'string' && /^[0-9]{1,15}$/.test(value)) {
      query[name] = Number(value)
    }
  }
}
