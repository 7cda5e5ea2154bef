/**
 * The client as a program on this computer uses it: over a unix socket, or TLS with certificates of its
 * own, neither of which `fetch` can do.
 */

import type { IncomingMessage, RequestOptions } from 'node:http'
import { request as requestHttps } from 'node:https'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { connect } from 'node:tls'
import { type Client, type ClientOptions, createClient } from './client.ts'
import { requestHttp } from './node-http.ts'
import { reachableSocket } from './unix-socket.ts'

export interface ConnectOptions extends ClientOptions {
  /** A bearer token. */
  token?: string | undefined
  /** PEM: who is trusted, and who we are. */
  ca?: string | undefined
  cert?: string | undefined
  key?: string | undefined
}

export interface ShownCertificate {
  subject: string
  /** Unix milliseconds. */
  notAfter: number
}

/** What a server shows, believed or not: to say whose certificate is refused, and why. */
export async function shownCertificate(endpoint: string): Promise<ShownCertificate | undefined> {
  const { hostname: host, port } = new URL(endpoint)
  const { promise, resolve } = Promise.withResolvers<ShownCertificate | undefined>()
  const socket = connect({
    host: host.replace(/^\[|\]$/g, ''),
    port: Number(port === '' ? 443 : port),
    rejectUnauthorized: false,
    timeout: SHOWN_MS,
  })
  socket.once('secureConnect', () => {
    const { subject, valid_to: validTo } = socket.getPeerCertificate()
    resolve({ subject: [subject.CN].flat().join(' '), notAfter: Date.parse(validTo) })
  })
  socket.once('error', () => resolve(undefined))
  socket.once('timeout', () => resolve(undefined))
  const shown = await promise
  socket.destroy()
  return shown
}

const SHOWN_MS = 5_000
const UNIX = 'unix:'

/** @param endpoint `http://…`, `https://…`, or `unix:` and the path of a socket. */
export function connectClient(endpoint: string, options: ConnectOptions = {}): Client {
  const { token, ca, cert, key, ...rest } = options
  const bearer = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const headers = { ...bearer, ...rest.headers }
  if (endpoint.startsWith(UNIX)) {
    const path = endpoint.slice(UNIX.length)
    return createClient('http://localhost', { fetch: fetchThrough({ path }), ...rest, headers })
  }
  const isOwn = ca !== undefined || cert !== undefined
  const fetch = isOwn ? { fetch: fetchThrough({ tls: { ca, cert, key } }) } : {}
  return createClient(endpoint, { ...fetch, ...rest, headers })
}

type Way =
  | { path: string }
  | { tls: { ca: string | undefined; cert: string | undefined; key: string | undefined } }

/** As much of `fetch` as the client asks for. */
function fetchThrough(way: Way): typeof globalThis.fetch {
  return async (input, init = {}) => {
    const url = new URL(input instanceof Request ? input.url : input)
    const socket = 'path' in way ? await reachableSocket(way.path) : undefined
    try {
      const options: RequestOptions = {
        method: init.method ?? 'GET',
        headers: Object.fromEntries(new Headers(init.headers)),
        ...(init.signal ? { signal: init.signal } : {}),
        ...(socket === undefined ? {} : { socketPath: socket.path }),
        agent: false,
      }
      const tls = 'tls' in way ? way.tls : {}
      const answer = await answered(url, { ...options, ...tls }, init.body)
      return responseOf(answer)
    } finally {
      await socket?.close()
    }
  }
}

async function answered(
  url: URL,
  options: RequestOptions,
  body: RequestInit['body'],
): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const send = url.protocol === 'https:' ? requestHttps : requestHttp
  const request = send(url, options, resolve)
  request.once('error', reject)
  if (body === null || body === undefined) request.end()
  else if (typeof body === 'string' || body instanceof Uint8Array) request.end(body)
  else if (body instanceof ReadableStream) {
    // An answer may come before all of the body is sent; how the sending ended no longer matters then.
    pipeline(Readable.fromWeb(body), request).catch(reject)
  } else throw new TypeError('a body is text, bytes or a stream of bytes')
  return await promise
}

function responseOf(answer: IncomingMessage): Response {
  const { statusCode: status = 500, headersDistinct } = answer
  const headers = new Headers()
  for (const [name, values = []] of Object.entries(headersDistinct)) {
    for (const value of values) headers.append(name, value)
  }
  const isEmpty = status === 204 || status === 304
  return new Response(isEmpty ? null : Readable.toWeb(answer), { status, headers })
}
