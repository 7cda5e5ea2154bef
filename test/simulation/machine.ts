/**
 * One process: the state machine of the current epoch and a shell that keeps the contract of
 * `node/src/driver.ts`, sends at once what is no vote, and begins the next epoch when the block that ends
 * this one is durable. Who is no authority runs the same machine and follows.
 */
import {
  type Action,
  type BlockMeta,
  type Certificate,
  type Clock,
  type ConsensusConfig,
  type ConsensusState,
  type Event,
  leaderOf,
  type Outgoing,
  type Recovered,
  start,
  step,
  type Vote,
} from '@mooring/consensus'
import { type Packet, WALL_ZERO } from './blocks.ts'
import type { Disk } from './disk.ts'
import { EpochHelp } from './epoch-help.ts'
import { EvidenceJudge } from './evidence-judge.ts'
import { Ledger, openTip } from './ledger.ts'
import { isUnfinished, judgeStart, judgeStep, windowOf } from './machine-judge.ts'
import { Repair } from './repair.ts'
import { describeEvent, listActions } from './trace.ts'
import { Violation } from './violation.ts'
import { Voting } from './voting.ts'
import type { World } from './world.ts'

/** More steps in one go than this mean that the machine and its shell drive each other for ever. */
const STEPS_MAX = 2_000

export class Machine {
  readonly node: number
  readonly disk: Disk
  readonly isHonest: boolean
  /** Survives a crash: a node keeps pending transactions on disk. */
  readonly pending = new Set<string>()
  /** By node: when it was last heard, or null. */
  readonly heardAt: (number | null)[]
  isUp = false
  isHalted = false
  life = 0
  steps = 0
  /** How far its wall clock has jumped. */
  jumpMs = 0
  epoch = 0
  /** The authorities of the epoch: nodes in their order. */
  members: readonly number[] = []
  /** Its own place among them; null for who only follows. */
  place: number | null = null
  ledger: Ledger
  repair: Repair
  judge: EvidenceJudge
  help: EpochHelp
  #voting: Voting
  readonly #world: World
  readonly #timers = new Map<string, number>()
  #state: ConsensusState | null = null
  #queue: Event[] = []
  #isStepping = false
  #timerCount = 0

  constructor(node: number, disk: Disk, world: World) {
    this.node = node
    this.disk = disk
    this.#world = world
    this.isHonest = !world.plan.actors.has(node)
    this.heardAt = Array.from({ length: world.plan.nodes }, () => null)
    this.ledger = new Ledger(world.plan.founders, [], [])
    this.repair = new Repair(this, world)
    this.judge = new EvidenceJudge(0, new Set())
    this.help = new EpochHelp(this, world)
    this.#voting = new Voting(this, world)
  }

