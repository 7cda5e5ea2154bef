/**
 * The network between processes: connections that come, break and come again, and what travels on them.
 * A cut link loses what is sent, and only after a while both ends notice; who is dropped as a liar is
 * dialled again after a pause.
 */
import type { Network, PeerInfo } from '@mooring/network'
import type { Random } from '../random.ts'
import type { Scheduler } from '../scheduler.ts'
import { peerIdOf } from './keys.ts'
import type { WholeFaults, WholePlan } from './plan.ts'
import type { Process } from './process.ts'

export interface SwitchWorld {
  readonly scheduler: Scheduler
  readonly random: Random
  readonly faults: WholeFaults
  readonly plan: Pick<WholePlan, 'earlier'>
  readonly processes: readonly Process[]
  count(what: string): void
  note(process: Process, what: string): void
  /** What leaves a process, before the links. */
  sent(from: Process, to: number, frame: Uint8Array): void
  gossiped(from: Process, batch: Uint8Array): void
  dropped(by: Process, peer: number, reason: string): void
  answers(server: Process, asker: number, payload: Uint8Array): Uint8Array
}

export type Port = Pick<
  Network,
  'send' | 'speaks' | 'peers' | 'request' | 'publishTransactions' | 'disconnect' | 'refresh'
>

interface Session {
  readonly lives: readonly [unknown, unknown]
}

const TICK_MS = 250
/** Gossip remembers what it has seen. */
const SEEN_MAX = 2_000

export class Switchboard {
  readonly #world: SwitchWorld
  readonly #sessions = new Map<string, Session>()
  readonly #shut = new Map<string, number>()
  readonly #seen = new Map<Process, Set<number>>()
  #cuts = new Set<number>()
  #messages = 0
  #slow: readonly [number, number] | null = null

  constructor(world: SwitchWorld) {
    this.#world = world
    world.scheduler.every(TICK_MS, () => this.#tick())
  }

  slowDown(link: readonly [number, number] | null): void {
    this.#slow = link
  }

  heal(): void {
    this.#cuts = new Set()
  }

  calm(): void {
    this.heal()
    this.#shut.clear()
  }

  breakSomehow(count: number): string {
    const { random } = this.#world
    const all = Array.from({ length: count }, (_, index) => index)
    const some = all.filter(() => random.chance(0.5))
    const others = all.filter((index) => !some.includes(index))
    const one = [random.pick(all)]
    const shape = random.pick(['halves', 'one way', 'isolated', 'deaf'] as const)
    if (shape === 'halves') this.#cut(some, others, true)
    else if (shape === 'one way') this.#cut(some, others, false)
    else if (shape === 'isolated') this.#cut(one, all, true)
    else this.#cut(all, one, false)
    return shape
  }

  isCut(from: number, to: number): boolean {
    return this.#cuts.has(from * 256 + to)
  }

  /** The process is gone; who was connected hears it at once, or not when the machine is off. */
  ended(process: Process, isNoticed: boolean): void {
    this.#seen.delete(process)
    if (!isNoticed) return
    for (const other of this.#world.processes) if (other !== process) this.#close(process, other)
  }

  portOf(process: Process): Port {
    return {
      send: (peerId, _channel, frame) => {
        const to = this.#indexOf(peerId)
        if (to === null || process.isOver) return false
        this.#world.sent(process, to, frame)
        return this.#isConnected(process, to)
      },
      speaks: (peerId, version) => {
        const to = this.#indexOf(peerId)
        const isEarlier = version > 1 && to === this.#world.plan.earlier
        return to !== null && !isEarlier && this.#isConnected(process, to)
      },
      peers: () => this.#peersOf(process),
      request: (peerId, _protocol, payload, { timeoutMs }) =>
        this.#request(process, this.#indexOf(peerId), payload, timeoutMs),
      publishTransactions: (batch) => {
        if (!process.isOver) this.#world.gossiped(process, batch)
        return Promise.resolve(0)
      },
      refresh: () => this.#refresh(process),
      disconnect: (peerId, reason) => {
        const peer = this.#indexOf(peerId)
        if (peer === null || process.isOver) return
        this.#world.dropped(process, peer, reason)
        for (const other of this.#world.processes) {
          if (other.index !== peer) continue
          this.#shut.set(pairOf(process, other), this.#world.scheduler.now + 2_000)
          this.#close(process, other)
        }
      },
    }
  }

  /** Carries a frame over the links, once, twice or not at all. */
  deliver(from: Process, to: number, frame: Uint8Array): void {
    for (const target of this.#world.processes) {
      if (target.index !== to || !target.hears(from.index)) continue
      const session = this.#sessions.get(pairOf(from, target))
      if (session === undefined) continue
      this.#carry(from, target, () => {
        if (this.#sessions.get(pairOf(from, target)) === session)
          target.receive(from.index, frame.slice())
      })
    }
  }

  /** A batch that is offered again is another message, as it is to the real gossip. */
  gossip(from: Process, batch: Uint8Array): void {
    this.#messages += 1
    this.#spread(from, batch, { name: this.#messages, except: null })
  }

  #spread(
    from: Process,
    batch: Uint8Array,
    { name, except }: { name: number; except: Process | null },
  ): void {
    this.#hasSeen(from, name)
    for (const target of this.#world.processes) {
      if (target === from || target === except) continue
      const session = this.#sessions.get(pairOf(from, target))
      if (session === undefined || !target.hears(from.index)) continue
      this.#carry(from, target, () => {
        if (this.#sessions.get(pairOf(from, target)) !== session) return
        if (this.#hasSeen(target, name)) return
        if (target.receiveTransactions(from.index, batch.slice()) === 'accept')
          this.#spread(target, batch, { name, except: from })
      })
    }
  }

