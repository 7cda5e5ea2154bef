/**
 * One process: the state machine and a shell that keeps the contract of `node/src/driver.ts`.
 *
 * Votes and certificates are appended to the journal, sends go out at once, a vote leaves when the sync
 * that covers it has returned, and comes back as an event. A crash can come at every boundary between
 * two of these effects; what the disk then holds is the disk's matter.
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
  start,
  step,
  type Vote,
} from '@mooring/consensus'
import { type Packet, WALL_ZERO } from './blocks.ts'
import { type Disk, voteKey } from './disk.ts'
import { EvidenceJudge } from './evidence-judge.ts'
import { Ledger, openTip } from './ledger.ts'
import { isUnfinished, judgeStart, judgeStep, windowOf } from './machine-judge.ts'
import { Repair } from './repair.ts'
import { describeEvent, listActions } from './trace.ts'
import { Violation } from './violation.ts'
import type { World } from './world.ts'

type VoteAction = Extract<Action, { type: 'vote' | 'propose' }>

/** More steps in one go than this mean that the machine and its shell drive each other for ever. */
const STEPS_MAX = 2_000

export class Machine {
  readonly index: number
  readonly disk: Disk
  /** Survives a crash: a node keeps pending transactions on disk. */
  readonly pending = new Set<string>()
  isUp = false
  isHalted = false
  life = 0
  steps = 0
  heardAt: (number | null)[]
  ledger: Ledger
  repair: Repair
  readonly #world: World
  readonly #isHonest: boolean
  readonly #timers = new Map<string, number>()
  readonly #journalled = new Set<string>()
  #state: ConsensusState | null = null
  #queue: Event[] = []
  #isStepping = false
  #timerCount = 0
  #judge: EvidenceJudge

  constructor(index: number, disk: Disk, world: World) {
    this.index = index
    this.disk = disk
    this.#world = world
    this.#isHonest = !world.plan.actors.has(index)
    this.heardAt = Array.from({ length: world.plan.authorities }, () => null)
    this.ledger = new Ledger([], [])
    this.repair = new Repair(this, world)
    this.#judge = new EvidenceJudge(new Set())
  }

