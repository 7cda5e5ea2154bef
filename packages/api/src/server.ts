/**
 * The listener: fastify bound to the table of routes.
 *
 * A request passes, in this order: Host header, admission (who asks, how often), budgets, body limit and media type, schema, endpoint.
 * Whatever goes wrong anywhere becomes problem details in one place. The listeners share all of this
 * and differ only in the routes they serve. Nothing a client sends names a request, an address or a
 * proxy: ids are made here, and forwarding headers are not read.
 *
 * `close` says goodbye to the event streams, ends the waits, lets running requests finish for a while
 * and then closes what is left.
 */

import { randomUUID } from 'node:crypto'
import fastify from 'fastify'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { sharedSchemas } from './answer-forms.ts'
import { Health } from './answers.ts'
import { decorateForAudit } from './auditing.ts'
import { bindRoutes, type Surroundings } from './binding.ts'
import { limitArrival } from './body-streams.ts'
import { compileOnDemand } from './compilers.ts'
import { type AccessControl, Admission, type AdmissionObservers } from './admission.ts'
import { createCursors } from './cursors.ts'
import { ApiError, type Catalogue, internalProblem, problemOf } from './errors.ts'
import { EventStreams, type StreamEnd } from './events.ts'
import type { ApiHandlers } from './handlers.ts'
import { IdempotencyKeys } from './idempotency.ts'
import { type ApiLimits, Budget, checkHost, checkScraperHost, DEFAULT_LIMITS } from './limits.ts'
import { ListenerServer, type TlsIdentity } from './listener-server.ts'
import { listenOn, listenOnSocket, removeSocket } from './listening.ts'
import { openApiDocument } from './openapi.ts'
import { type ReadPages, servePages } from './pages.ts'
import { decorateForPatients } from './patient-binding.ts'
import { answerOnSocket, apiErrorOf, methodsAt } from './requests.ts'
import { ADMIN_PATH, isPassing, type Listener, type Route } from './route.ts'
import { type RequestTracer, traceWith } from './tracing.ts'

export interface ApiOptions {
  /** `host:port` or `[address]:port`; port 0 asks the system for one. */
  listen: string
  /** The second listener, for health and metrics; null for none. */
  metricsListen: string | null
  /** For wallets; null for none. Not the first one, which takes what nobody has signed. */
  patientsListen?: string | null
  /** Path of the socket for who runs the node; null for none. */
  adminSocket?: string | null
  /** Host names besides loopback under which this node is reached. */
  hostNames: readonly string[]
  access: AccessControl
  /** Of the first listener; null for none. */
  tls?: TlsIdentity | null
  patientsTls?: TlsIdentity | null
  catalogue: Catalogue
  /** Under which cursors are made; keep it, and cursors outlive a restart. */
  cursorKey: Uint8Array
  /** What a browser is shown under `/ui/`; nothing when absent. */
  pages?: ReadPages | undefined
  limits?: Partial<ApiLimits>
  log?: (level: 'warn' | 'error', sentence: string, fields: Record<string, unknown>) => void
  observe?: (request: ObservedRequest) => void
  admissions?: AdmissionObservers
  trace?: RequestTracer
}

export interface ObservedRequest {
  /** The path of the route, never the URL. */
  route: string
  method: string
  status: number
  seconds: number
}

export interface ApiStats {
  inFlight: number
  waiting: number
  streams: number
  /** Streams that ended, by reason, since the start. */
  streamsEnded: Readonly<Record<StreamEnd, number>>
}

export interface ApiServer {
  /** Base addresses, for example `http://127.0.0.1:7421`. */
  url: string
  metricsUrl: string | null
  patientsUrl: string | null
  stats(): ApiStats
  /** New connections get it; throws what OpenSSL does not take. */
  changeTls(listener: 'api' | 'patients', tls: TlsIdentity): void
  /** What asks for work is answered 503 from here on; reading and health go on until `close`. */
  refuseWork(): void
  close(): Promise<void>
}

const UNOBSERVED: AdmissionObservers = { limited: () => undefined, refused: () => undefined }
const HSTS_SECONDS = 365 * 24 * 60 * 60
/** Answers are data: nothing in them is to be run, framed, guessed at or fetched by another site. */
const SAFE_HEADERS: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
}
const PARAM_LENGTH_MAX = 160

