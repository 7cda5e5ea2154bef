/**
 * What one process lacks, from its peers: single blocks by digest, and ranges of final ones. It stands
 * for `node/src/sync.ts`: a range is applied only while it fits on the tip, and where agreement has
 * brought the tip past the target meanwhile, sync ends without a word.
 */
import type { Certificate } from '@mooring/consensus'
import type { Block } from './blocks.ts'
import type { ChainEntry } from './disk.ts'
import type { Machine } from './machine.ts'
import type { World } from './world.ts'

const PAUSE_MS = 200
const RANGE_MAX = 20

export class Repair {
  readonly #machine: Machine
  readonly #world: World
  readonly #fetching = new Set<string>()
  #target: Certificate | null = null
  #isSyncing = false

  constructor(machine: Machine, world: World) {
    this.#machine = machine
    this.#world = world
  }

  fetchBlock(digest: string, holders: readonly number[]): void {
    if (this.#fetching.has(digest)) return
    this.#fetching.add(digest)
    this.#world.count('fetch')
    this.#fetch(digest, holders, 0)
  }

  syncTo(finalization: Certificate): void {
    if (finalization.subject.height <= (this.#target?.subject.height ?? 0)) return
    this.#target = finalization
    this.#syncSoon(0)
  }

  #fetch(digest: string, holders: readonly number[], attempt: number): void {
    const machine = this.#machine
    const peer = this.#choose(attempt < 2 * holders.length ? holders : null)
    machine.later(this.#world.random.between(5, 60), () => {
      const block = peer === undefined ? undefined : this.#ask(peer, digest)
      if (block !== undefined) {
        this.#fetching.delete(digest)
        machine.ledger.hold(block)
        return machine.feed({ type: 'block', block: block.meta })
      }
      if (machine.ledger.isExecuted(digest)) this.#fetching.delete(digest)
      else machine.later(PAUSE_MS, () => this.#fetch(digest, holders, attempt + 1))
    })
  }

  #ask(peer: Machine, digest: string): Block | undefined {
    const { random, faults } = this.#world
    if (!this.#answers(peer)) return undefined
    if (random.chance(faults.loss / 2)) return undefined
    return peer.ledger.find(digest)
  }

  #syncSoon(ms: number): void {
    if (this.#isSyncing) return
    this.#isSyncing = true
    this.#machine.later(ms + this.#world.random.between(10, this.#world.faults.syncMs), () => {
      this.#isSyncing = false
      this.#syncOnce()
    })
  }

  #syncOnce(): void {
    if (!this.#isBehind()) return
    const { ledger } = this.#machine
    const from = ledger.log.length
    const peer = this.#choose(null)
    if (peer === undefined || !this.#answers(peer)) return this.#syncSoon(PAUSE_MS)
    const range = complete(
      peer.disk.chain.slice(from, from + this.#world.random.between(1, RANGE_MAX)),
    )
    const finalization = range.at(-1)?.finalization ?? null
    if (finalization === null) return this.#syncSoon(PAUSE_MS)
    this.#machine.later(this.#world.random.between(1, 30), () =>
      this.#apply(from, range, finalization),
    )
    this.#isSyncing = true
  }

  #apply(from: number, range: readonly ChainEntry[], finalization: Certificate): void {
    const machine = this.#machine
    this.#isSyncing = false
    if (machine.ledger.log.length === from) {
      for (const { block } of range) {
        machine.ledger.hold(block)
        machine.ledger.execute(block.meta.digest)
      }
      machine.seal(
        range.map(({ block }) => block.meta),
        finalization,
      )
      this.#world.count('synced range')
      const block = machine.ledger.tip
      machine.feed({ type: 'synced', block, finalization })
      // A second report, long after: nothing may move back.
      machine.later(this.#world.random.between(1, 3_000), () =>
        machine.feed({ type: 'synced', block, finalization }),
      )
    }
    if (machine.isUp && this.#isBehind()) this.#syncSoon(0)
  }

  #isBehind(): boolean {
    return (this.#target?.subject.height ?? 0) > this.#machine.ledger.tip.height
  }

  /** Traitors answer when they like. */
  #answers(peer: Machine): boolean {
    if (!peer.isUp || !this.#world.isConnected(this.#machine.index, peer.index)) return false
    return (
      peer.isHonest ||
      (this.#world.plan.actors.get(peer.index) !== 'silent' && this.#world.random.chance(0.5))
    )
  }

  #choose(holders: readonly number[] | null): Machine | undefined {
    const others = this.#world.machines.filter(
      (peer) => peer.index !== this.#machine.index && this.#answersLater(peer),
    )
    const known = others.filter(({ index }) => holders?.includes(index) === true)
    const candidates = known.length > 0 ? known : others
    return candidates.length === 0 ? undefined : this.#world.random.pick(candidates)
  }

  #answersLater(peer: Machine): boolean {
    return peer.isUp && this.#world.isConnected(this.#machine.index, peer.index)
  }
}

/** Up to the last entry with a finalization. */
function complete(entries: readonly ChainEntry[]): readonly ChainEntry[] {
  const last = entries.findLastIndex(({ finalization }) => finalization !== null)
  return entries.slice(0, last + 1)
}
