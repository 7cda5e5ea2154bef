/**
 * One node: the real state machine of `packages/consensus`, and around it a shell that keeps the contract of
 * `node/src/driver.ts`. Votes are journalled, and leave when the disk has them; finalizes are marked only when what
 * they rest on is durable; what is durable meanwhile shares one sync. What a node hears and does takes its turn on
 * its one thread. Who is no authority runs the same machine and follows.
 */
import {
  type Action,
  type BlockMeta,
  type Certificate,
  type ConsensusState,
  type Event,
  type Outgoing,
  start,
  step,
  type Vote,
} from '@mooring/consensus'
import { isSentToAll } from '../../../packages/network/src/gossip.ts'
import { defaultLimits } from '../../../packages/network/src/limits.ts'
import { CompactTurns } from '../../../packages/node/src/compact-turns.ts'
import { WHOLE_BYTES_MAX } from '../../../packages/node/src/driver.ts'
import { TransactionGossip } from '../../../packages/node/src/transaction-gossip.ts'
import { GENESIS, SIGNATURE, WALL_ZERO } from '../blocks.ts'
import type { Finalizations } from './chain.ts'
import { Content } from './content.ts'
import { Disk } from './disk.ts'
import { Follower } from './follower.ts'
import { judgeMessage, judgeProposal } from './judging.ts'
import { bytesOfTransaction, type Packet, type ProposalPacket, transactionsIn } from './packets.ts'
import { Processor } from './processor.ts'
import type { ScaleWorld } from './world.ts'

type VoteAction = Extract<Action, { type: 'vote' | 'propose' }>

/** As `node/src/epoch.ts` has them. */
const SKIP_MS = 4_000
const STATUS_MS = 3_000
const PEERS_MS = 1_000
const PRECISION_MS = 500

export class ScaleNode {
  readonly index: number
  readonly processor: Processor
  readonly content: Content
  readonly finalizations: Finalizations = new Map()
  readonly #world: ScaleWorld
  readonly #disk: Disk
  readonly #follower: Follower
  readonly #gossip: TransactionGossip
  readonly #timers = new Map<string, number>()
  readonly #compact = new CompactTurns()
  readonly #heardNames = new Set<number>()
  /** Compact proposals of which transactions are on their way. */
  readonly #lacking = new Map<string, ProposalPacket>()
  #timerCount = 0
  #state: ConsensusState
  #queue: Event[] = []
  #isStepping = false
  #emptyView = 0