/** Throws `ApiError` when an address cannot be listened on. */
export async function startApi(options: ApiOptions, handlers: ApiHandlers): Promise<ApiServer> {
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const streamsEnded = { gone: 0, slow_consumer: 0, closing: 0, failed: 0 }
  const streams = new EventStreams(handlers.events, limits, {
    ended: (reason) => {
      streamsEnded[reason] += 1
    },
    failed: (cause) => options.log?.('error', 'event stream failed', { cause }),
  })
  let document: Promise<string> | undefined
  const shared: Shared = {
    options,
    limits,
    streams,
    streamsEnded,
    budgets: {
      api: new Budget(limits),
      patients: new Budget(limits),
      metrics: new Budget(limits),
      admin: new Budget(limits),
    },
    waits: new Set(),
    admission: new Admission(options.access, options.admissions ?? UNOBSERVED),
    servers: {
      api: new ListenerServer(limits, options.tls ?? null),
      patients: new ListenerServer(limits, options.patientsTls ?? null),
      metrics: new ListenerServer(limits, null),
      admin: new ListenerServer(limits, null),
    },
    isRefusingWork: false,
    isClosing: false,
    hostNames: new Set(options.hostNames.map((name) => name.toLowerCase())),
    context: {
      handlers,
      limits,
      catalogue: options.catalogue,
      cursors: createCursors(options.cursorKey),
      keys: new IdempotencyKeys(limits.idempotency),
      openApi: () => (document ??= openApiDocument(shared)),
    },
  }
  const api = await createListener(shared, 'api')
  const admin = await createListener(shared, 'admin')
  const opened: FastifyInstance[] = [api, admin]
  const open = async (listener: 'patients' | 'metrics', address: string | null) => {
    if (address === null) return null
    const app = await createListener(shared, listener)
    opened.push(app)
    return await listenOn(app, address, shared.servers[listener].isTls)
  }
  try {
    const url = await listenOn(api, options.listen, shared.servers.api.isTls)
    const metricsUrl = await open('metrics', options.metricsListen)
    const patientsUrl = await open('patients', options.patientsListen ?? null)
    const { adminSocket = null } = options
    if (adminSocket !== null) await listenOnSocket(admin, adminSocket)
    return {
      url,
      metricsUrl,
      patientsUrl,
      stats: () => statsOf(shared),
      changeTls: (listener, tls) => shared.servers[listener].change(tls),
      refuseWork: () => {
        shared.isRefusingWork = true
      },
      close: async () => {
        shared.isClosing = true
        streams.close()
        for (const wait of shared.waits) wait.abort()
        for (const app of opened) await closeListener(app, limits.closeTimeoutMs)
        if (adminSocket !== null) await removeSocket(adminSocket)
      },
    }
  } catch (error) {
    for (const app of opened) await app.close()
    throw error
  }
}

function statsOf({ budgets, streams, streamsEnded }: Shared): ApiStats {
  const all = Object.values(budgets)
  return {
    inFlight: all.reduce((sum, { inFlight }) => sum + inFlight, 0),
    waiting: all.reduce((sum, { waiting }) => sum + waiting, 0),
    streams: streams.size,
    streamsEnded: { ...streamsEnded },
  }
}

interface Shared extends Surroundings {
  options: ApiOptions
  streamsEnded: Record<StreamEnd, number>
  limits: ApiLimits
  /** Of each listener its own: who comes from outside does not crowd out the hospital. */
  budgets: Readonly<Record<Listener, Budget>>
  hostNames: ReadonlySet<string>
  admission: Admission
  servers: Readonly<Record<Listener, ListenerServer>>
  isRefusingWork: boolean
  isClosing: boolean
}

