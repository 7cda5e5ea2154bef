/**
 * The routes of a listener on their fastify scopes: body parsers, schemas, and endpoints.
 *
 * What one route accepts is 415 on the next: routes share a scope when they accept the same media types,
 * and one for each route would take several kilobytes of memory each. Endpoints are typed by the table,
 * and fastify checks by the same table; between both the types are erased here, and nowhere else.
 */

import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest, FastifySchema } from 'fastify'
import { type Answer, type ApiContext, type Caller, reading } from './endpoints.ts'
import { checkUpload, paced, received } from './body-streams.ts'
import { ApiError } from './errors.ts'
import { type EventStreams, streamQuery } from './events.ts'
import { auditOf, isAct } from './auditing.ts'
import { type ApiCaller, isNamed } from './caller.ts'
import type { Place } from './limits.ts'
import { authenticate, parseSigned } from './patient-binding.ts'
import { adminEndpoints } from './admin-endpoints.ts'
import { emergencyEndpoints } from './emergency-endpoints.ts'
import { erasureEndpoints } from './erasure-endpoints.ts'
import { identityEndpoints } from './identity-endpoints.ts'
import { patientEndpoints } from './patient-endpoints.ts'
import { convertQuery, hasHead } from './requests.ts'
import { isServedBy, type Listener, type Route } from './route.ts'
import { type OperationId, operationIds, routes } from './routes.ts'
import { submitRecords, submitTransactions } from './submissions.ts'
import { timelineEndpoints } from './timeline-endpoints.ts'
import { vaultEndpoints } from './vault-endpoints.ts'

/** What the routes of a listener share. */
export interface Surroundings {
  context: ApiContext
  streams: EventStreams
  /** Callers that wait for finality; aborted when the server closes. */
  waits: Set<AbortController>
}

declare module 'fastify' {
  interface FastifyContextConfig {
    route?: Route
  }
  interface FastifyRequest {
    place: Place | null
    caller: ApiCaller
  }
}

/** A method, whose parameters TypeScript compares loosely: the table has checked what goes in. */
interface AnyEndpoint {
  answer(request: Caller & { params: unknown }, context: ApiContext): Answer | Promise<Answer>
}

const endpoints: Record<Exclude<OperationId, 'streamEvents'>, AnyEndpoint['answer']> = {
  ...reading,
  ...vaultEndpoints,
  ...patientEndpoints,
  ...identityEndpoints,
  ...emergencyEndpoints,
  ...erasureEndpoints,
  ...timelineEndpoints,
  ...adminEndpoints,
  submitTransactions,
  submitRecords,
}

/** Those that the listener serves. */
export async function bindRoutes(
  app: FastifyInstance,
  listener: Listener,
  around: Surroundings,
): Promise<void> {
  const served = operationIds.filter((id) => isServedBy(routes[id], listener))
  for (const alike of Map.groupBy(served, (id) => bodiesOf(routes[id])).values()) {
    await app.register((scope, _options, done) => {
      const [first] = alike
      if (first !== undefined) acceptBodies(scope, routes[first], around)
      for (const id of alike) bind(scope, id, around)
      done()
    })
  }
}

/** The same for two routes whose bodies are read in the same way. */
function bodiesOf({ role, accepts = {} }: Route): string {
  const forms = Object.entries(accepts).map(([type, { form }]) => `${type} ${form}`)
  return [role === 'patient' ? 'signed' : 'as sent', ...forms].join('\n')
}

function acceptBodies(scope: FastifyInstance, route: Route, around: Surroundings): void {
  for (const [type, { form }] of Object.entries(route.accepts ?? {})) {
    if (form === 'stream') {
      const take = (request: FastifyRequest) => {
        const { origin, host = '' } = request.headers
        checkUpload(request.mediaType ?? '', origin, host)
        return received(request.raw, around.context.limits)
      }
      scope.addContentTypeParser('*', async (request: FastifyRequest) => take(request))
    } else if (route.role === 'patient') {
      parseSigned(scope, type, form === 'json')
    } else if (form === 'json') {
      const parse = scope.getDefaultJsonParser('error', 'error')
      scope.addContentTypeParser(type, { parseAs: 'string' }, parse)
    } else {
      scope.addContentTypeParser(type, { parseAs: 'buffer' }, (_request, body, done) =>
        done(null, body),
      )
    }
  }
}

function bind(scope: FastifyInstance, id: OperationId, around: Surroundings): void {
  const route: Route = routes[id]
  scope.route<StreamRequest>({
    ...(isAct(route) ? auditOf(id, around.context.handlers.audit) : {}),
    method: route.method,
    url: route.path,
    schema: schemaOf(id, route),
    config: { route },
    exposeHeadRoute: hasHead(id),
    ...(route.bodyBytesMax === undefined ? {} : { bodyLimit: route.bodyBytesMax }),
    preValidation: [
      ...(route.role === 'patient' ? [authenticate(around.context.handlers.patients)] : []),
      (request: FastifyRequest<StreamRequest>, _reply, done) => {
        convertQuery(route, request.query)
        requireBody(request, route)
        done()
      },
    ],
    handler: id === 'streamEvents' ? streaming(around) : answering(endpoints[id], around),
  })
}

