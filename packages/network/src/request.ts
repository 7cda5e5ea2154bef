// One question, one answer, one stream: block ranges, certificates, snapshots; of records many on one stream, one
// after the other (request-streams.ts).
//
// A peer may have a few questions of a kind open at a time, on both sides: ours wait their turn, one too
// many of theirs is told that we are busy. Answers are paid from a budget of bytes per second, so that a
// node which syncs cannot crowd out the votes; the shortest one costs something, for it had to be found.
// Records are not even read before there is a place for them and their peer is out of debt. Every step has
// the deadline of the whole. The numbers of each kind are in request-terms.ts.
//
// An answer starts with one byte: 0 and the payload, or 1 and a code that says why not.

import type { Stream } from '@libp2p/interface'
import { messageOf, NetworkError } from './errors.ts'
import { readFrame, writeFrame } from './frames.ts'
import type { Link, Shared } from './link.ts'
import { Places } from './places.ts'
import { anotherComes, IdleStreams } from './request-streams.ts'
import { type RequestTerms, requestTerms } from './request-terms.ts'
import { TokenBucket } from './token-bucket.ts'
import type { NetworkHandlers, RequestProtocol } from './types.ts'

const OK = 0
const REFUSED = 1
const REASON_BYTES_MAX = 64

/** What is needed of a link. */
export type RequestLink = Pick<Link, 'member' | 'connection' | 'heard'>

interface Lane {
  open: number
  waiting: (() => void)[]
}

/** Room for one question of a peer on this side. */
interface Seat {
  isBusy: boolean
  leave: () => void
}

export class Requests {
  readonly #shared: Shared
  readonly #onRequest: NetworkHandlers['onRequest']
  readonly #terms: Record<RequestProtocol, RequestTerms>
  readonly #places: Places
  readonly #lanes = new Map<string, Lane>()
  readonly #serving = new Map<string, number>()
  readonly #budgets = new Map<string, TokenBucket>()
  readonly #idle: IdleStreams

  constructor(shared: Shared, onRequest: NetworkHandlers['onRequest']) {
    this.#shared = shared
    this.#onRequest = onRequest
    this.#terms = requestTerms(shared.limits)
    this.#idle = new IdleStreams(shared.limits.idleAskerMs)
    this.#places = new Places(shared.limits.recordsPlacesMax, shared.limits.recordsPerPeer)
  }

  async request(
    link: RequestLink,
    protocol: RequestProtocol,
    payload: Uint8Array,
    timeoutMs: number,
  ): Promise<Uint8Array> {
    const { counters } = this.#shared
    const terms = this.#terms[protocol]
    if (payload.length > terms.requestBytesMax) {
      throw new NetworkError('too_large', `a request of ${payload.length} bytes`)
    }
    counters.requestsSent += 1
    const signal = AbortSignal.timeout(timeoutMs)
    const leave = await this.#enter(`${link.member.peerId} ${protocol}`, terms.perPeer, signal)
    try {
      const answer = await this.#ask(link, terms, payload, signal)
      this.#countRecords(terms, payload, answer)
      return unwrap(answer, link.member.name)
    } catch (error) {
      counters.requestsFailed += 1
      throw asRequestError(error, signal, `${protocol} from ${link.member.name}`)
    } finally {
      leave()
    }
  }

  async serve(link: RequestLink, protocol: RequestProtocol, stream: Stream): Promise<void> {
    const { counters, log } = this.#shared
    const { serveTimeoutMs, isRepeated } = this.#terms[protocol]
    const idleMs = isRepeated ? this.#shared.limits.idleAnswererMs : 0
    try {
      do {
        const signal = AbortSignal.timeout(serveTimeoutMs)
        const outcome = await this.#serve(link, protocol, stream, signal)
        counters[outcome === OK ? 'requestsServed' : 'requestsRefused'] += 1
      } while (await anotherComes(stream, idleMs))
      await stream.close({ signal: AbortSignal.timeout(serveTimeoutMs) })
    } catch (error) {
      counters.requestsRefused += 1
      stream.abort(error instanceof Error ? error : new Error(messageOf(error)))
      log('debug', 'request not served', {
        peer: link.member.name,
        protocol,
        reason: messageOf(error),
      })
    }
  }