  get state(): ConsensusState {
    if (this.#state === null) throw new Error(`machine ${this.index} was never booted`)
    return this.#state
  }

  get isTwin(): boolean {
    return this.#world.plan.actors.get(this.index) === 'twin'
  }

  get isHonest(): boolean {
    return this.#isHonest
  }

  wall(): number {
    return WALL_ZERO + this.#world.scheduler.now + (this.#world.plan.skewMs[this.index] ?? 0)
  }

  boot(): void {
    const { plan, oracle } = this.#world
    const recovered = this.disk.recovered()
    this.isUp = true
    this.isHalted = false
    this.life += 1
    this.ledger = new Ledger(this.disk.chain, this.disk.blocks())
    this.repair = new Repair(this, this.#world)
    this.#judge = new EvidenceJudge(new Set(plan.actors.keys()))
    this.#timers.clear()
    this.#journalled.clear()
    this.#queue = []
    this.#isStepping = false
    for (const { digest } of recovered.blocks) this.#journalled.add(digest)
    for (const vote of recovered.votes) oracle.signed(vote, true)
    if (isUnfinished(recovered)) this.#world.count('restart with an unfinished commit')
    const { state, actions } = start(this.#config(), recovered, this.#clock())
    this.#state = state
    judgeStart(this, recovered)
    this.#world.trace(() => `${this.index} starts in view ${state.view}`)
    this.#perform(actions)
    this.#drain()
  }

  crash(rots: boolean): void {
    if (!this.isUp) return
    this.isUp = false
    this.life += 1
    const outcome = this.disk.cut(this.#world.random)
    if (outcome !== null) this.#world.count(`cut: ${outcome}`)
    if (rots && (outcome === null || outcome === 'nothing') && this.disk.rot())
      this.#world.count('cut: rotten')
    this.#world.trace(() => `${this.index} crashes, group under way: ${outcome ?? 'none'}`)
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
    for (const block of blocks) if (this.#isHonest) this.#world.oracle.finalized(block, this.index)
    if (this.#isHonest) this.#world.oracle.certified([finalization], this.index)
    this.disk.commit(this.ledger.seal(blocks, finalization))
    for (const name of this.ledger.included) this.pending.delete(name)
    const { commitMs } = this.#world.faults
    this.later(this.#world.random.between(1, commitMs), () => this.disk.endCommit())
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

  #config(): ConsensusConfig {
    const { plan } = this.#world
    const { authorities, deltaMs, skipMs, minBlockIntervalMs, precisionMs } = plan
    const timing = { deltaMs, skipMs, statusMs: 3_000, minBlockIntervalMs, precisionMs }
    return { epoch: 0, authorities, me: this.index, ...timing }
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
      if (steps > STEPS_MAX) throw new Violation('L7', `node ${this.index} steps without end`)
    }
    this.#isStepping = false
  }

  #step(event: Event): void {
    const before = this.state
    const clock = this.#clock()
    this.#noteLeaders(event)
    const { state, actions } = step(before, event, clock)
    this.#state = this.#isHonest || this.isTwin ? state : { ...state, isHalted: false }
    this.steps += 1
    this.#world.observe({ machine: this, before, event, clock, after: state, actions })
    this.#world.trace(
      () => `${this.index} v${state.view} ${describeEvent(event)} ${listActions(actions)}`,
    )
    if (this.#isHonest) {
      judgeStep(this.index, before, state)
      this.#judge.judge(event, windowOf(before, state), actions)
    }
    if (state.final.view > before.final.view && state.view - state.final.view > 2)
      this.#world.count('finalization of an old view')
    if (this.#world.crashesAt(this, 'before the journal')) return
    this.#perform(actions)
  }

  #noteLeaders(event: Event): void {
    const { authorities } = this.#world.plan
    for (const vote of votesOf(event))
      this.#judge.noteLeader(vote, leaderOf(0, vote.subject.view, authorities))
  }

  #perform(actions: readonly Action[]): void {
    const votes = this.#journalVotes(actions)
    const { life } = this
    for (const action of actions) {
      this.#performOne(action)
      if (this.life !== life) return
    }
    if (this.#world.crashesAt(this, 'before the sync') || votes.length === 0) return
    this.#sync(() => this.#release(votes))
  }

  #sync(done: () => void): void {
    this.disk.wait(done)
    this.#flush()
  }

  #flush(): void {
    if (!this.disk.startFlush()) return
    const { random, faults } = this.#world
    const isSlow = random.chance(faults.slowDisk)
    this.later(isSlow ? random.between(20, 400) : random.between(0, 3), () => {
      const done = this.disk.endFlush()
      if (this.#world.crashesAt(this, 'after the sync')) return
      const { life } = this
      for (const tell of done) if (this.life === life) tell()
      if (this.life === life) this.#flush()
    })
  }

  #journalVotes(actions: readonly Action[]): VoteAction[] {
    const votes: VoteAction[] = []
    for (const action of actions) {
      if (action.type === 'journal')
        this.disk.append({ type: 'certificate', certificate: action.certificate })
      if (action.type !== 'vote' && action.type !== 'propose') continue
      const { vote } = action
      this.#world.oracle.gave(vote, {
        view: this.state.view,
        wall: this.wall(),
        sawEquivocation: (view) => this.#judge.sawEquivocation(view),
        isExecuted: (digest) => this.ledger.isBase(digest),
      })
      const { digest } = vote.subject
      const block = vote.kind === 'notarize' ? this.ledger.find(digest) : undefined
      if (block !== undefined && this.ledger.isExecuted(digest) && !this.#journalled.has(digest)) {
        this.#journalled.add(digest)
        this.disk.append({ type: 'block', block })
      }
      this.disk.append({ type: 'vote', vote: sign(vote) })
      votes.push(action)
    }
    return votes
  }

