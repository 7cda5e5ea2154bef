/**
 * What one process lacks, from its peers: single blocks by digest, and ranges of final ones. It stands
 * for `node/src/sync.ts`: an answer counts for what it proves, a range is applied only while it fits on
 * the tip and no further than the end of the epoch, and where agreement has brought the tip past the
 * target meanwhile, sync ends without a word.
 */
import type { Certificate } from '@mooring/consensus'
import type { FinalEntry } from './actor.ts'
import { type Block, digestOf } from './blocks.ts'
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

  /** An epoch has a repair of its own: what the last one still waits for is of no use. */
  #later(ms: number, run: () => void): void {
    this.#machine.later(ms, () => {
      if (this.#machine.repair === this) run()
    })
  }

  #fetch(digest: string, holders: readonly number[], attempt: number): void {
    const machine = this.#machine
    const peer = this.#choose(attempt < 2 * holders.length ? holders : null)
    this.#later(this.#world.random.between(5, 60), () => {
      const block = peer === undefined ? undefined : this.#ask(peer, digest)
      if (block !== undefined) {
        this.#fetching.delete(digest)
        machine.ledger.hold(block)
        return machine.feed({ type: 'block', block: block.meta })
      }
      if (machine.ledger.isExecuted(digest)) this.#fetching.delete(digest)
      else this.#later(PAUSE_MS, () => this.#fetch(digest, holders, attempt + 1))
    })
  }

  #ask(peer: Machine, digest: string): Block | undefined {
    const { random, faults } = this.#world
    if (!this.#answers(peer) || random.chance(faults.loss / 2)) return undefined
    const held = peer.ledger.find(digest)
    if (held === undefined) return undefined
    const acting = this.#world.actingOf(peer)
    const block = acting?.actor.serveBlock?.(held, acting.hands) ?? held
    if (digestOf(block) === digest) return block
    this.#world.count('lie refused: block')
    return undefined
  }

  #syncSoon(ms: number): void {
    if (this.#isSyncing) return
    this.#isSyncing = true
    this.#later(ms + this.#world.random.between(10, this.#world.faults.syncMs), () => {
      this.#isSyncing = false
      this.#syncOnce()
    })
  }

  #syncOnce(): void {
    if (!this.#isBehind()) return
    const from = this.#machine.ledger.log.length
    const peer = this.#choose(null)
    if (peer === undefined || !this.#answers(peer)) return this.#syncSoon(PAUSE_MS)
    const range = this.#askRange(peer, from)
    const finalization = range.at(-1)?.finalization ?? null
    if (finalization === null) return this.#syncSoon(PAUSE_MS)
    this.#isSyncing = true
    this.#later(this.#world.random.between(1, 30), () => this.#apply(from, range, finalization))
  }

  /** What a peer serves, up to where it is proven and the epoch lasts; nothing of it if it lies. */
  #askRange(peer: Machine, from: number): readonly FinalEntry[] {
    const { random } = this.#world
    const kept = peer.disk.chain.slice(from, from + random.between(1, RANGE_MAX))
    const acting = this.#world.actingOf(peer)
    const range = acting?.actor.serveRange?.(kept, acting.hands) ?? kept
    const end = range.findIndex(({ block }) => block.next !== null)
    const proven = complete(end < 0 ? range : range.slice(0, end + 1))
    if (this.#isProven(proven)) return proven
    this.#world.count('lie refused: range')
    return []
  }

  #isProven(range: readonly FinalEntry[]): boolean {
    const { oracle } = this.#world
    let below = this.#machine.ledger.tip
    for (const { block, finalization } of range) {
      const { meta } = block
      if (meta.parent !== below.digest || meta.height !== below.height + 1) return false
      if (digestOf(block) !== meta.digest) return false
      if (finalization !== null) {
        const { kind, subject } = finalization
        const isOf = subject.digest === meta.digest && subject.epoch === this.#machine.epoch
        if (kind !== 'finalize' || !isOf || !oracle.isCertificate(finalization)) return false
      }
      below = meta
    }
    return true
  }

  #apply(from: number, range: readonly FinalEntry[], finalization: Certificate): void {
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
      // A second report, long after: nothing may move back, and another epoch may have begun.
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
    if (!peer.isUp || !this.#world.isConnected(this.#machine.node, peer.node)) return false
    return (
      peer.isHonest ||
      (this.#world.plan.actors.get(peer.node) !== 'silent' && this.#world.random.chance(0.7))
    )
  }

  #choose(holders: readonly number[] | null): Machine | undefined {
    const others = this.#world.machines.filter(
      (peer) => peer.node !== this.#machine.node && this.#answersLater(peer),
    )
    const known = others.filter(({ node }) => holders?.includes(node) === true)
    const candidates = known.length > 0 ? known : others
    return candidates.length === 0 ? undefined : this.#world.random.pick(candidates)
  }

  #answersLater(peer: Machine): boolean {
    return peer.isUp && this.#world.isConnected(this.#machine.node, peer.node)
  }
}

/** Up to the last entry with a finalization. */
function complete(entries: readonly FinalEntry[]): readonly FinalEntry[] {
  const last = entries.findLastIndex(({ finalization }) => finalization !== null)
  return entries.slice(0, last + 1)
}