  get state(): ConsensusState {
    if (this.#state === null) throw new Error(`node ${this.node} was never booted`)
    return this.#state
  }

  wall(): number {
    const skew = this.#world.plan.skewMs[this.node] ?? 0
    return WALL_ZERO + this.#world.scheduler.now + skew + this.jumpMs
  }

  boot(): void {
    this.isUp = true
    this.isHalted = false
    this.life += 1
    this.ledger = new Ledger(this.#world.plan.founders, this.disk.chain, this.disk.blocks())
    this.help = new EpochHelp(this, this.#world)
    this.#voting = new Voting(this, this.#world)
    if (this.ledger.tip.isSealing) this.#world.count('restart between two epochs')
    const recovered = this.#begin()
    if (isUnfinished(recovered)) this.#world.count('restart with an unfinished commit')
  }

  /** Starts the machine of the epoch in which the durable chain stands. */
  #begin(): Recovered {
    const { epoch, members } = this.ledger.turn
    const { random, plan } = this.#world
    const recovered = this.disk.recovered(epoch, random.between(1, 1e9))
    const place = members.indexOf(this.node)
    this.epoch = epoch
    this.members = members
    this.place = place < 0 ? null : place
    this.repair = new Repair(this, this.#world)
    const traitors = members.flatMap((node, index) => (plan.actors.has(node) ? [index] : []))
    this.judge = new EvidenceJudge(epoch, new Set(traitors))
    this.#timers.clear()
    this.#queue = []
    this.#isStepping = false
    this.#voting.found(recovered.blocks.map(({ digest }) => digest))
    for (const vote of recovered.votes) this.#world.oracle.signed(vote, true, this.node)
    const { state, actions } = start(this.#config(), recovered, this.#clock())
    this.#state = state
    judgeStart(this, recovered)
    this.#world.trace(() => `${this.node} starts in epoch ${epoch}, view ${state.view}`)
    this.#perform(actions)
    this.#drain()
    return recovered
  }

  crash(rots: boolean): void {
    if (!this.isUp) return
    this.isUp = false
    this.life += 1
    const outcome = this.disk.cut(this.#world.random)
    if (outcome !== null) this.#world.count(`cut: ${outcome}`)
    if (rots && (outcome === null || outcome === 'nothing') && this.disk.rot())
      this.#world.count('cut: rotten')
    this.#world.trace(() => `${this.node} crashes, group under way: ${outcome ?? 'none'}`)
  }

  feed(event: Event): void {
    if (!this.isUp) return
    this.#queue.push(event)
    this.#drain()
  }

  /** Runs later, unless this process has died in between. */
  later(ms: number, run: () => void): void {
    const { life } = this
    this.#world.scheduler.after(ms, () => {
      if (this.life === life && this.isUp) run()
    })
  }

  /** Blocks made final from outside the state machine, as sync does. */
  seal(blocks: readonly BlockMeta[], finalization: Certificate): void {
    const { oracle, random, faults } = this.#world
    if (this.isHonest) {
      for (const block of blocks) oracle.finalized(block, this.node)
      oracle.certified([finalization], this.node)
    }
    const tip = blocks.at(-1)
    if (tip?.isSealing === true && finalization.subject.view !== tip.view)
      this.#world.count('sealing block final by being proposed again')
    this.disk.commit(this.ledger.seal(blocks, finalization))
    for (const name of this.ledger.included) this.pending.delete(name)
    this.later(random.between(1, faults.commitMs), () => this.#onDurable())
    if (this.place !== null) this.#tellFollowers(finalization)
  }

  /** The epoch ends with the block that is final and durable, not before. */
  #onDurable(): void {
    this.disk.endCommit()
    const { turn } = this.ledger
    if (this.disk.chain.length !== this.ledger.log.length || turn.epoch === this.epoch) return
    this.#world.count('epoch begun')
    if (turn.members.includes(this.node) && this.place === null)
      this.#world.count('became an authority')
    this.#begin()
  }

  #tellFollowers(finalization: Certificate): void {
    const message = { kind: 'certificates', certificates: [finalization] } as const
    for (let node = 0; node < this.#world.plan.nodes; node += 1)
      if (!this.members.includes(node)) this.sendTo(node, message)
  }

  addTransaction(name: string): void {
    if (!this.ledger.included.has(name)) this.pending.add(name)
    this.reconsiderWork()
  }

  reconsiderWork(): void {
    if (!this.isUp) return
    const waiting = this.#hasWork()
    if (waiting !== this.state.isWaiting) this.feed({ type: 'work', waiting })
  }

  broadcast(message: Outgoing): void {
    this.#world.oracle.sent(message, this.node)
    this.sendAll({ kind: 'message', message, from: this.node })
  }

  sendAll(packet: Packet): void {
    for (const to of this.members) if (to !== this.node) this.#world.send(this, to, packet)
  }

  sendTo(node: number, message: Outgoing): void {
    this.#world.oracle.sent(message, this.node)
    this.#world.send(this, node, { kind: 'message', message, from: this.node })
  }

  #config(): ConsensusConfig {
    const { deltaMs, skipMs, minBlockIntervalMs, precisionMs } = this.#world.plan
    const timing = { deltaMs, skipMs, statusMs: 3_000, minBlockIntervalMs, precisionMs }
    return { epoch: this.epoch, authorities: this.members.length, me: this.place, ...timing }
  }

  #clock(): Clock {
    return { monotonic: this.#world.scheduler.now, wall: this.wall() }
  }

  #drain(): void {
    if (this.#isStepping) return
    this.#isStepping = true
    const { life } = this
    let steps = 0
    for (let event = this.#queue.shift(); event !== undefined; event = this.#queue.shift()) {
      this.#step(event)
      if (this.life !== life) return
      if (this.#queue.length === 0) this.#enqueueWork()
      steps += 1
      if (steps > STEPS_MAX) throw new Violation('L7', `node ${this.node} steps without end`)
    }
    this.#isStepping = false
  }

  #step(event: Event): void {
    const before = this.state
    const clock = this.#clock()
    this.#noteLeaders(event)
    const { state, actions } = step(before, event, clock)
    const { actors } = this.#world.plan
    const obeys = this.isHonest || COPIES.has(actors.get(this.node) ?? '')
    this.#state = obeys ? state : { ...state, isHalted: false }
    this.steps += 1
    this.#world.observe({ machine: this, before, event, clock, after: state, actions })
    this.#world.trace(
      () =>
        `${this.node} e${this.epoch} v${state.view} ${describeEvent(event)} ${listActions(actions)}`,
    )
    if (this.isHonest) {
      judgeStep(this.node, before, state)
      this.judge.judge(event, windowOf(before, state), actions)
    }
    if (state.final.view > before.final.view && state.view - state.final.view > 2)
      this.#world.count('finalization of an old view')
    if (this.#world.crashesAt(this, 'before the journal')) return
    this.#perform(actions)
  }

  #noteLeaders(event: Event): void {
    for (const vote of votesOf(event)) {
      const leader = leaderOf(this.epoch, vote.subject.view, this.members.length)
      this.judge.noteLeader(vote, leader)
    }
  }

  #perform(actions: readonly Action[]): void {
    const { votes, finalizes } = this.#voting.journal(actions)
    const { life } = this
    for (const action of actions) {
      this.#performOne(action)
      if (this.life !== life) return
    }
    if (this.#world.crashesAt(this, 'before the sync')) return
    if (votes.length > 0) this.#voting.release(votes)
    if (finalizes.length > 0) this.#voting.finalize(finalizes)
  }

  #performOne(action: Action): void {
    switch (action.type) {
      case 'journal':
      case 'vote':
      case 'propose':
        return
      case 'send': {
        const node = this.members[action.to]
        return node === undefined ? undefined : this.sendTo(node, action.message)
      }
      case 'broadcast':
        return this.broadcast(action.message)
      case 'build':
        return this.#build(action)
      case 'execute':
        return this.#execute(action.digest)
      case 'fetch-block':
        return this.repair.fetchBlock(action.digest, this.#nodesOf(action.holders))
      case 'set-timer':
        return this.#setTimer(action)
      case 'commit':
        this.#voting.forget(action.blocks.map(({ digest }) => digest))
        return this.seal(action.blocks, action.finalization)
      case 'sync':
        this.#world.count('sync')
        return this.repair.syncTo(action.finalization)
      case 'rejoin':
        this.#world.count(action.voteFrom === null ? 'loss of votes forgiven' : 'rejoined')
        return this.disk.rejoin(this.epoch, action.voteFrom)
      case 'evidence':
        this.#world.count(`evidence: ${action.evidence.kind}`)
        if (this.isHonest) this.#world.oracle.accused(action.evidence)
        return
      case 'halt':
        return this.#halt(action.reason.code)
    }
  }

  #nodesOf(places: readonly number[]): number[] {
    return places.flatMap((place) => this.members[place] ?? [])
  }

