/**
 * Every act of administration leaves a trace before it is answered: what an operator or an admin may do,
 * and anybody who was let in has asked for with a body that could be read.
 *
 * The parameters go to the node as one text with sorted members, so that whoever knows them can make their
 * digest again. The node keeps the digest alone.
 */

import type {
  FastifyInstance,
  FastifyRequest,
  onSendAsyncHookHandler,
  preHandlerHookHandler,
} from 'fastify'
import type { AuditHandlers } from './admin-access-handlers.ts'
import type { Route } from './route.ts'

declare module 'fastify' {
  interface FastifyRequest {
    isAct: boolean
  }
}

export function isAct({ method, role }: Route): boolean {
  return method === 'POST' && (role === 'operator' || role === 'admin')
}

export function decorateForAudit(app: FastifyInstance): void {
  app.decorateRequest('isAct', false)
}

const preHandler: preHandlerHookHandler = (request, _reply, done) => {
  request.isAct = true
  done()
}

/** The hooks of one such route. */
export function auditOf(act: string, handlers: AuditHandlers) {
  const onSend: onSendAsyncHookHandler = async (request, reply) => {
    if (!request.isAct) return
    const { caller } = request
    const parameters = parametersOf(request)
    // An answer that fails here is another answer, and no second act.
    request.isAct = false
    await handlers.note({ caller: caller.name, act, parameters, status: reply.statusCode })
  }
  return { preHandler, onSend }
}

export function parametersOf({
  params,
  query,
  body,
}: Pick<FastifyRequest, 'params' | 'query' | 'body'>): string {
  return JSON.stringify(sorted({ params, query, body }))
}

function sorted(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).map(([name, inner]) => [name, sorted(inner)] as const)
  return Object.fromEntries(members.toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