  async #serve(
    link: RequestLink,
    protocol: RequestProtocol,
    stream: Stream,
    signal: AbortSignal,
  ): Promise<number | undefined> {
    const { writeBytesMax } = this.#shared.limits
    const { peerId } = link.member
    const terms = this.#terms[protocol]
    const seat = await this.#seat(peerId, protocol, stream, signal)
    try {
      const payload = await readFrame(stream, terms.requestBytesMax, signal)
      link.heard()
      const answer = seat.isBusy
        ? refusal('busy')
        : await beforeAbort(this.#answer(peerId, protocol, payload), signal)
      const asked = terms.budget === 'records' ? payload.length : 0
      await pause(this.#spend(peerId, terms, asked + answer.length + terms.overheadBytes), signal)
      await writeFrame(stream, answer, { writeBytesMax, signal })
      this.#countRecords(terms, answer, payload)
      return answer[0]
    } finally {
      seat.leave()
    }
  }

  async #seat(
    peerId: string,
    protocol: RequestProtocol,
    stream: Stream,
    signal: AbortSignal,
  ): Promise<Seat> {
    if (protocol !== 'records') return this.#count(peerId, protocol)
    stream.pause()
    const leave = await this.#places.enter(peerId, signal)
    try {
      await pause(this.#spend(peerId, this.#terms.records, 0), signal)
      if (stream.status !== 'open') throw new NetworkError('closed', 'the peer has given up')
      stream.resume()
    } catch (error) {
      leave()
      throw error
    }
    return { isBusy: false, leave }
  }

  #count(peerId: string, protocol: RequestProtocol): Seat {
    const key = `${peerId} ${protocol}`
    const open = this.#serving.get(key) ?? 0
    this.#serving.set(key, open + 1)
    const leave = () => {
      const left = (this.#serving.get(key) ?? 1) - 1
      if (left === 0) this.#serving.delete(key)
      else this.#serving.set(key, left)
    }
    return { isBusy: open >= this.#terms[protocol].perPeer, leave }
  }

  async #answer(
    peerId: string,
    protocol: RequestProtocol,
    payload: Uint8Array,
  ): Promise<Uint8Array> {
    try {
      const body = await this.#onRequest(peerId, protocol, payload)
      if (body.length >= this.#terms[protocol].responseBytesMax) return refusal('too_large')
      const answer = new Uint8Array(1 + body.length)
      answer[0] = OK
      answer.set(body, 1)
      return answer
    } catch (error) {
      const reason = messageOf(error)
      this.#shared.log('debug', 'request refused', { peerId, protocol, reason })
      return refusal(codeOf(error))
    }
  }

  async #ask(
    link: RequestLink,
    terms: RequestTerms,
    payload: Uint8Array,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    const earlier = terms.isRepeated ? this.#idle.take(link) : undefined
    if (earlier !== undefined) {
      try {
        return await this.#askOn(link, earlier, { terms, payload, signal })
      } catch (error) {
        // The other side may have ended it while the question was on its way.
        if (!(error instanceof NetworkError) || error.code !== 'closed') throw error
      }
    }
    const stream = await link.connection.newStream(terms.id, { signal })
    return await this.#askOn(link, stream, { terms, payload, signal })
  }

  async #askOn(
    link: RequestLink,
    stream: Stream,
    { terms, payload, signal }: { terms: RequestTerms; payload: Uint8Array; signal: AbortSignal },
  ): Promise<Uint8Array> {
    const { writeBytesMax } = this.#shared.limits
    const onMessage = () => link.heard()
    stream.addEventListener('message', onMessage)
    try {
      await writeFrame(stream, payload, { writeBytesMax, signal })
      const answer = await readFrame(stream, terms.responseBytesMax, signal)
      stream.removeEventListener('message', onMessage)
      if (terms.isRepeated) this.#idle.keep(link, stream)
      else await stream.close({ signal })
      return answer
    } catch (error) {
      stream.abort(error instanceof Error ? error : new Error(messageOf(error)))
      throw error
    }
  }

  async #enter(key: string, perPeer: number, signal: AbortSignal): Promise<() => void> {
    const { requestsWaitingMax } = this.#shared.limits
    const lane = this.#lanes.get(key) ?? { open: 0, waiting: [] }
    this.#lanes.set(key, lane)
    if (lane.open < perPeer) lane.open += 1
    else if (lane.waiting.length < requestsWaitingMax) await turn(lane, signal)
    else throw new NetworkError('busy', `${lane.waiting.length} requests wait already`)
    return () => {
      const next = lane.waiting.shift()
      if (next !== undefined) next()
      else lane.open -= 1
      if (lane.open === 0) this.#lanes.delete(key)
    }
  }

  forget(peerId: string): void {
    for (const { budget } of Object.values(this.#terms)) this.#budgets.delete(`${peerId} ${budget}`)
  }

  #countRecords({ budget }: RequestTerms, sent: Uint8Array, received: Uint8Array): void {
    if (budget !== 'records') return
    this.#shared.counters.recordsBytesSent += sent.length
    this.#shared.counters.recordsBytesReceived += received.length
  }

  /** How long the debt of this peer takes to refill. */
  #spend(peerId: string, { budget, bytesPerSecond }: RequestTerms, cost: number): number {
    const { limits, now } = this.#shared
    const key = `${peerId} ${budget}`
    const known = this.#budgets.get(key)
    const bucket =
      known ?? new TokenBucket(bytesPerSecond * limits.burstSeconds, bytesPerSecond, now())
    if (known === undefined) this.#budgets.set(key, bucket)
    return bucket.spend(cost, now())
  }
}

