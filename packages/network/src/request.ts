// One question, one answer, one stream: block ranges and certificates.
//
// A peer may have two questions of a kind open at a time, on both sides: ours wait their turn, a third
// one of theirs is told that we are busy. Answers are paid from a budget of bytes per second, so that a
// node which syncs cannot crowd out the votes; the shortest one costs something, for it had to be found.
// Every step has the deadline of the whole.
//
// An answer starts with one byte: 0 and the payload, or 1 and a code that says why not.

import type { Stream } from '@libp2p/interface'
import { messageOf, NetworkError } from './errors.ts'
import { readFrame, writeFrame } from './frames.ts'
import type { Link, Shared } from './link.ts'
import { TokenBucket } from './token-bucket.ts'
import type { NetworkHandlers, RequestProtocol } from './types.ts'

export const REQUEST_PROTOCOLS: Record<RequestProtocol, string> = {
  blocks: '/mooring/blocks/1',
  certificates: '/mooring/certificates/1',
  snapshot: '/mooring/snapshot/1',
}

const OK = 0
const REFUSED = 1
const REASON_BYTES_MAX = 64

interface Lane {
  open: number
  waiting: (() => void)[]
}

export class Requests {
  readonly #shared: Shared
  readonly #onRequest: NetworkHandlers['onRequest']
  readonly #lanes = new Map<string, Lane>()
  readonly #serving = new Map<string, number>()
  readonly #budgets = new Map<string, TokenBucket>()

  constructor(shared: Shared, onRequest: NetworkHandlers['onRequest']) {
    this.#shared = shared
    this.#onRequest = onRequest
  }

  async request(
    link: Link,
    protocol: RequestProtocol,
    payload: Uint8Array,
    timeoutMs: number,
  ): Promise<Uint8Array> {
    const { limits, counters } = this.#shared
    if (payload.length > limits.requestBytesMax) {
      throw new NetworkError('too_large', `a request of ${payload.length} bytes`)
    }
    counters.requestsSent += 1
    const signal = AbortSignal.timeout(timeoutMs)
    const leave = await this.#enter(`${link.member.peerId} ${protocol}`, signal)
    try {
      const answer = await this.#ask(link, REQUEST_PROTOCOLS[protocol], payload, signal)
      return unwrap(answer, link.member.name)
    } catch (error) {
      counters.requestsFailed += 1
      throw asRequestError(error, signal, `${protocol} from ${link.member.name}`)
    } finally {
      leave()
    }
  }

  async serve(link: Link, protocol: RequestProtocol, stream: Stream): Promise<void> {
    const { limits, counters, log, now } = this.#shared
    const { peerId, name } = link.member
    const signal = AbortSignal.timeout(limits.requestServeTimeoutMs)
    const key = `${peerId} ${protocol}`
    const open = this.#serving.get(key) ?? 0
    this.#serving.set(key, open + 1)
    try {
      const payload = await readFrame(stream, limits.requestBytesMax, signal)
      link.heard()
      const answer =
        open >= limits.requestsPerPeer
          ? refusal('busy')
          : await beforeAbort(this.#answer(peerId, protocol, payload), signal)
      const cost = answer.length + limits.requestOverheadBytes
      const waitMs = this.#budgetOf(peerId).spend(cost, now())
      await pause(waitMs, signal)
      await writeFrame(stream, answer, { writeBytesMax: limits.writeBytesMax, signal })
      await stream.close({ signal })
      counters[answer[0] === OK ? 'requestsServed' : 'requestsRefused'] += 1
    } catch (error) {
      counters.requestsRefused += 1
      stream.abort(error instanceof Error ? error : new Error(messageOf(error)))
      log('debug', 'request not served', { peer: name, protocol, reason: messageOf(error) })
    } finally {
      const left = (this.#serving.get(key) ?? 1) - 1
      if (left === 0) this.#serving.delete(key)
      else this.#serving.set(key, left)
    }
  }

  async #answer(
    peerId: string,
    protocol: RequestProtocol,
    payload: Uint8Array,
  ): Promise<Uint8Array> {
    const { limits, log } = this.#shared
    try {
      const body = await this.#onRequest(peerId, protocol, payload)
      if (body.length >= limits.responseBytesMax) return refusal('too_large')
      const answer = new Uint8Array(1 + body.length)
      answer[0] = OK
      answer.set(body, 1)
      return answer
    } catch (error) {
      log('debug', 'request refused', { peerId, protocol, reason: messageOf(error) })
      return refusal(codeOf(error))
    }
  }

  async #ask(
    link: Link,
    protocol: string,
    payload: Uint8Array,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    const { writeBytesMax, responseBytesMax } = this.#shared.limits
    const stream = await link.connection.newStream(protocol, { signal })
    stream.addEventListener('message', () => link.heard())
    try {
      await writeFrame(stream, payload, { writeBytesMax, signal })
      const answer = await readFrame(stream, responseBytesMax, signal)
      await stream.close({ signal })
      return answer
    } catch (error) {
      stream.abort(error instanceof Error ? error : new Error(messageOf(error)))
      throw error
    }
  }

  async #enter(key: string, signal: AbortSignal): Promise<() => void> {
    const { requestsPerPeer, requestsWaitingMax } = this.#shared.limits
    const lane = this.#lanes.get(key) ?? { open: 0, waiting: [] }
    this.#lanes.set(key, lane)
    if (lane.open < requestsPerPeer) lane.open += 1
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
    this.#budgets.delete(peerId)
  }

  #budgetOf(peerId: string): TokenBucket {
    const { limits, now } = this.#shared
    const known = this.#budgets.get(peerId)
    if (known !== undefined) return known
    const perSecond = limits.responseBytesPerSecond
    const created = new TokenBucket(perSecond * limits.burstSeconds, perSecond, now())
    this.#budgets.set(peerId, created)
    return created
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
