/**
 * The sockets below a listener: HTTP, in clear or over TLS 1.2 and later, with its time-outs and sizes.
 *
 * Certificates change while it runs: connections that stand go on with the old one, new ones get the new.
 * A client that shows a certificate nobody here issued is let in as far as the answer that says so
 * (admission.ts), which a broken handshake could not.
 */

import type { RequestListener, Server } from 'node:http'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https'
import type { ApiLimits } from './limits.ts'
import { createServer } from './node-http.ts'

/** PEM. */
export interface TlsIdentity {
  /** With the chain up to an authority that clients know. */
  cert: string
  key: string
  /** Who may issue certificates of clients; null: none is asked for. */
  clientCa: string | null
}

export class ListenerServer {
  readonly #limits: ApiLimits
  readonly #tlsServers = new Set<TlsServer>()
  #tls: TlsIdentity | null

  constructor(limits: ApiLimits, tls: TlsIdentity | null) {
    this.#limits = limits
    this.#tls = tls
  }

  get isTls(): boolean {
    return this.#tls !== null
  }

  /** A name such as localhost takes one for each of its addresses. */
  make(handler: RequestListener): Server {
    const { headerBytesMax, requestTimeoutMs, requestCheckMs } = this.#limits
    const options = {
      maxHeaderSize: headerBytesMax,
      headersTimeout: requestTimeoutMs,
      requestTimeout: 0,
      requireHostHeader: false,
      connectionsCheckingInterval: requestCheckMs,
    }
    const server =
      this.#tls === null
        ? createServer(options, handler)
        : this.#makeTls(options, this.#tls, handler)
    server.keepAliveTimeout = this.#limits.keepAliveTimeoutMs
    // A body that passes through may take its time; `limitArrival` keeps that of all others.
    server.requestTimeout = 0
    server.setTimeout(this.#limits.connectionTimeoutMs)
    server.maxConnections = this.#limits.connectionsMax
    return server
  }

  /** Throws what OpenSSL does not take; then the old one stays. */
  change(tls: TlsIdentity): void {
    for (const server of this.#tlsServers) server.setSecureContext(contextOf(tls))
    this.#tls = tls
  }

  #makeTls(options: object, tls: TlsIdentity, handler: RequestListener): TlsServer {
    const server = createTlsServer(
      {
        ...options,
        ...contextOf(tls),
        handshakeTimeout: this.#limits.requestTimeoutMs,
        requestCert: tls.clientCa !== null,
        rejectUnauthorized: false,
      },
      handler,
    )
    this.#tlsServers.add(server)
    server.once('close', () => this.#tlsServers.delete(server))
    return server
  }
}

function contextOf({ cert, key, clientCa }: TlsIdentity) {
  const ca = clientCa === null ? {} : { ca: clientCa }
  return { cert, key, ...ca, minVersion: 'TLSv1.2' as const }
}
