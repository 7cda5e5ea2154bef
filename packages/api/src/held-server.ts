/**
 * What a node answers that has stopped for a reason no restart cures, and is kept to be looked at: it
 * lives, it is not ready, and whatever else is asked is told why.
 *
 * Nothing of the node is left to be asked, so that this stands alone: no routes, no schemas, no framework.
 */

import { randomUUID } from 'node:crypto'
import { chmod } from 'node:fs/promises'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { ApiError, PROBLEM_TYPE, type ProblemDocument } from './errors.ts'
import { checkHost } from './limits.ts'
import { removeSocket } from './listening.ts'
import { createServer } from './node-http.ts'
import { reachableSocket } from './unix-socket.ts'

export interface HeldReason {
  code: string
  mor: string
  title: string
  detail: string
  /** Since when it holds, RFC 3339. */
  since: string
}

export interface HeldOptions {
  adminSocket: string | null
  /** `host:port` of health and metrics; null for none. */
  metricsListen: string | null
}

export interface HeldServer {
  close(): Promise<void>
}

const TIMEOUT_MS = 10_000
const CONNECTIONS_MAX = 64

/** Listens where it can: that a port is taken must not hide why the node has stopped. */
export async function startHeldServer(
  { adminSocket, metricsListen }: HeldOptions,
  reason: HeldReason,
): Promise<HeldServer> {
  const servers: Server[] = []
  const answer = (request: IncomingMessage, response: ServerResponse): void =>
    answerHeld(request, response, reason)
  const open = async (bind: (server: Server) => Promise<void>): Promise<void> => {
    const server = createServer({ requestTimeout: TIMEOUT_MS }, answer)
    server.maxConnections = CONNECTIONS_MAX
    try {
      await bind(server)
      servers.push(server)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error
    }
  }
  if (adminSocket !== null) await open((server) => listenOnPath(server, adminSocket))
  if (metricsListen !== null) await open((server) => listenOnAddress(server, metricsListen))
  return {
    close: async () => {
      for (const server of servers) await closed(server)
      if (adminSocket !== null) await removeSocket(adminSocket)
    },
  }
}

function answerHeld(request: IncomingMessage, response: ServerResponse, reason: HeldReason): void {
  const [path = ''] = (request.url ?? '').split('?', 1)
  request.resume()
  response.setHeader('cache-control', 'no-store')
  if (!isForUs(request)) {
    response.writeHead(421).end()
  } else if (path === '/livez') {
    response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' })
    response.end(JSON.stringify({ status: 'ok', conditions: [] }))
  } else if (path === '/metrics') {
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' })
    response.end(metricsOf(reason))
  } else {
    response.writeHead(503, { 'content-type': PROBLEM_TYPE })
    response.end(JSON.stringify(problemOf(reason)))
  }
}

function isForUs({ headers, socket }: IncomingMessage): boolean {
  try {
    checkHost(headers.host, new Set(), socket.localAddress)
    return true
  } catch (error) {
    if (error instanceof ApiError) return false
    throw error
  }
}

function problemOf({ code, mor, title, detail, since }: HeldReason): ProblemDocument {
  return {
    type: `/errors/${mor}`,
    title,
    status: 503,
    detail: `The node has stopped and holds since ${since}. ${detail}`,
    instance: `urn:uuid:${randomUUID()}`,
    code,
    mor,
  }
}

function metricsOf({ code }: HeldReason): string {
  return [
    '# TYPE mooring_ready gauge',
    'mooring_ready 0',
    '# TYPE mooring_alarm_active gauge',
    `mooring_alarm_active{code="${code}",severity="page"} 1`,
    '',
  ].join('\n')
}

async function listenOnPath(server: Server, path: string): Promise<void> {
  await removeSocket(path)
  const socket = await reachableSocket(path)
  try {
    await listening(server, () => server.listen({ path: socket.path }))
  } finally {
    await socket.close()
  }
  await chmod(path, 0o600)
}

function listenOnAddress(server: Server, address: string): Promise<void> {
  const { hostname, port } = new URL(`http://${address}`)
  const host = hostname.replace(/^\[|\]$/g, '')
  return listening(server, () => server.listen({ host, port: Number(port || '80') }))
}

async function listening(server: Server, listen: () => void): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.once('listening', resolve)
  listen()
  await promise
}

async function closed(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  server.close(() => resolve())
  server.closeAllConnections()
  await promise
}