function schemaOf(operationId: OperationId, route: Route): FastifySchema {
  // One schema for all good answers: a route answers them in one shape.
  const good = Object.entries(route.responses).filter(([, { type }]) => type === 'application/json')
  const response = Object.fromEntries(good.map(([status, { schema }]) => [status, schema]))
  const { summary, tag, params, query, headers, accepts } = route
  return {
    operationId,
    summary,
    tags: [tag],
    response,
    ...(params === undefined ? {} : { params }),
    ...(query === undefined ? {} : { querystring: query }),
    ...(headers === undefined ? {} : { headers }),
    ...(accepts === undefined ? {} : { body: { content: checkedBodies(accepts) } }),
  }
}

function checkedBodies(accepts: NonNullable<Route['accepts']>): Record<string, object> {
  const entries = Object.entries(accepts).flatMap(([type, { form, schema }]) => {
    if (form === 'stream') return []
    const checked = form === 'json' ? schema : {}
    return [[type, { schema: checked }] as const]
  })
  return Object.fromEntries(entries)
}

/** Without a media type fastify reads nothing and finds nothing wrong. */
function requireBody(request: FastifyRequest, route: Route): void {
  if (route.accepts === undefined) return
  if (request.mediaType === undefined) {
    const types = Object.keys(route.accepts).join(', ')
    throw new ApiError('unsupported_media_type', `Send a body with one of: ${types}.`)
  }
  const { body } = request
  if (body === undefined || (body instanceof Uint8Array && body.length === 0)) {
    throw new ApiError('malformed_body', 'The body is empty.')
  }
}

function answering(endpoint: AnyEndpoint['answer'], around: Surroundings) {
  return async (request: FastifyRequest, reply: FastifyReply) => {
    const { params, query, headers, body, patient } = request
    const call = { params, query, headers, body, patient, ...callerOf(request, reply, around) }
    const work = () => unhurried(request.raw.socket, () => endpoint(call, around.context))
    const answer = await (request.trace?.run(work) ?? work())
    const etag = answer.headers?.['etag']
    reply.code(answer.status).headers(answer.headers ?? {})
    if (isPieces(answer.body)) {
      const { limits } = around.context
      return reply.send(Readable.from(paced(answer.body, request.raw.socket, limits)))
    }
    if (etag === undefined || !isMatch(request.headers['if-none-match'], etag)) return answer.body
    reply.code(304).removeHeader('content-type')
    return reply.send()
  }
}

/** While an answer is in the making the connection is silent, and that is not the caller's fault. */
async function unhurried<T>(socket: Socket, work: () => T | Promise<T>): Promise<T> {
  const idleMs = socket.timeout ?? 0
  socket.setTimeout(0)
  try {
    return await work()
  } finally {
    socket.setTimeout(idleMs)
  }
}

function isPieces(body: unknown): body is AsyncIterable<Uint8Array> {
  return typeof body === 'object' && body !== null && Symbol.asyncIterator in body
}

function callerOf(request: FastifyRequest, reply: FastifyReply, around: Surroundings): Caller {
  const controller = new AbortController()
  return {
    caller: request.caller,
    contentType: request.mediaType ?? '',
    size: announcedSize(request),
    signal: controller.signal,
    whileHere: () => {
      reply.raw.once('close', () => controller.abort())
      return controller.signal
    },
    startWaiting: () => {
      if (request.place?.startWaiting() !== true) return false
      around.waits.add(controller)
      reply.raw.once('close', () => {
        around.waits.delete(controller)
        controller.abort()
      })
      return true
    },
  }
}

function announcedSize({ headers }: FastifyRequest): number | null {
  const length = headers['content-length']
  return length === undefined ? null : Number(length)
}

interface StreamRequest {
  Querystring: { types?: string; from?: number }
  Headers: { 'last-event-id'?: string }
}

function streaming({ streams }: Surroundings) {
  return (request: FastifyRequest<StreamRequest>, reply: FastifyReply) => {
    const query = streamQuery(request.query, request.headers['last-event-id'])
    const owner = isNamed(request.caller) ? request.caller.name : null
    streams.checkRoom(owner)
    reply.hijack()
    request.place?.leave()
    request.raw.socket.setTimeout(0)
    streams.open(reply.raw, query, owner)
  }
}

function isMatch(header: string | undefined, etag: string): boolean {
  return header?.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag) ?? false
}
