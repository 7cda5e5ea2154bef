/** The hands of a traitor in this simulation: around one machine, and what the world lets it do. */
import {
  type BlockMeta,
  type Certificate,
  type ConsensusState,
  type Outgoing,
  type Subject,
  type Vote,
  type VoteKind,
  ZERO_DIGEST,
} from '@mooring/consensus'
import type { Hands } from './actor.ts'
import { type Block, childOf, GENESIS, INVALID, type Packet, SIGNATURE } from './blocks.ts'
import type { Machine } from './machine.ts'
import type { Random } from './random.ts'
import type { World } from './world.ts'

export class MachineHands implements Hands {
  readonly #machine: Machine
  readonly #world: World
  readonly #emit: (to: number, packet: Packet) => void

  constructor(machine: Machine, world: World, emit: (to: number, packet: Packet) => void) {
    this.#machine = machine
    this.#world = world
    this.#emit = emit
  }

  get node(): number {
    return this.#machine.node
  }

  get epoch(): number {
    return this.#machine.epoch
  }

  get index(): number {
    const { place } = this.#machine
    if (place === null) throw new Error(`node ${this.node} acts and is no authority`)
    return place
  }

  get members(): readonly number[] {
    return this.#machine.members
  }

  get others(): readonly number[] {
    return this.#machine.members.filter((node) => node !== this.node)
  }

  get state(): ConsensusState {
    return this.#machine.state
  }

  get random(): Random {
    return this.#world.random
  }

  get deltaMs(): number {
    return this.#world.plan.deltaMs
  }

  wall(): number {
    return this.#machine.wall()
  }

  shuffled(): number[] {
    const rest = [...this.others]
    const order: number[] = []
    while (rest.length > 0) order.push(...rest.splice(this.random.between(0, rest.length - 1), 1))
    return order
  }

  sign(kind: VoteKind, subject: Subject): Vote {
    const vote = { kind, subject, signer: this.index }
    this.#world.oracle.signed(vote, true, this.node)
    return { ...vote, signature: SIGNATURE }
  }

  nullify(view: number): Vote {
    const place = { epoch: this.epoch, view, parentView: 0, height: 0 }
    return this.sign('nullify', { ...place, digest: ZERO_DIGEST })
  }

  emit(to: number, packet: Packet, afterMs = 0): void {
    if (afterMs === 0) this.#emit(to, packet)
    else this.#machine.later(afterMs, () => this.#emit(to, packet))
  }

  say(to: number, message: Outgoing, afterMs = 0): void {
    this.emit(to, { kind: 'message', message, from: this.node }, afterMs)
  }

  block(
    parent: BlockMeta,
    place: { view: number; parentView: number },
    content: readonly string[],
  ): Block {
    return this.#make(parent, { ...place, next: null }, content)
  }

  sealing(parent: BlockMeta, place: { view: number; parentView: number }): Block | null {
    const next = this.#world.drawNext()
    return next === null ? null : this.#make(parent, { ...place, next }, [])
  }

  #make(
    parent: BlockMeta,
    place: { view: number; parentView: number; next: readonly number[] | null },
    content: readonly string[],
  ): Block {
    const { view, parentView, next } = place
    const { epoch } = this
    const time = Math.max(this.wall(), parent.time + 1)
    const block = childOf(parent, { epoch, view, parentView, time, next }, content)
    const isValid = !content.includes(INVALID)
    this.#world.oracle.made(block.meta, { epoch, next, isValid })
    return block
  }

  proposalOf(block: Block, justification: readonly Certificate[]): Packet {
    const { view, parentView, height, digest } = block.meta
    const vote = this.sign('notarize', { epoch: this.epoch, view, parentView, height, digest })
    const proposal = { block: block.meta, vote, justification }
    return { kind: 'proposal', proposal, block, from: this.node }
  }

  proposalAgain(
    digest: string,
    place: { view: number; parentView: number },
    justification: readonly Certificate[],
  ): Packet | null {
    const block = this.#machine.ledger.find(digest)
    if (block === undefined) return null
    const { height } = block.meta
    const vote = this.sign('notarize', { epoch: this.epoch, ...place, height, digest })
    const proposal = { block: block.meta, vote, justification }
    return { kind: 'proposal', proposal, block, from: this.node }
  }

  find(digest: string): BlockMeta | undefined {
    return digest === GENESIS.digest ? GENESIS : this.#machine.ledger.find(digest)?.meta
  }

  hold(block: Block): void {
    this.#machine.ledger.hold(block)
  }

  lastFinal(count: number): readonly BlockMeta[] {
    return this.#machine.ledger.log.slice(-count).map(({ block }) => block.meta)
  }
}