  #halt(code: string): void {
    this.isHalted = true
    this.#world.count(`halt: ${code}`)
    if (this.isHonest && !this.#world.plan.isOverrun)
      throw new Violation('halt', `node ${this.node} halts: ${code}`)
  }

  #build({ parent, view, mayBeEmpty }: Extract<Action, { type: 'build' }>): void {
    const { plan, oracle } = this.#world
    const wall = this.wall()
    const isBeat = plan.heartbeatMs > 0 && wall - parent.time >= plan.heartbeatMs
    const next = this.#world.drawNext()
    const place = { epoch: this.epoch, view, wall, next, mayBeEmpty: mayBeEmpty || isBeat }
    const block = this.ledger.build(parent, place, this.pending)
    if (block !== null) oracle.made(block.meta, { epoch: this.epoch, next, isValid: true })
    this.#queue.push({ type: 'built', view, block: block?.meta ?? null, failed: false })
  }

  #execute(digest: string): void {
    const { random, faults } = this.#world
    const { epoch } = this
    const finish = (): void => {
      if (this.epoch !== epoch) return
      const block = this.ledger.find(digest)
      const isDead = block === undefined || block.meta.height <= this.ledger.tip.height
      const outcome = isDead ? 'valid' : this.ledger.execute(digest)
      this.feed({ type: 'executed', digest, outcome })
    }
    if (faults.executionMs === 0 || random.chance(0.5)) finish()
    else this.later(random.between(0, faults.executionMs), finish)
  }

  #setTimer({ name, view, afterMs }: Extract<Action, { type: 'set-timer' }>): void {
    this.#timerCount += 1
    const mine = this.#timerCount
    this.#timers.set(name, mine)
    this.later(afterMs, () => {
      if (this.#timers.get(name) === mine) this.feed({ type: 'timer', name, view })
    })
  }

  #enqueueWork(): void {
    const waiting = this.#hasWork()
    if (waiting !== this.state.isWaiting) this.#queue.push({ type: 'work', waiting })
  }

  #hasWork(): boolean {
    const { heartbeatMs } = this.#world.plan
    if (heartbeatMs === 0 && this.pending.size === 0) return false
    const tip = openTip(this.state, this.ledger)
    if (this.ledger.hasReady(tip.digest, this.pending)) return true
    return heartbeatMs > 0 && this.wall() - tip.time >= heartbeatMs
  }
}

/** Traitors whose processes keep every rule, and do wrong by being two. */
const COPIES: ReadonlySet<string> = new Set(['twin', 'restored-backup'])

function votesOf(event: Event): readonly Vote[] {
  if (event.type === 'votes') return event.votes
  return event.type === 'proposal' ? [event.proposal.vote] : []
}