  /** The membership changed: who is no member any more goes at once. */
  #refresh(process: Process): void {
    for (const other of this.#world.processes)
      if (other !== process && !process.knows(other.index)) this.#close(process, other)
  }

  #hasSeen(process: Process, name: number): boolean {
    const seen = this.#seen.get(process) ?? new Set<number>()
    this.#seen.set(process, seen)
    if (seen.has(name)) return true
    seen.add(name)
    const [oldest] = seen
    if (seen.size > SEEN_MAX && oldest !== undefined) seen.delete(oldest)
    return false
  }

  #carry(from: Process, to: Process, deliver: () => void): void {
    const { random, scheduler, faults } = this.#world
    if (this.isCut(from.index, to.index) || random.chance(faults.loss)) return
    scheduler.after(this.#delayOf(from, to), deliver)
    if (random.chance(faults.duplication)) scheduler.after(3 * this.#delayOf(from, to), deliver)
  }

  #delayOf(from: Process, to: Process): number {
    const { random, faults } = this.#world
    const [low, high] = faults.delayMs
    const isSlow =
      this.#slow !== null && this.#slow.includes(from.index) && this.#slow.includes(to.index)
    return random.between(low, high) + (isSlow ? faults.slowLinkMs : 0)
  }

  // oxlint-disable-next-line max-params
  #request(
    from: Process,
    to: number | null,
    payload: Uint8Array,
    timeoutMs: number,
  ): Promise<Uint8Array> {
    const { life } = from
    const target = this.#world.processes.find(
      (process) => process.index === to && process.hears(from.index),
    )
    const session = target === undefined ? undefined : this.#sessions.get(pairOf(from, target))
    if (life === null || target === undefined || session === undefined)
      return Promise.reject(new Error('the peer is not connected'))
    return new Promise((resolve, reject) => {
      const cancel = life.after(timeoutMs, () =>
        reject(new Error('the peer did not answer in time')),
      )
      this.#carry(from, target, () => {
        if (target.isOver) return
        const answer = this.#answerOf(target, from.index, payload)
        this.#carry(target, from, () => {
          if (life.isOver) return
          cancel()
          if (answer === null) reject(new Error('the peer has failed to answer'))
          else resolve(answer.slice())
        })
      })
    })
  }

  #answerOf(target: Process, asker: number, payload: Uint8Array): Uint8Array | null {
    try {
      return this.#world.answers(target, asker, payload.slice())
    } catch (error) {
      this.#world.note(target, `could not answer ${asker}: ${String(error)}`)
      return null
    }
  }

  #indexOf(peerId: string): number | null {
    return this.#world.processes.find(({ index }) => peerIdOf(index) === peerId)?.index ?? null
  }

  #isConnected(process: Process, to: number): boolean {
    return this.#world.processes.some(
      (other) => other.index === to && this.#sessions.has(pairOf(process, other)),
    )
  }

  #peersOf(process: Process): PeerInfo[] {
    const indexes = new Set(this.#world.processes.map(({ index }) => index))
    indexes.delete(process.index)
    return [...indexes].map((index) => ({
      peerId: peerIdOf(index),
      name: process.nameOf(index),
      authority: true,
      connected: this.#isConnected(process, index),
      lastHeard: process.heardAt.get(index) ?? 0,
      rttMs: null,
      direction: 'outbound' as const,
      height: null,
      lastError: null,
    }))
  }

  #tick(): void {
    const { processes } = this.#world
    for (const [place, a] of processes.entries())
      for (const b of processes.slice(place + 1)) if (a.index !== b.index) this.#tickPair(a, b)
  }

  #tickPair(a: Process, b: Process): void {
    const { random, scheduler, faults } = this.#world
    const name = pairOf(a, b)
    const session = this.#sessions.get(name)
    const isSound = !this.isCut(a.index, b.index) && !this.isCut(b.index, a.index)
    if (session !== undefined) {
      const isSame = session.lives[0] === a.life && session.lives[1] === b.life
      if (!isSame || a.isOver || b.isOver || (!isSound && random.chance(0.08)))
        return this.#close(a, b)
      if (!this.isCut(a.index, b.index) && !random.chance(faults.loss)) b.heard(a.index)
      if (!this.isCut(b.index, a.index) && !random.chance(faults.loss)) a.heard(b.index)
      return
    }
    const isShut = (this.#shut.get(name) ?? 0) > scheduler.now
    if (a.isOver || b.isOver || !isSound || isShut || !random.chance(0.7)) return
    if (!a.knows(b.index) || !b.knows(a.index)) return
    this.#sessions.set(name, { lives: [a.life, b.life] })
    a.heard(b.index)
    b.heard(a.index)
    for (const process of [a, b]) process.peersChanged()
  }

  #close(a: Process, b: Process): void {
    if (!this.#sessions.delete(pairOf(a, b))) return
    for (const process of [a, b]) process.peersChanged()
  }

  #cut(from: readonly number[], to: readonly number[], isBothWays: boolean): void {
    for (const a of from)
      for (const b of to) {
        if (a === b) continue
        this.#cuts.add(a * 256 + b)
        if (isBothWays) this.#cuts.add(b * 256 + a)
      }
  }
}

function pairOf(a: Process, b: Process): string {
  return a.place < b.place ? `${a.place} ${b.place}` : `${b.place} ${a.place}`
}
