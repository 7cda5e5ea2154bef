// What a listener tells a tracer of its requests: where one begins, what runs on its behalf, how it ended.

import type { FastifyInstance } from 'fastify'

export interface RequestTrace {
  /** Whatever the work begins belongs to this request. */
  run<T>(work: () => T): T
  end(status: number): void
}

export interface RequestTracer {
  /** @param request.traceparent as the caller sent it; not checked. */
  begin(request: {
    method: string
    route: string
    id: string
    traceparent: string | null
  }): RequestTrace
}

declare module 'fastify' {
  interface FastifyRequest {
    trace: RequestTrace | null
  }
}

export function traceWith(app: FastifyInstance, tracer: RequestTracer | undefined): void {
  app.decorateRequest('trace', null)
  if (tracer === undefined) return
  app.addHook('onRequest', (request, _reply, done) => {
    const { method, headers, id } = request
    const route = request.routeOptions.config.route
    const sent = headers['traceparent']
    const traceparent = typeof sent === 'string' ? sent : null
    if (route !== undefined && route.tag !== 'health')
      request.trace = tracer.begin({ method, route: route.path, id, traceparent })
    done()
  })
  app.addHook('onResponse', (request, reply, done) => {
    request.trace?.end(reply.statusCode)
    done()
  })
}
