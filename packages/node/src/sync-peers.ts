// What sync has learned of each peer: how much is asked of it now, whether it is left alone for a while,
// and from which height on it has blocks. And who was found to send what must not be sent, by name.
//
// A peer that lies is dropped by the network and left alone here for longer; one that is slow, silent or
// short of breath is asked less.

import type { Clock } from './clock.ts'

export interface SyncPeer {
  readonly peerId: string
  readonly name: string
  /** Position in the authority set; null for an observer. */
  readonly index: number | null
  /** The final height that it last told of. */
  readonly height: number | null
}

export interface BadPeer {
  readonly name: string
  readonly reason: string
  readonly count: number
}

interface Health {
  inFlight: number
  failures: number
  shortAnswers: number
  pausedUntil: number
  /** It has no bodies below. */
  lowest: number
  usedAt: number
}

const IN_FLIGHT_MAX = 2
const PAUSE_MS = 250
const PAUSE_MAX_MS = 15_000
const BLAMED_MS = 60_000
const SHORT_ANSWERS_MAX = 4
const USED_MS = 5_000
const BAD_MAX = 64

export class SyncPeers {
  readonly #clock: Clock
  readonly #connected: () => readonly SyncPeer[]
  readonly #health = new Map<string, Health>()
  readonly #bad = new Map<string, BadPeer>()
  #turn = 0

  constructor(clock: Clock, connected: () => readonly SyncPeer[]) {
    this.#clock = clock
    this.#connected = connected
  }

  get all(): readonly SyncPeer[] {
    return this.#connected()
  }

  /** The least busy of those that can have the height; null when none has a hand free. */
  pick(height: number, isExcluded: (peer: SyncPeer) => boolean): SyncPeer | null {
    const now = this.#clock.monotonic()
    const free = this.#connected().filter((peer) => {
      const health = this.#of(peer.peerId)
      return (
        health.inFlight < IN_FLIGHT_MAX &&
        health.pausedUntil <= now &&
        health.lowest <= height &&
        !isExcluded(peer)
      )
    })
    const told = free.filter((peer) => peer.height !== null && peer.height >= height)
    const candidates = told.length > 0 ? told : free
    const least = Math.min(...candidates.map(({ peerId }) => this.#of(peerId).inFlight))
    const idle = candidates.filter(({ peerId }) => this.#of(peerId).inFlight === least)
    this.#turn += 1
    return idle[this.#turn % Math.max(1, idle.length)] ?? null
  }

  /** Any of these positions that is connected, else anybody, in turn. */
  next(holders: readonly number[] | null): SyncPeer | undefined {
    const peers = this.#connected()
    const known = peers.filter(({ index }) => index !== null && holders?.includes(index) === true)
    const candidates = known.length > 0 ? known : peers
    this.#turn += 1
    return candidates[this.#turn % Math.max(1, candidates.length)]
  }

  asked({ peerId }: SyncPeer): void {
    const health = this.#of(peerId)
    health.inFlight += 1
    health.usedAt = this.#clock.monotonic()
  }

  answered({ peerId }: SyncPeer): void {
    this.#of(peerId).inFlight -= 1
  }

  helped({ peerId }: SyncPeer): void {
    this.#of(peerId).failures = 0
  }

  /** Whether an answer ended where nothing made it end. */
  ended({ peerId }: SyncPeer, isShort: boolean): void {
    const health = this.#of(peerId)
    health.shortAnswers = isShort ? health.shortAnswers + 1 : 0
    if (health.shortAnswers < SHORT_ANSWERS_MAX) return
    health.shortAnswers = 0
    health.pausedUntil = this.#clock.monotonic() + PAUSE_MAX_MS
  }

  /** How often in a row by now. */
  failed({ peerId }: SyncPeer): number {
    const health = this.#of(peerId)
    health.failures += 1
    const pauseMs = Math.min(PAUSE_MAX_MS, PAUSE_MS * 2 ** (health.failures - 1))
    health.pausedUntil = this.#clock.monotonic() + pauseMs
    return health.failures
  }

  /** It keeps nothing at this height. */
  lacks({ peerId }: SyncPeer, height: number): void {
    const health = this.#of(peerId)
    health.lowest = Math.max(health.lowest, height + 1)
  }

  blamed({ peerId, name }: SyncPeer, reason: string): void {
    this.#of(peerId).pausedUntil = this.#clock.monotonic() + BLAMED_MS
    const count = (this.#bad.get(name)?.count ?? 0) + 1
    this.#bad.delete(name)
    this.#bad.set(name, { name, reason, count })
    const [oldest] = this.#bad.keys()
    if (this.#bad.size > BAD_MAX && oldest !== undefined) this.#bad.delete(oldest)
  }

  bad(): readonly BadPeer[] {
    return [...this.#bad.values()]
  }

  /** Whom anything was asked of a moment ago. */
  used(): string[] {
    const since = this.#clock.monotonic() - USED_MS
    return this.#connected()
      .filter(({ peerId }) => (this.#health.get(peerId)?.usedAt ?? -Infinity) >= since)
      .map(({ name }) => name)
  }

  #of(peerId: string): Health {
    const known = this.#health.get(peerId)
    if (known !== undefined) return known
    const fresh = {
      inFlight: 0,
      failures: 0,
      shortAnswers: 0,
      pausedUntil: 0,
      lowest: 0,
      usedAt: -Infinity,
    }
    this.#health.set(peerId, fresh)
    return fresh
  }
}
