// When a member is dialled: soon after it went away, then more rarely, and never not at all. How rarely
// depends on whether somebody answers there: see `backoffMs`.

import type { Multiaddr } from '@multiformats/multiaddr'
import type { NetworkError } from './errors.ts'
import type { Shared } from './link.ts'
import {
  backoffMs,
  badAddress,
  type Neighbour,
  noAddress,
  noAnswer,
  parseAddress,
} from './neighbour.ts'
import { isPreferredDialler } from './preference.ts'

export interface DiallerParts {
  shared: Shared
  ownPeerId: string
  addresses: (peerId: string) => string[]
  dial: (addresses: Multiaddr[], signal: AbortSignal) => Promise<unknown>
  report: (neighbour: Neighbour, error: NetworkError) => void
}

export class Dialler {
  readonly #parts: DiallerParts
  readonly #shared: Shared
  #isRunning = false

  constructor(parts: DiallerParts) {
    this.#parts = parts
    this.#shared = parts.shared
  }

  start(): void {
    this.#isRunning = true
  }

  close(): void {
    this.#isRunning = false
  }

  dialFirst(neighbour: Neighbour): void {
    const isFirst = isPreferredDialler(this.#parts.ownPeerId, neighbour.member.peerId)
    this.#dialAfter(neighbour, isFirst ? 0 : this.#shared.limits.secondDiallerDelayMs)
  }

  /** Unless it is connected or being dialled. */
  dialSoon(neighbour: Neighbour): void {
    if (neighbour.links.size > 0 || neighbour.dial !== null) return
    const waitMs = neighbour.notBefore - this.#shared.now()
    const { limits } = this.#shared
    this.#dialAfter(neighbour, waitMs > 0 ? waitMs : backoffMs(neighbour, limits, Math.random()))
  }

  /** Without a wait; resolves when this dial, or the one that is on its way, has ended. */
  async dialNow(neighbour: Neighbour): Promise<void> {
    if (!this.#isRunning || neighbour.isRemoved) return
    clearTimeout(neighbour.timer)
    if (neighbour.dial === null) await this.#dial(neighbour)
    else await neighbour.dial.ended
  }

  stop(neighbour: Neighbour): void {
    clearTimeout(neighbour.timer)
    neighbour.dial?.controller.abort()
  }

  #dialAfter(neighbour: Neighbour, delayMs: number): void {
    clearTimeout(neighbour.timer)
    if (!this.#isRunning || neighbour.isRemoved) return
    neighbour.redialMs = delayMs
    neighbour.timer = setTimeout(() => void this.#dial(neighbour), delayMs)
  }

  async #dial(neighbour: Neighbour): Promise<void> {
    if (neighbour.links.size > 0 || neighbour.dial !== null) return
    const { limits, counters, now } = this.#shared
    const addresses = this.#addressesOf(neighbour)
    if (addresses.length === 0) {
      neighbour.lastError = noAddress(neighbour.member)
      this.#dialAfter(neighbour, limits.backoffMaxMs)
      return
    }
    const controller = new AbortController()
    const ended = Promise.withResolvers<void>()
    neighbour.dial = { controller, startedAt: now(), ended: ended.promise }
    counters.dials += 1
    try {
      const timeout = AbortSignal.timeout(limits.dialTimeoutMs)
      await this.#parts.dial(addresses, AbortSignal.any([controller.signal, timeout]))
    } catch (error) {
      this.#failed(neighbour, addresses, error)
    }
    neighbour.dial = null
    ended.resolve()
    this.dialSoon(neighbour)
  }

  #failed(neighbour: Neighbour, addresses: readonly Multiaddr[], error: unknown): void {
    if (!this.#isRunning || neighbour.links.size > 0) return
    const { counters, limits } = this.#shared
    counters.dialFailures += 1
    neighbour.failures += 1
    neighbour.hasAnswered = false
    const failure = noAnswer(neighbour.member, addresses, limits.dialTimeoutMs, error)
    if (neighbour.failures < limits.fastRetries) neighbour.lastError = failure
    else this.#parts.report(neighbour, failure)
  }

  #addressesOf(neighbour: Neighbour): Multiaddr[] {
    const { peerId } = neighbour.member
    const addresses: Multiaddr[] = []
    for (const address of this.#parts.addresses(peerId)) {
      try {
        addresses.push(parseAddress(address, peerId))
      } catch (error) {
        this.#parts.report(neighbour, badAddress(neighbour.member, address, error))
      }
    }
    return addresses
  }
}
