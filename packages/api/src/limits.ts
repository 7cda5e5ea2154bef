/**
 * How much one node takes at once, and for whom it answers.
 *
 * Three budgets: requests in flight, bytes of bodies being read (a few large uploads weigh as much as
 * many small ones), and requests that wait for finality, which cost a socket and nothing else and so
 * leave the first budget. Who comes too late is told when to try again; nobody queues.
 *
 * The Host header is checked because a web page can make a browser resolve its own name to this node
 * (DNS rebinding): loopback names, configured names and the very address of the connection pass.
 */

import { ApiError } from './errors.ts'

export interface ApiLimits {
  requestTimeoutMs: number
  /** How often Node looks for requests past that time. */
  requestCheckMs: number
  connectionTimeoutMs: number
  keepAliveTimeoutMs: number
  /** Of one listener; the system's own queue holds a few more. */
  connectionsMax: number
  headerBytesMax: number
  inFlightMax: number
  bodyBytesInFlightMax: number
  /** A body that passes through in pieces has no total time; it has this pace instead. */
  uploadBytesMax: number
  uploadGraceMs: number
  uploadBytesPerSecondMin: number
  waitsMax: number
  waitMsMax: number
  streamsMax: number
  /** Of one token or certificate. */
  streamsPerCallerMax: number
  streamQueueMax: number
  streamCommentMs: number
  streamRetryMs: number
  streamStalledMs: number
  closeTimeoutMs: number
  idempotency: { lifetimeMs: number; entriesMax: number; recordsMax: number }
}

export const DEFAULT_LIMITS: ApiLimits = {
  requestTimeoutMs: 10_000,
  requestCheckMs: 2_000,
  connectionTimeoutMs: 10_000,
  keepAliveTimeoutMs: 72_000,
  connectionsMax: 2_000,
  headerBytesMax: 8 * 1024,
  inFlightMax: 256,
  bodyBytesInFlightMax: 256 * 1024 * 1024,
  uploadBytesMax: 16 * 1024 * 1024 * 1024,
  uploadGraceMs: 10_000,
  uploadBytesPerSecondMin: 16 * 1024,
  waitsMax: 1_000,
  waitMsMax: 60_000,
  streamsMax: 100,
  streamsPerCallerMax: 5,
  streamQueueMax: 1_000,
  streamCommentMs: 15_000,
  streamRetryMs: 3_000,
  streamStalledMs: 30_000,
  closeTimeoutMs: 5_000,
  idempotency: {
    lifetimeMs: 24 * 60 * 60 * 1_000,
    entriesMax: 10_000,
    recordsMax: 200_000,
  },
}

/** One request's share of the budgets; every method may be called twice. */
export interface Place {
  /** Moves from the requests in flight to those that wait; false when too many wait. */
  startWaiting(): boolean
  leave(): void
}

export class Budget {
  readonly #limits: ApiLimits
  inFlight = 0
  waiting = 0
  #bodyBytes = 0

  constructor(limits: ApiLimits) {
    this.#limits = limits
  }

  /** Throws `overloaded`. */
  enter(bodyBytes: number): Place {
    const { inFlightMax, bodyBytesInFlightMax } = this.#limits
    if (this.inFlight >= inFlightMax) throw overloaded(`${inFlightMax} requests are in flight.`)
    if (this.#bodyBytes + bodyBytes > bodyBytesInFlightMax) {
      throw overloaded('Bodies of other requests fill the memory set aside for them.')
    }
    this.inFlight += 1
    this.#bodyBytes += bodyBytes
    return this.#place(bodyBytes)
  }

  #place(bodyBytes: number): Place {
    let stage: 'in flight' | 'waiting' | 'gone' = 'in flight'
    const leaveFlight = () => {
      this.inFlight -= 1
      this.#bodyBytes -= bodyBytes
    }
    return {
      startWaiting: () => {
        if (stage !== 'in flight') return stage === 'waiting'
        if (this.waiting >= this.#limits.waitsMax) return false
        stage = 'waiting'
        this.waiting += 1
        leaveFlight()
        return true
      },
      leave: () => {
        if (stage === 'in flight') leaveFlight()
        if (stage === 'waiting') this.waiting -= 1
        stage = 'gone'
      },
    }
  }
}

function overloaded(reason: string): ApiError {
  return new ApiError('overloaded', `${reason} Try again in a moment.`, { retryAfterMs: 1_000 })
}

const LOOPBACK_NAMES: readonly string[] = ['localhost', '127.0.0.1', '::1']
const HOST = /^(?:\[(?<v6>[0-9a-f:.]+)\]|(?<name>[0-9a-z_.-]+))(?::[0-9]{1,5})?$/i

/**
 * Of the probes and the metrics: from a scrape network they are asked by whatever name the node has there, and
 * have no pages; on this computer a page in its browser might ask by a name of its own.
 */
export function checkScraperHost(
  header: string | undefined,
  names: ReadonlySet<string>,
  localAddress: string | undefined,
): void {
  const address = (localAddress ?? '').replace(/^::ffff:/, '')
  const isLoopback = address === '' || address === '::1' || address.startsWith('127.')
  if (isLoopback) checkHost(header, names, localAddress)
}

/** Throws `unknown_host`. */
export function checkHost(
  header: string | undefined,
  names: ReadonlySet<string>,
  localAddress: string | undefined,
): void {
  if (header !== undefined && names.has(header)) return
  const groups = HOST.exec(header ?? '')?.groups
  const name = (groups?.['v6'] ?? groups?.['name'])?.toLowerCase()
  if (name !== undefined) {
    if (names.has(name) || LOOPBACK_NAMES.includes(name)) return
    if (localAddress !== undefined && name === localAddress.replace(/^::ffff:/, '')) return
  }
  throw new ApiError(
    'unknown_host',
    'The Host header names neither this machine nor a name configured for this node.',
  )
}