  #release(votes: readonly VoteAction[]): void {
    const { oracle } = this.#world
    const signed = votes.map(({ vote }) => sign(vote))
    for (const [index, action] of votes.entries()) {
      const vote = signed[index]
      if (vote === undefined) continue
      oracle.signed(vote, this.disk.voted.has(voteKey(vote)))
      this.#world.count(vote.kind)
      if (action.type === 'propose') this.#sendProposal(vote, action.justification)
      else this.#broadcast({ kind: 'votes', votes: [vote] })
    }
    this.feed({ type: 'votes', votes: signed })
  }

  #sendProposal(vote: Vote, justification: readonly Certificate[]): void {
    const block = this.ledger.find(vote.subject.digest)
    if (block === undefined) return
    this.#world.oracle.certified(justification, this.index)
    if (block.meta.view - block.meta.parentView > 33)
      this.#world.count('proposal over more views than it can justify')
    const proposal = { block: block.meta, vote, justification }
    this.#sendAll({ kind: 'proposal', proposal, block, from: this.index })
  }

  #broadcast(message: Outgoing): void {
    this.#world.oracle.sent(message, this.index)
    this.#sendAll({ kind: 'message', message, from: this.index })
  }

  #sendAll(packet: Packet): void {
    for (let to = 0; to < this.#world.plan.authorities; to += 1)
      if (to !== this.index) this.#world.send(this, to, packet)
  }

  #performOne(action: Action): void {
    switch (action.type) {
      case 'journal':
      case 'vote':
      case 'propose':
        return
      case 'send':
        this.#world.oracle.sent(action.message, this.index)
        return this.#world.send(this, action.to, {
          kind: 'message',
          message: action.message,
          from: this.index,
        })
      case 'broadcast':
        return this.#broadcast(action.message)
      case 'build':
        return this.#build(action)
      case 'execute':
        return this.#execute(action.digest)
      case 'fetch-block':
        return this.repair.fetchBlock(action.digest, action.holders)
      case 'set-timer':
        return this.#setTimer(action)
      case 'commit':
        for (const { digest } of action.blocks) this.#journalled.delete(digest)
        return this.seal(action.blocks, action.finalization)
      case 'sync':
        this.#world.count('sync')
        return this.repair.syncTo(action.finalization)
      case 'rejoin':
        throw new Violation('order', 'rejoins without having been told to')
      case 'evidence':
        this.#world.count(`evidence: ${action.evidence.kind}`)
        if (this.#isHonest) this.#world.oracle.accused(action.evidence)
        return
      case 'halt':
        return this.#halt(action.reason.code)
    }
  }

  #halt(code: string): void {
    this.isHalted = true
    this.#world.count(`halt: ${code}`)
    if (this.#isHonest) throw new Violation('halt', `node ${this.index} halts: ${code}`)
  }

  #build({ parent, view, mayBeEmpty }: Extract<Action, { type: 'build' }>): void {
    const { heartbeatMs } = this.#world.plan
    const wall = this.wall()
    const isBeat = heartbeatMs > 0 && wall - parent.time >= heartbeatMs
    const place = { view, wall, mayBeEmpty: mayBeEmpty || isBeat }
    const block = this.ledger.build(parent, place, this.pending)
    if (block !== null) this.#world.oracle.made(block.meta)
    this.#queue.push({ type: 'built', view, block: block?.meta ?? null, failed: false })
  }

  #execute(digest: string): void {
    const { random, faults } = this.#world
    const finish = (): void => {
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

function sign(vote: Omit<Vote, 'signature'>): Vote {
  const { kind, subject, signer } = vote
  return { kind, subject, signer, signature: SIGNATURE }
}

export const SIGNATURE = new Uint8Array(64)

function votesOf(event: Event): readonly Vote[] {
  if (event.type === 'votes') return event.votes
  return event.type === 'proposal' ? [event.proposal.vote] : []
}
