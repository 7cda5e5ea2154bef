/**
 * The hands of a traitor: what one that runs the honest machine can do besides. An actor sees what
 * arrives, decides what leaves, and may sign anything with its own key, but nothing with another.
 */
import {
  type BlockMeta,
  type Certificate,
  type ConsensusState,
  type Outgoing,
  type Subject,
  type UnsignedVote,
  type Vote,
  type VoteKind,
  ZERO_DIGEST,
} from '@mooring/consensus'
import { type Block, childOf, GENESIS, type Packet } from './blocks.ts'
import { type Machine, SIGNATURE } from './machine.ts'
import type { Random } from './random.ts'
import type { World } from './world.ts'

export interface Actor {
  /** Instead of sending a packet of the honest machine to this peer. */
  send?(packet: Packet, to: number, hands: Hands): void
  /** Before the honest machine sees what has arrived. */
  hear?(packet: Packet, hands: Hands): void
  /** Every 50 ms. */
  act?(hands: Hands): void
}

export class Hands {
  readonly machine: Machine
  readonly others: readonly number[]
  readonly #world: World
  readonly #emit: (to: number, packet: Packet) => void

  constructor(machine: Machine, world: World, emit: (to: number, packet: Packet) => void) {
    this.machine = machine
    this.#world = world
    this.#emit = emit
    const all = Array.from({ length: world.plan.authorities }, (_, index) => index)
    this.others = all.filter((index) => index !== machine.index)
  }

  get index(): number {
    return this.machine.index
  }

  get state(): ConsensusState {
    return this.machine.state
  }

  get random(): Random {
    return this.#world.random
  }

  get deltaMs(): number {
    return this.#world.plan.deltaMs
  }

  get authorities(): number {
    return this.#world.plan.authorities
  }

  /** The others in random order. */
  shuffled(): number[] {
    const rest = [...this.others]
    const order: number[] = []
    while (rest.length > 0) order.push(...rest.splice(this.random.between(0, rest.length - 1), 1))
    return order
  }

  sign(kind: VoteKind, subject: Subject): Vote {
    const vote: UnsignedVote = { kind, subject, signer: this.index }
    this.#world.oracle.signed(vote, true)
    return { ...vote, signature: SIGNATURE }
  }

  nullify(view: number): Vote {
    const place = { epoch: 0, view, parentView: 0, height: 0 }
    return this.sign('nullify', { ...place, digest: ZERO_DIGEST })
  }

  emit(to: number, packet: Packet, afterMs = 0): void {
    if (afterMs === 0) this.#emit(to, packet)
    else this.machine.later(afterMs, () => this.#emit(to, packet))
  }

  say(to: number, message: Outgoing, afterMs = 0): void {
    this.emit(to, { kind: 'message', message, from: this.index }, afterMs)
  }

  sayAll(message: Outgoing): void {
    for (const to of this.others) this.say(to, message)
  }

  /** A block of its own on any parent it knows. */
  block(parent: BlockMeta, place: { view: number; parentView: number }, content: string[]): Block {
    const time = Math.max(this.machine.wall(), parent.time + 1)
    const block = childOf(parent, { ...place, time }, content)
    this.#world.oracle.made(block.meta)
    return block
  }

  proposalOf(block: Block, justification: readonly Certificate[]): Packet {
    const { view, parentView, height, digest } = block.meta
    const vote = this.sign('notarize', { epoch: 0, view, parentView, height, digest })
    const proposal = { block: block.meta, vote, justification }
    return { kind: 'proposal', proposal, block, from: this.index }
  }

  find(digest: string): BlockMeta | undefined {
    return digest === GENESIS.digest ? GENESIS : this.machine.ledger.find(digest)?.meta
  }
}
