/**
 * Who may ask what, and how often: between the Host header and everything else.
 *
 * A caller shows a bearer token or, over TLS, a certificate; both lead to a name and a role, and every
 * route says which role it needs. What is wrong with either is told, but only so often to one address: who
 * guesses is told nothing after a while, while a token that is right is always taken. A patient signs each
 * request instead (patient-binding.ts), and who holds the admin socket is the operator already.
 */

import type { Socket } from 'node:net'
import { type PeerCertificate, TLSSocket } from 'node:tls'
import type { FastifyReply, FastifyRequest } from 'fastify'
import {
  ANONYMOUS,
  type ApiCaller,
  type CallerRole,
  includesRole,
  isNamed,
  LOOPBACK_CALLER,
  SOCKET_CALLER,
} from './caller.ts'
import { ApiError } from './errors.ts'
import { addressKey, isLoopbackAddress, RateLimits, type Taken } from './rate-limits.ts'
import type { Listener, Route } from './route.ts'

/** To whom a node answers that shows nothing: to this computer, proofs to anybody, or to nobody. */
export type OpenTo = 'loopback' | 'proofs' | 'nobody'

export type TokenFinding =
  | { name: string; role: CallerRole }
  | { refused: 'token_unknown' | 'token_expired' | 'token_revoked'; detail: string }

/** What a node knows of its callers; it may change while the node runs. */
export interface AccessControl {
  readonly open: OpenTo
  /** Requests a second of one caller; null for any number. */
  readonly rate: number | null
  token(text: string): TokenFinding
  /** The role of who has a certificate with one of these names; undefined for nobody. */
  certificate(names: readonly string[]): { name: string; role: CallerRole } | undefined
}

export interface AdmissionObservers {
  limited(role: ApiCaller['role']): void
  refused(reason: string): void
}

const SECONDS_AT_ONCE = 2
/** Ten wrong credentials at once, and then one every five seconds. */
const FAILURES_PER_SECOND = 0.2
const FAILURE_SECONDS_AT_ONCE = 50
const BEARER = /^Bearer +(?<token>\S+)$/i

export class Admission {
  readonly #control: AccessControl
  readonly #observers: AdmissionObservers
  readonly #rates: RateLimits
  readonly #failures: RateLimits

  constructor(
    control: AccessControl,
    observers: AdmissionObservers,
    now: () => number = () => performance.now(),
  ) {
    this.#control = control
    this.#observers = observers
    this.#rates = new RateLimits(SECONDS_AT_ONCE, now)
    this.#failures = new RateLimits(FAILURE_SECONDS_AT_ONCE, now)
  }

  /** Throws 401, 403 or 429. */
  admit(request: FastifyRequest, reply: FastifyReply, listener: Listener): ApiCaller {
    const route = request.routeOptions.config.route
    if (listener === 'admin') return SOCKET_CALLER
    // A supervisor that is refused takes the node for dead.
    if (route?.tag === 'health') return ANONYMOUS
    const caller = this.#callerOf(request, listener)
    this.#limit(caller, request, reply)
    // What the other listeners serve is for everybody who reaches them.
    if (route !== undefined && listener === 'api') this.#permit(caller, route)
    return caller
  }

