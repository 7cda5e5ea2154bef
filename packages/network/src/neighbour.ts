// What the supervisor remembers of one member between connections, and the sentences about it.

import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { messageOf, NetworkError, type NetworkErrorCode } from './errors.ts'
import type { Limits } from './limits.ts'
import type { Link, Shared } from './link.ts'
import { TokenBucket } from './token-bucket.ts'
import type { Member, MonotonicMs } from './types.ts'

export interface Neighbour {
  member: Member
  isRemoved: boolean
  /** Open connections, greeted or not; `active` is the one in use. */
  links: Set<Link>
  active: Link | null
  dial: { controller: AbortController; startedAt: MonotonicMs; ended: Promise<void> } | null
  timer: NodeJS.Timeout | undefined
  /** Failures in a row; they set the pace of the next dial. */
  failures: number
  /** Whether the last failure was a refusal; else nobody was there. */
  hasAnswered: boolean
  /** Early closes in a row: see `notAdmitted`. */
  refusals: number
  notBefore: MonotonicMs
  /** Between the last dial and the next. */
  redialMs: number
  lastHeard: MonotonicMs
  lastError: NetworkError | null
  reported: { code: NetworkErrorCode; at: MonotonicMs } | null
  inbound: TokenBucket
  violations: TokenBucket
}

export function createNeighbour(member: Member, { limits, now }: Shared): Neighbour {
  return {
    member,
    isRemoved: false,
    links: new Set(),
    active: null,
    dial: null,
    timer: undefined,
    failures: 0,
    hasAnswered: false,
    refusals: 0,
    notBefore: 0,
    redialMs: 0,
    lastHeard: 0,
    lastError: null,
    reported: null,
    inbound: new TokenBucket(limits.inboundPerPeerBurst, limits.inboundPerPeerPerSecond, now()),
    violations: new TokenBucket(limits.violationsBurst, limits.violationsPerSecond, now()),
  }
}

/** Fast at first, then full jitter under a bound that doubles up to its maximum. */
export function backoffMs(
  { failures, hasAnswered }: Pick<Neighbour, 'failures' | 'hasAnswered'>,
  limits: Limits,
  random: number,
): number {
  const { fastRetries, fastRetryMs, backoffMinMs } = limits
  const slow = failures - fastRetries
  if (slow < 0) return fastRetryMs * (0.8 + 0.4 * random)
  const maxMs = hasAnswered ? limits.backoffMaxMs : limits.unansweredMaxMs
  const boundMs = Math.min(maxMs, backoffMinMs * 2 ** Math.min(slow, 16))
  return backoffMinMs + random * (boundMs - backoffMinMs)
}

export function parseAddress(address: string, peerId: string): Multiaddr {
  const parsed = multiaddr(address)
  const hasPeerId = parsed.getComponents().some(({ name }) => name === 'p2p')
  return hasPeerId ? parsed : parsed.encapsulate(`/p2p/${peerId}`)
}

export function nameOf(member: Member): string {
  return member.name === member.peerId ? member.peerId : `${member.name} (${member.peerId})`
}

export function notAdmitted(member: Member, openMs: number, ownPeerId: string): NetworkError {
  return new NetworkError(
    'not_admitted',
    `${nameOf(member)} closed the connection after ${Math.round(openMs)} ms, before its hello: ` +
      `it has probably not admitted this node, ${ownPeerId}`,
    { peer: member.peerId, ownPeerId },
  )
}

export function noHello(member: Member, waitedMs: number): NetworkError {
  return new NetworkError(
    'hello_timeout',
    `no hello from ${nameOf(member)} within ${waitedMs} ms`,
    { peer: member.peerId, waitedMs },
  )
}

export function noAnswer(
  member: Member,
  addresses: readonly Multiaddr[],
  waitedMs: number,
  cause: unknown,
): NetworkError {
  const where = addresses.map(placeOf).join(' or ')
  const message = `${nameOf(member)} ${describeFailure(where, waitedMs, cause)}`
  return new NetworkError('dial_failed', message, { peer: member.peerId }, { cause })
}

function describeFailure(where: string, waitedMs: number, cause: unknown): string {
  const isTimeout = cause instanceof Error && /^(Timeout|Abort)Error$/.test(cause.name)
  if (isTimeout)
    return `does not answer at ${where} within ${waitedMs / 1_000} s: its computer is off, or the path to it is cut`
  const reason = messageOf(cause)
  if (reason.includes('ECONNREFUSED'))
    return `refuses connections at ${where}: its node is probably not running`
  return `cannot be reached at ${where}: ${reason}`
}

/** "10.2.0.7:7420" */
function placeOf(address: Multiaddr): string {
  const values = address.getComponents().filter(({ name }) => name !== 'p2p')
  return values.map(({ value }) => value).join(':')
}

export function badAddress(member: Member, address: string, cause: unknown): NetworkError {
  const message = `${nameOf(member)} has an address that is none, ${address}: ${messageOf(cause)}`
  return new NetworkError('bad_address', message, { peer: member.peerId, address }, { cause })
}

export function noAddress(member: Member): NetworkError {
  const message = `no address is known for ${nameOf(member)}: it has to dial`
  return new NetworkError('no_address', message, { peer: member.peerId })
}