  constructor(index: number, world: ScaleWorld) {
    this.index = index
    this.#world = world
    this.processor = new Processor(world.scheduler)
    this.content = new Content(world.chain, world.costs, this.processor)
    this.#disk = new Disk(world.scheduler, this.processor, world.costs.syncMs)
    this.#follower = new Follower(this, world)
    this.#gossip = this.#createGossip()
    const { deltaMs, authorities } = world
    const me = index < authorities ? index : null
    const skipMs = Math.max(SKIP_MS, 7 * deltaMs)
    const timing = { deltaMs, skipMs, statusMs: STATUS_MS, minBlockIntervalMs: 0 }
    const config = { epoch: 0, authorities, me, ...timing, precisionMs: PRECISION_MS }
    const nothing = { certificates: [], votes: [], blocks: [], finalization: null, rejoin: null }
    const marks = { notarize: 0, nullify: 0, finalize: 0 }
    const recovered = { committed: GENESIS, marks, ...nothing }
    const first = start(config, recovered, this.#clock())
    this.#state = first.state
    this.processor.do(() => {
      this.#perform(first.actions)
      this.#drain()
    })
    this.#hearPeers()
    if (me === null) this.#follower.follow()
  }

  get state(): ConsensusState {
    return this.#state
  }

  /** From a client of this node: what is accepted is on its disk first; what finds no room is refused. */
  submit(transaction: number): void {
    const { costs } = this.#world
    this.processor.do(() => {
      if (!this.content.hasRoom()) return
      this.content.admit([transaction])
      this.#disk.whenDurable(() => {
        this.#gossip.add([bytesOfTransaction(transaction, costs.transactionBytes)])
        this.#reconsiderWork()
      })
    })
  }

  receive(from: number, packet: Packet): void {
    const take = (): void => {
      this.processor.spend(this.#world.costs.frameMs)
      this.#take(from, packet)
    }
    if (packet.kind === 'gossip') this.processor.doPatiently(take)
    else this.processor.do(take)
  }

  feed(event: Event): void {
    this.#queue.push(event)
    this.#drain()
  }

  send(to: readonly number[], packet: Packet): void {
    this.processor.spend(to.length * this.#world.costs.frameMs)
    this.#world.send(this.index, to, packet, this.processor.time)
  }

  /** These are final, in this order, and executed. */
  seal(blocks: readonly BlockMeta[], finalization: Certificate): void {
    const bodies = blocks.map((meta) => this.#world.chain.finalize(meta, this.index))
    for (const body of bodies) this.content.seal(body)
    const tip = blocks.at(-1)
    if (tip !== undefined) this.finalizations.set(tip.height, finalization)
    this.#disk.whenDurable(() => {
      this.#world.committed(
        this.index,
        bodies.flatMap(({ transactions }) => transactions),
      )
      this.#reconsiderWork()
    })
  }

  #take(from: number, packet: Packet): void {
    const { costs } = this.#world
    const judging = { costs, processor: this.processor, state: this.#state, content: this.content }
    switch (packet.kind) {
      case 'message':
        return this.#feedIf(judgeMessage(packet.message, from, judging))
      case 'proposal':
        return this.#takeProposal(from, packet, judging)
      case 'ask-transactions': {
        const { digest, count } = packet
        return this.send([from], { kind: 'transactions', digest, count })
      }
      case 'transactions': {
        const lacking = this.#lacking.get(packet.digest)
        this.#lacking.delete(packet.digest)
        return lacking && this.#feedIf(judgeProposal(lacking, from, judging))
      }
      case 'gossip':
        return this.#hear(from, packet)
      case 'ask-block':
      case 'ask-range':
      case 'block':
      case 'range':
        return this.#follower.take(from, packet)
    }
  }

  /** What is missing of a compact one is asked for; the vote of the leader counts meanwhile. */
  #takeProposal(
    from: number,
    packet: ProposalPacket,
    judging: Parameters<typeof judgeProposal>[2],
  ): void {
    const { proposal, body, isCompact } = packet
    const count = isCompact ? this.content.missing(body) : 0
    if (count === 0) return this.#feedIf(judgeProposal(packet, from, judging))
    const { digest } = body.meta
    this.#lacking.set(digest, packet)
    const of = body.transactions.length
    this.send([from], { kind: 'ask-transactions', digest, count, of })
    this.#feedIf(judgeMessage({ kind: 'votes', votes: [proposal.vote] }, from, judging))
  }

  #feedIf(event: Event | null): void {
    if (event !== null) this.feed(event)
  }

  /** What is new and good goes on to the mesh, at once, unless everybody has it from its sender. */
  #hear(from: number, packet: Extract<Packet, { kind: 'gossip' }>): void {
    if (this.#heardNames.has(packet.name)) return
    this.#heardNames.add(packet.name)
    if (!this.content.admit(packet.transactions)) return
    const others = (this.#world.mesh[this.index] ?? []).filter((node) => node !== from)
    if (!packet.isSentToAll) this.send(others, packet)
    this.#reconsiderWork()
  }

  #createGossip(): TransactionGossip {
    const { scheduler, mesh, nodes } = this.#world
    const everybody = Array.from({ length: nodes }, (_, node) => node)
    const others = everybody.filter((node) => node !== this.index)
    const after = (ms: number, run: () => void) => {
      let isWanted = true
      scheduler.after(ms, () => this.processor.do(() => (isWanted ? run() : undefined)))
      return () => {
        isWanted = false
      }
    }
    const clock = { monotonic: () => this.processor.time, wall: () => this.#wall(), after }
    const publish = (batch: Uint8Array): Promise<void> => {
      const name = this.#world.nextName()
      this.#heardNames.add(name)
      const isToAll = isSentToAll(batch.length, nodes, defaultLimits)
      this.send(isToAll ? others : (mesh[this.index] ?? []), {
        kind: 'gossip',
        name,
        transactions: transactionsIn(batch),
        isSentToAll: isToAll,
      })
      return Promise.resolve()
    }
    return new TransactionGossip(clock, publish, (error) => {
      throw error
    })
  }

  #wall(): number {
    return WALL_ZERO + this.processor.time
  }

  #clock(): { monotonic: number; wall: number } {
    return { monotonic: this.processor.time, wall: this.#wall() }
  }

  /** Nobody goes away in these runs, so that everybody has just been heard. */
  #hearPeers(): void {
    this.processor.do(() => {
      const heard = Array.from({ length: this.#world.authorities }, () => this.processor.time)
      this.feed({ type: 'peers', heard })
    })
    this.#world.scheduler.after(PEERS_MS, () => this.#hearPeers())
  }

  #drain(): void {
    if (this.#isStepping) return
    this.#isStepping = true
    const { costs, authorities } = this.#world
    for (let event = this.#queue.shift(); event !== undefined; event = this.#queue.shift()) {
      this.processor.spend(costs.stepMs + authorities * costs.stepAuthorityMs)
      const { state, actions } = step(this.#state, event, this.#clock())
      this.#state = state
      this.#compact.follow(state)
      this.#perform(actions)
      if (this.#queue.length === 0) this.#enqueueWork()
    }
    this.#isStepping = false
  }

  #reconsiderWork(): void {
    this.#emptyView = 0
    const waiting = this.content.hasReady(this.#state)
    if (waiting !== this.#state.isWaiting) this.feed({ type: 'work', waiting })
  }

  #enqueueWork(): void {
    if (this.#emptyView === this.#state.view) return
    const waiting = this.content.hasReady(this.#state)
    if (waiting !== this.#state.isWaiting) this.#queue.push({ type: 'work', waiting })
  }

  #perform(actions: readonly Action[]): void {
    const given = actions.filter((action) => action.type === 'vote' || action.type === 'propose')
    const finalizes = given.filter(({ vote }) => vote.kind === 'finalize')
    const votes = given.filter(({ vote }) => vote.kind !== 'finalize')
    const signed = this.#sign(votes)
    for (const action of actions) this.#performOne(action)
    if (votes.length > 0) this.#disk.whenDurable(() => this.#release(votes, signed))
    if (finalizes.length === 0) return
    this.#disk.whenDurable(() => {
      const after = this.#sign(finalizes)
      this.#disk.whenDurable(() => this.#release(finalizes, after))
    })
  }

  #sign(actions: readonly VoteAction[]): Vote[] {
    this.processor.spend(actions.length * this.#world.costs.signMs)
    return actions.map(({ vote: { kind, subject, signer } }) => ({
      kind,
      subject,
      signer,
      signature: SIGNATURE,
    }))
  }

  #release(actions: readonly VoteAction[], votes: readonly Vote[]): void {
    for (const [index, action] of actions.entries()) {
      const vote = votes[index]
      if (vote === undefined) continue
      if (action.type === 'propose') this.#sendProposal(vote, action.justification)
      else this.#broadcast({ kind: 'votes', votes: [vote] })
    }
    this.feed({ type: 'votes', votes })
  }

  #sendProposal(vote: Vote, justification: readonly Certificate[]): void {
    const body = this.#world.chain.body(vote.subject.digest)
    const proposal = { block: body.meta, vote, justification }
    const isCompact = body.bytes > WHOLE_BYTES_MAX && this.#compact.mayName(this.#state)
    if (isCompact) this.#compact.named(vote.subject.view)
    this.send(this.#others(), { kind: 'proposal', proposal, body, isCompact })
  }

  #broadcast(message: Outgoing): void {
    this.send(this.#others(), { kind: 'message', message })
  }

  #others(): number[] {
    const all = Array.from({ length: this.#world.authorities }, (_, index) => index)
    return all.filter((index) => index !== this.index)
  }

  #performOne(action: Action): void {
    switch (action.type) {
      case 'journal':
      case 'vote':
      case 'propose':
        return
      case 'send':
        return this.send([action.to], { kind: 'message', message: action.message })
      case 'broadcast':
        return this.#broadcast(action.message)
      case 'build':
        return this.#build(action)
      case 'execute':
        this.content.execute(action.digest)
        this.#queue.push({ type: 'executed', digest: action.digest, outcome: 'valid' })
        return
      case 'fetch-block':
        return this.#follower.fetchBlock(action.digest, action.holders)
      case 'set-timer':
        return this.#setTimer(action)
      case 'commit':
        return this.seal(action.blocks, action.finalization)
      case 'sync':
        return this.#follower.syncTo(action.finalization.subject.height)
      case 'rejoin':
      case 'evidence':
      case 'halt':
        throw new Error(`node ${this.index}: ${action.type} in a run in which nobody is faulty`)
    }
  }

  #build({ parent, view, mayBeEmpty }: Extract<Action, { type: 'build' }>): void {
    const { deltaMs } = this.#world
    const isWorthless = !mayBeEmpty && !this.content.hasReadyOn(parent.digest)
    if (isWorthless) this.#emptyView = view
    const block = isWorthless
      ? null
      : this.content.build(parent, { view, wall: this.#wall(), deltaMs }).meta
    this.#queue.push({ type: 'built', view, block, failed: false })
  }

  #setTimer({ name, view, afterMs }: Extract<Action, { type: 'set-timer' }>): void {
    this.#timerCount += 1
    const mine = this.#timerCount
    this.#timers.set(name, mine)
    this.#world.scheduler.at(this.processor.time + afterMs, () => {
      if (this.#timers.get(name) !== mine) return
      this.processor.do(() => this.feed({ type: 'timer', name, view }))
    })
  }
}