  #callerOf(request: FastifyRequest, listener: Listener): ApiCaller {
    const { socket } = request
    if (listener !== 'api') return ANONYMOUS
    const token = BEARER.exec(request.headers.authorization ?? '')?.groups?.['token']
    if (token !== undefined) {
      const found = this.#control.token(token)
      if ('refused' in found) throw this.#failed(socket, found.refused, found.detail)
      return { name: `token ${found.name}`, role: found.role }
    }
    const certificate = certificateOf(socket)
    if (socket instanceof TLSSocket && certificate !== undefined)
      return this.#certified(socket, certificate)
    const isLocal = this.#control.open === 'loopback' && isLoopbackAddress(socket.remoteAddress)
    return isLocal ? LOOPBACK_CALLER : ANONYMOUS
  }

  #certified(socket: TLSSocket, certificate: PeerCertificate): ApiCaller {
    const names = namesOf(certificate)
    const subject = names[0] ?? 'nobody'
    if (!socket.authorized) {
      const { code, detail } = certificateFault(socket, subject, certificate)
      throw this.#failed(socket, code, detail)
    }
    const found = this.#control.certificate(names)
    if (found !== undefined) return { name: `certificate ${found.name}`, role: found.role }
    const detail = `The certificate of "${subject}" is valid, and no role is set for it.`
    throw this.#failed(socket, 'certificate_unknown', detail)
  }

  #failed(socket: Socket, code: FailureCode, detail: string): ApiError {
    const name = addressKey(socket.remoteAddress)
    const taken = this.#failures.take(name, FAILURES_PER_SECOND)
    this.#observers.refused(code)
    if (!taken.isAllowed) return limited(taken, 'Too many wrong credentials from this address.')
    return new ApiError(code, detail, { headers: CHALLENGE })
  }

  #limit(caller: ApiCaller, request: FastifyRequest, reply: FastifyReply): void {
    const { rate } = this.#control
    if (rate === null) return
    const name = isNamed(caller)
      ? caller.name
      : `address ${addressKey(request.socket.remoteAddress)}`
    const taken = this.#rates.take(name, rate)
    reply.header('ratelimit-limit', String(taken.limit))
    reply.header('ratelimit-remaining', String(taken.remaining))
    reply.header('ratelimit-reset', String(taken.resetSeconds))
    if (taken.isAllowed) return
    this.#observers.limited(caller.role)
    throw limited(taken, `At most ${rate} requests a second, ${taken.limit} at once.`)
  }

  #permit({ role }: ApiCaller, { role: needed, isForStrangers }: Route): void {
    if (needed === 'none' || needed === 'patient') return
    if (isForStrangers === true && (role !== 'none' || this.#control.open !== 'nobody')) return
    if (role === 'none') {
      this.#observers.refused('credentials_missing')
      const detail = `This needs the role ${needed}: send "Authorization: Bearer mor_…".`
      throw new ApiError('credentials_missing', detail, { headers: CHALLENGE })
    }
    if (includesRole(role, needed)) return
    this.#observers.refused('role_missing')
    throw new ApiError('role_missing', `This needs the role ${needed}; yours is ${role}.`)
  }
}

type FailureCode =
  | 'token_unknown'
  | 'token_expired'
  | 'token_revoked'
  | 'certificate_unknown'
  | 'certificate_expired'
  | 'certificate_refused'

const CHALLENGE = { 'www-authenticate': 'Bearer' }

function limited({ retryAfterMs }: Taken, detail: string): ApiError {
  return new ApiError('too_many_requests', detail, { retryAfterMs })
}

function certificateOf(socket: Socket): PeerCertificate | undefined {
  if (!(socket instanceof TLSSocket)) return undefined
  const certificate = socket.getPeerCertificate()
  return Object.keys(certificate).length === 0 ? undefined : certificate
}

/**
 * The common name first, then the names of the extension for them. Node.js puts a name with a comma in quotes
 * and writes the comma as \u002c, so that what is between two names is in none of them.
 */
export function namesOf({
  subject,
  subjectaltname,
}: Pick<PeerCertificate, 'subject' | 'subjectaltname'>): string[] {
  const common = [subject.CN].flat().filter((name) => name !== undefined)
  const others = (subjectaltname ?? '')
    .split(', ')
    .flatMap((name) => /^(?:DNS|email):(?<name>[^"]+)$/.exec(name)?.groups?.['name'] ?? [])
  return [...common, ...others]
}

function certificateFault(
  { authorizationError }: TLSSocket,
  subject: string,
  { valid_to: validTo }: PeerCertificate,
): { code: FailureCode; detail: string } {
  const why = authorizationError instanceof Error ? authorizationError.message : authorizationError
  if (why === 'CERT_HAS_EXPIRED') {
    const at = new Date(validTo).toISOString()
    return { code: 'certificate_expired', detail: `That of "${subject}" expired at ${at}.` }
  }
  const detail = `That of "${subject}" is not accepted: ${why}.`
  return { code: 'certificate_refused', detail }
}
