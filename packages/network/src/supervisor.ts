// Keeps one link to every member, for ever.
//
// libp2p stops dialling a lost peer after five tries; this does not. A member that is away is dialled
// eight times quickly (it may only be restarting), then with full jitter: up to 30 s apart where somebody
// answers and refuses, 2 s where nobody answers, so that a path that comes back is in use at once, however
// long it was gone. A link on which nothing arrives for 5 s is closed and dialled anew: TCP would wait
// ever longer between its own tries. Which of two connections stays is decided by the rules of
// `preference.ts`.
//
// A link counts from the moment both hellos fit. A connection that the other side closes right after
// it opened, before any hello, means that it has probably not admitted us: libp2p gives no reason, so
// the sentence is ours.

import { setTimeout as pause } from 'node:timers/promises'
import type { Connection } from '@libp2p/interface'
import type { AllowList } from './allow-list.ts'
import { Dialler, type DiallerParts } from './dialler.ts'
import { messageOf, NetworkError, type NetworkErrorCode } from './errors.ts'
import { checkHello, type Hello, offerHello } from './hello.ts'
import { Link, type LinkHandlers, type Shared } from './link.ts'
import {
  backoffMs,
  createNeighbour,
  type Neighbour,
  nameOf,
  noHello,
  notAdmitted,
} from './neighbour.ts'
import { isAlive, isBetter, type Preference, shouldAwaitOwnDial } from './preference.ts'
import type { Member, NetworkHandlers, PeerInfo } from './types.ts'

const REPORT_AGAIN_MS = 60_000

export interface SupervisorParts {
  ownPeerId: string
  shared: Shared
  allowList: AllowList
  addresses: DiallerParts['addresses']
  dial: DiallerParts['dial']
  forget: (peerId: string) => void
  ownHello: () => Hello
  handlers: Pick<NetworkHandlers, 'onPeer' | 'onHello'>
  onMessage: LinkHandlers['onMessage']
}

export class Supervisor {
  readonly #parts: SupervisorParts
  readonly #shared: Shared
  readonly #dialler: Dialler
  readonly #neighbours = new Map<string, Neighbour>()
  #isClosed = false