async function createListener(shared: Shared, listener: Listener): Promise<FastifyInstance> {
  const { options } = shared
  const server = shared.servers[listener]
  const app = fastify({
    logger: false,
    trustProxy: false,
    requestIdHeader: false,
    genReqId: () => randomUUID(),
    serverFactory: (handler) => server.make(handler),
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    routerOptions: { maxParamLength: PARAM_LENGTH_MAX },
    clientErrorHandler: (error, socket) =>
      answerOnSocket(error, socket, options.catalogue, randomUUID()),
    frameworkErrors: (error, request, reply) => answerError(shared, error, request, reply),
  })
  app.removeAllContentTypeParsers()
  app.decorateRequest('place', null)
  app.decorateRequest('caller')
  decorateForPatients(app)
  decorateForAudit(app)
  app.addHook('onRequest', (request, reply, done) => {
    enter(shared, listener, request, reply)
    done()
  })
  app.addHook('onSend', (_request, reply, _payload, done) => {
    for (const [name, value] of Object.entries(SAFE_HEADERS)) {
      if (!reply.hasHeader(name)) reply.header(name, value)
    }
    if (server.isTls) reply.header('strict-transport-security', `max-age=${HSTS_SECONDS}`)
    if (shared.isClosing) reply.header('connection', 'close')
    done()
  })
  app.setErrorHandler<FastifyError>((error, request, reply) =>
    answerError(shared, error, request, reply),
  )
  app.setNotFoundHandler((request) => {
    throw noRoute(request, listener)
  })
  if (options.observe !== undefined) observeWith(app, options.observe)
  traceWith(app, options.trace)
  for (const schema of listener === 'metrics' ? [Health] : sharedSchemas) app.addSchema(schema)
  compileOnDemand(app)
  if (listener === 'api' && options.pages !== undefined) servePages(app, options.pages)
  await bindRoutes(app, listener, shared)
  await app.ready()
  return app
}

function enter(
  shared: Shared,
  listener: Listener,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  const check = listener === 'metrics' ? checkScraperHost : checkHost
  check(request.headers.host, shared.hostNames, request.socket.localAddress)
  request.caller = shared.admission.admit(request, reply, listener)
  const route = request.routeOptions.config.route
  limitArrival(request.raw, reply.raw, {
    isPassing: isPassing(route, request.headers['content-type']),
    ms: shared.limits.requestTimeoutMs,
    late: (error) =>
      answerOnSocket(error, request.raw.socket, shared.options.catalogue, request.id),
  })
  if (route?.tag === 'health') return
  const isWork = request.method !== 'GET' && request.method !== 'HEAD'
  if (shared.isClosing || (shared.isRefusingWork && isWork)) {
    const { closeTimeoutMs: retryAfterMs } = shared.limits
    throw new ApiError('closing', 'Ask another node, or this one later.', { retryAfterMs })
  }
  const place = shared.budgets[listener].enter(bodyBytesOf(request, route))
  request.place = place
  reply.raw.once('close', () => place.leave())
}

/** What the body may come to take: as announced, or all that is allowed. */
function bodyBytesOf({ headers }: FastifyRequest, route: Route | undefined): number {
  const limit = route?.bodyBytesMax
  if (limit === undefined) return 0
  const announced = headers['content-length']
  return announced === undefined ? limit : Math.min(Number(announced), limit)
}

function answerError(
  shared: Shared,
  error: FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  const { catalogue, log } = shared.options
  const hasLeft = request.raw.destroyed && !request.raw.complete
  const known = hasLeft
    ? new ApiError('malformed_request', 'The client left before its body was complete.')
    : (apiErrorOf(error, request.routeOptions.config.route) ?? error)
  let problem = problemOf(known, catalogue, request.id)
  if (problem === undefined) {
    log?.('error', 'request failed', { requestId: request.id, cause: error })
    problem = internalProblem(catalogue, request.id)
  }
  // A client that is still sending would lose this answer with its connection: the rest of the body is
  // read and dropped instead, until the request times out.
  if (problem.status === 413) reply.removeHeader('connection')
  reply.code(problem.status).headers(problem.headers)
  reply.send(JSON.stringify(problem.body))
}

function noRoute(request: FastifyRequest, listener: Listener): ApiError {
  const [path = ''] = request.url.split('?', 1)
  const methods = methodsAt(path, listener)
  if (methods.length === 0) {
    if (listener === 'api' && path.startsWith(ADMIN_PATH)) {
      const detail = 'Ask it there: --endpoint unix:<home>/run/admin.sock, or --home <home>.'
      throw new ApiError('admin_socket_only', detail)
    }
    return new ApiError('unknown_route', 'The routes of this node are listed in /openapi.json.')
  }
  const allow = methods.join(', ')
  return new ApiError('method_not_allowed', `Allowed here: ${allow}.`, { headers: { allow } })
}

function observeWith(app: FastifyInstance, observe: (request: ObservedRequest) => void): void {
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.config.route?.path ?? 'none'
    const { statusCode: status, elapsedTime } = reply
    observe({ route, method: request.method, status, seconds: elapsedTime / 1_000 })
    done()
  })
}

async function closeListener(app: FastifyInstance, timeoutMs: number): Promise<void> {
  const timer = setTimeout(() => app.server.closeAllConnections(), timeoutMs)
  await app.close()
  clearTimeout(timer)
}