function turn(lane: Lane, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const onAbort = () => {
    lane.waiting = lane.waiting.filter((waiting) => waiting !== resolve)
    reject(new NetworkError('timeout', 'no turn in time'))
  }
  lane.waiting.push(resolve)
  signal.addEventListener('abort', onAbort)
  return promise.finally(() => signal.removeEventListener('abort', onAbort))
}

async function pause(waitMs: number, signal: AbortSignal): Promise<void> {
  if (waitMs === 0) return
  let timer: NodeJS.Timeout | undefined
  const waited = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, waitMs)
  })
  try {
    await beforeAbort(waited, signal)
  } finally {
    clearTimeout(timer)
  }
}

function beforeAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const onAbort = () => reject(new NetworkError('timeout', 'the answer would come too late'))
  signal.addEventListener('abort', onAbort)
  return Promise.race([work, promise]).finally(() => signal.removeEventListener('abort', onAbort))
}

function refusal(code: string): Uint8Array {
  const text = new TextEncoder().encode(code).subarray(0, REASON_BYTES_MAX)
  const answer = new Uint8Array(1 + text.length)
  answer[0] = REFUSED
  answer.set(text, 1)
  return answer
}

function unwrap(answer: Uint8Array, peer: string): Uint8Array {
  if (answer[0] === OK) return answer.subarray(1)
  const text = new TextDecoder().decode(answer.subarray(1, 1 + REASON_BYTES_MAX))
  const code = /^[a-z0-9_]+$/.test(text) ? text : 'failed'
  const isBusy = code === 'busy'
  throw new NetworkError(isBusy ? 'busy' : 'refused', `${peer} refused: ${code}`, { reason: code })
}

function codeOf(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code
  return 'failed'
}

function asRequestError(error: unknown, signal: AbortSignal, what: string): NetworkError {
  if (error instanceof NetworkError) return error
  const code = signal.aborted ? 'timeout' : 'closed'
  return new NetworkError(code, `no ${what}: ${messageOf(error)}`, {}, { cause: error })
}