  constructor(parts: SupervisorParts) {
    const { shared, ownPeerId, addresses, dial } = parts
    this.#parts = parts
    this.#shared = shared
    this.#dialler = new Dialler({
      shared,
      ownPeerId,
      addresses,
      dial,
      report: (neighbour, error) => this.#report(neighbour, error),
    })
  }

  start(): void {
    this.#dialler.start()
    for (const neighbour of this.#neighbours.values()) this.#dialler.dialFirst(neighbour)
  }

  /** Follows the allow list: who left is disconnected at once, who is new is dialled. */
  refresh(): void {
    const { allowList } = this.#parts
    allowList.refresh()
    for (const [peerId, neighbour] of this.#neighbours) {
      if (!allowList.has(peerId)) this.#remove(neighbour)
    }
    for (const member of allowList.all()) {
      const known = this.#neighbours.get(member.peerId)
      if (known === undefined) this.#add(member)
      else this.#update(known, member)
    }
  }

  /** What was said already may still arrive; then each peer sees the connection end, at once. */
  sayGoodbye(): void {
    this.#stopDialling()
    for (const { links } of this.#neighbours.values())
      for (const link of links) void link.closeGently(reasonOf('closed', 'this node stops'))
  }

  close(): void {
    this.#stopDialling()
    for (const { links } of this.#neighbours.values())
      for (const link of links) link.closed(reasonOf('closed', 'this node stops'))
  }

  #stopDialling(): void {
    this.#isClosed = true
    this.#dialler.close()
    for (const neighbour of this.#neighbours.values()) this.#dialler.stop(neighbour)
  }

  linkTo(peerId: string): Link | null {
    return this.#neighbours.get(peerId)?.active ?? null
  }

  linkOn(connection: Connection): Link | undefined {
    const links = this.#neighbours.get(connection.remotePeer.toString())?.links ?? []
    for (const link of links) if (link.connection.id === connection.id) return link
    return undefined
  }

  activeLinks(): Link[] {
    return [...this.#neighbours.values()].flatMap(({ active }) => (active === null ? [] : [active]))
  }

  peers(): PeerInfo[] {
    return [...this.#neighbours.values()].map(({ member, active, redialMs, ...neighbour }) => ({
      ...member,
      connected: active !== null,
      lastHeard: active?.lastHeard ?? neighbour.lastHeard,
      rttMs: active?.rttMs ?? null,
      direction: active?.connection.direction ?? null,
      height: active?.hello?.height ?? null,
      lastError: neighbour.lastError,
      redialMs: active === null ? redialMs : 0,
    }))
  }

  /** For a connection that has just proved to come from this peer. */
  admitsInbound(peerId: string): boolean {
    const neighbour = this.#neighbours.get(peerId)
    const preference = this.#preference()
    const { now } = preference
    if (neighbour === undefined || this.#isClosed || now < neighbour.notBefore) return false
    if (!neighbour.inbound.take(1, now) || isAlive(neighbour.active, preference)) return false
    if (shouldAwaitOwnDial(neighbour, preference)) return false
    neighbour.dial?.controller.abort()
    return true
  }

  admitsOutbound(peerId: string): boolean {
    const neighbour = this.#neighbours.get(peerId)
    if (neighbour === undefined || this.#isClosed) return false
    return !isAlive(neighbour.active, this.#preference())
  }

  opened(connection: Connection): void {
    const neighbour = this.#neighbours.get(connection.remotePeer.toString())
    if (neighbour === undefined || this.#isClosed) {
      connection.abort(reasonOf('refused', 'not a member'))
      return
    }
    this.#shared.counters.connectionsOpened += 1
    connection.addEventListener('close', ({ error }) => this.closed(connection, error))
    const link = new Link(neighbour.member, connection, this.#shared, {
      onMessage: this.#parts.onMessage,
      onViolation: (from, reason) => this.#violated(neighbour, from, reason),
    })
    neighbour.links.add(link)
    void this.#greet(neighbour, link)
  }

  closed(connection: Connection, cause: Error | undefined): void {
    const link = this.linkOn(connection)
    const neighbour = this.#neighbours.get(connection.remotePeer.toString())
    if (link === undefined || neighbour === undefined) return
    const isOurs = link.closeReason !== null
    const detail = cause === undefined ? 'the peer closed the connection' : cause.message
    link.closed(reasonOf('closed', detail))
    this.#shared.counters.connectionsClosed += 1
    neighbour.links.delete(link)
    neighbour.lastHeard = link.lastHeard
    if (neighbour.active === link) this.#lost(neighbour, link)
    else if (!isOurs) this.#refusedByPeer(neighbour, link, detail)
    this.#dialler.dialSoon(neighbour)
  }

  /** The hello of the other side has come in over this link. */
  greeted(link: Link, hello: Hello): void {
    const neighbour = this.#neighbours.get(link.member.peerId)
    if (neighbour === undefined || !neighbour.links.has(link) || !link.isOpen) return
    const mismatch = checkHello(this.#parts.ownHello(), hello, nameOf(neighbour.member))
    if (mismatch !== undefined) {
      this.refuse(link, mismatch)
      return
    }
    link.hello = hello
    const other = neighbour.active
    if (other !== null && !isBetter(link, other, this.#preference())) {
      this.#shared.counters.duplicatesClosed += 1
      link.close(reasonOf('closed', 'a second connection'))
      return
    }
    if (other !== null) {
      this.#shared.counters.duplicatesClosed += 1
      other.close(reasonOf('closed', 'replaced by a newer connection'))
    }
    this.#use(neighbour, link, hello)
  }

  /** The hello did not come, or does not fit. */
  refuse(link: Link, reason: NetworkError): void {
    const neighbour = this.#neighbours.get(link.member.peerId)
    if (neighbour === undefined || !link.isOpen) return
    this.#shared.counters.hellosRefused += 1
    neighbour.failures = Math.max(neighbour.failures, this.#shared.limits.fastRetries) + 1
    neighbour.hasAnswered = true
    this.#report(neighbour, reason)
    void link.closeGently(reason)
  }

  disconnect(peerId: string, reason: string): void {
    const neighbour = this.#neighbours.get(peerId)
    if (neighbour === undefined) return
    const { limits, counters, now } = this.#shared
    counters.disconnectsForCause += 1
    neighbour.failures = Math.max(neighbour.failures, limits.fastRetries) + 1
    neighbour.hasAnswered = true
    neighbour.notBefore = now() + backoffMs(neighbour, limits, Math.random())
    const error = reasonOf('disconnected', reason)
    this.#report(neighbour, error)
    for (const link of neighbour.links) link.close(error)
    this.#dialler.dialSoon(neighbour)
  }

  hangUp(peerId: string, reason: string): void {
    for (const link of this.#neighbours.get(peerId)?.links ?? [])
      link.close(reasonOf('closed', reason))
  }

  /** @throws NetworkError what the dial, or the hello after it, came to */
  async connect(peerId: string): Promise<void> {
    const neighbour = this.#neighbours.get(peerId)
    if (neighbour === undefined) throw reasonOf('not_admitted', `${peerId} is not admitted here`)
    neighbour.notBefore = 0
    await this.#attempt(neighbour)
    if (neighbour.active === null && neighbour.refusals > 0) {
      // The dial of the peer may have crossed ours, which it hung up on in favour of its own.
      await pause(this.#shared.limits.secondDiallerDelayMs)
      await this.#attempt(neighbour)
    }
    if (neighbour.active !== null) return
    throw neighbour.lastError ?? reasonOf('not_connected', `${peerId} is not connected`)
  }

  async #attempt(neighbour: Neighbour): Promise<void> {
    if (neighbour.active !== null) return
    await this.#dialler.dialNow(neighbour)
    for (const link of neighbour.links) await link.isAdmitted
  }

  /** Keep-alives out, silent links closed. Not while our own clock was late: then we were deaf. */
  tick(isOwnLoopLate: boolean): void {
    const { limits, counters, now } = this.#shared
    for (const link of this.activeLinks()) {
      const silentMs = now() - link.lastHeard
      if (silentMs > limits.silentAfterMs && !isOwnLoopLate) {
        counters.silencesClosed += 1
        link.close(reasonOf('silent', `nothing heard for ${Math.round(silentMs)} ms`))
      } else {
        link.keepAlive()
      }
    }
  }

  #add(member: Member): void {
    const neighbour = createNeighbour(member, this.#shared)
    this.#neighbours.set(member.peerId, neighbour)
    this.#dialler.dialFirst(neighbour)
  }

  /** A new address may have come with the change. */
  #update(neighbour: Neighbour, member: Member): void {
    neighbour.member = member
    if (neighbour.lastError?.code !== 'no_address') return
    neighbour.lastError = null
    this.#dialler.dialSoon(neighbour)
  }

  #preference(): Preference {
    const { limits, now } = this.#shared
    return { ownPeerId: this.#parts.ownPeerId, limits, now: now() }
  }

  #remove(neighbour: Neighbour): void {
    const reason = reasonOf('refused', 'not a member any more')
    neighbour.isRemoved = true
    this.#neighbours.delete(neighbour.member.peerId)
    this.#dialler.stop(neighbour)
    const wasActive = neighbour.active !== null
    neighbour.active = null
    for (const link of neighbour.links) link.leave(reason)
    this.#parts.forget(neighbour.member.peerId)
    if (wasActive) {
      this.#parts.handlers.onPeer(neighbour.member.peerId, 'disconnected', reason.message)
    }
  }

  async #greet(neighbour: Neighbour, link: Link): Promise<void> {
    const { limits } = this.#shared
    const signal = AbortSignal.timeout(limits.helloTimeoutMs)
    if (link.connection.direction === 'inbound') {
      await this.#expectHello(link)
      return
    }
    let hello: Hello
    try {
      hello = await offerHello(link.connection, this.#parts.ownHello(), { limits, signal })
    } catch (error) {
      const isLate = signal.aborted && link.isOpen
      const late = noHello(neighbour.member, limits.helloTimeoutMs)
      this.refuse(link, isLate ? late : asNetworkError(error))
      return
    }
    this.greeted(link, hello)
  }

  #expectHello(link: Link): Promise<void> {
    const { limits } = this.#shared
    const timer = setTimeout(
      () => this.refuse(link, noHello(link.member, limits.helloTimeoutMs)),
      limits.helloTimeoutMs,
    )
    return link.isAdmitted.then(() => clearTimeout(timer))
  }

  #use(neighbour: Neighbour, link: Link, hello: Hello): void {
    const { peerId, name } = neighbour.member
    neighbour.active = link
    neighbour.refusals = 0
    neighbour.lastError = null
    neighbour.reported = null
    link.admit()
    const { direction } = link.connection
    this.#shared.log('info', 'peer connected', { peer: name, peerId, direction })
    this.#parts.handlers.onPeer(peerId, 'connected')
    this.#parts.handlers.onHello?.(peerId, hello)
  }

  #lost(neighbour: Neighbour, link: Link): void {
    const { limits, log, now } = this.#shared
    const reason = link.closeReason ?? reasonOf('closed', 'closed')
    neighbour.active = null
    if (reason.code !== 'disconnected') {
      const isStable = now() - link.openedAt >= limits.stableAfterMs
      const isReplaced = neighbour.links.size > 0
      if (isStable) neighbour.failures = 0
      else if (!isReplaced) neighbour.failures += 1
    }
    neighbour.lastError = reason
    const { peerId, name } = neighbour.member
    if (this.#isClosed) return
    log('info', 'peer disconnected', { peer: name, peerId, reason: reason.message })
    this.#parts.handlers.onPeer(peerId, 'disconnected', reason.message)
  }

  #refusedByPeer(neighbour: Neighbour, link: Link, detail: string): void {
    const { limits, now } = this.#shared
    if (neighbour.active !== null || neighbour.links.size > 0) return
    neighbour.failures += 1
    neighbour.hasAnswered = true
    const openMs = now() - link.openedAt
    if (link.connection.direction === 'inbound' || openMs > limits.earlyCloseMs) {
      neighbour.lastError = reasonOf('closed', detail)
      return
    }
    neighbour.refusals += 1
    const error = notAdmitted(neighbour.member, openMs, this.#parts.ownPeerId)
    // Once is no sign: two dials that cross look the same.
    if (neighbour.refusals > 1) this.#report(neighbour, error)
    else neighbour.lastError = error
  }

  #violated(neighbour: Neighbour, link: Link, reason: NetworkError): void {
    const { log, now } = this.#shared
    log('warn', 'peer broke the protocol', { peer: link.member.name, reason: reason.message })
    if (!neighbour.violations.take(1, now())) this.disconnect(link.member.peerId, reason.message)
  }

  #report(neighbour: Neighbour, error: NetworkError): void {
    const { log, now } = this.#shared
    neighbour.lastError = error
    const { reported } = neighbour
    if (reported?.code === error.code && now() - reported.at < REPORT_AGAIN_MS) return
    neighbour.reported = { code: error.code, at: now() }
    const { name, peerId } = neighbour.member
    log('warn', 'peer not connected', {
      peer: name,
      peerId,
      code: error.code,
      reason: error.message,
    })
  }
}

function reasonOf(code: NetworkErrorCode, message: string): NetworkError {
  return new NetworkError(code, message)
}

function asNetworkError(error: unknown): NetworkError {
  if (error instanceof NetworkError) return error
  return new NetworkError('closed', messageOf(error), {}, { cause: error })
}
