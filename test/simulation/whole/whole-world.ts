/**
 * n whole nodes under one seeded scheduler: a world that breaks for a while, and then a calm in which
 * everything that was promised must come true. Agreement, ledger, mempool, sync, journal and database are
 * the real ones; the network, the disk below them and time are not.
 */
import { decodeCertificate, type Evidence, type Vote } from '@mooring/consensus'
import { toHex } from '@mooring/codec'
import type { ChainStore, JournalRecord } from '@mooring/storage'
import { decodeBlockRequest } from '../../../packages/node/src/block-exchange.ts'
import type { CommittedBlock } from '../../../packages/node/src/committer.ts'
import { type Random, randomOf } from '../random.ts'
import { Scheduler } from '../scheduler.ts'
import { Violation } from '../violation.ts'
import { castOf } from './actors/cast.ts'
import { faultyOf } from './bearing.ts'
import { ChainJudge } from './chain-judge.ts'
import { Client } from './clients.ts'
import { FrameJudge } from './frame-judge.ts'
import { Governor } from './governor.ts'
import { type WholeActor, WholeHands } from './hands.ts'
import { type Founding, found, keyOf, nameOf, peerIdOf } from './keys.ts'
import { type DiskWorld } from './node-disk.ts'
import { CALM, type WholeFaults, type WholePlan } from './plan.ts'
import { isDiskFault, Process } from './process.ts'
import { Switchboard } from './switchboard.ts'
import { Tape } from './tape.ts'
import { VoteJudge } from './vote-judge.ts'

const FAULTS_MS = 100
const ACT_MS = 50
const CLIENT_MS = 60
const GOVERNOR_MS = 300
const TWINS_MS = 1_500
/** Timers of one life: more than this means that something starts them and never stops. */
/** What has no sequence waits beside the limit, so many of each organisation. */
const GOVERNANCE_WAITING_MAX = 64
const TIMERS_MAX = 400

export class WholeWorld {
  readonly plan: WholePlan
  readonly scheduler = new Scheduler(0)
  readonly random: Random
  readonly founding: Founding
  readonly wallZero = Date.UTC(2026, 10, 20, 9)
  readonly counters = new Map<string, number>()
  readonly processes: Process[] = []
  readonly switchboard: Switchboard
  readonly votes: VoteJudge
  readonly frames: FrameJudge
  readonly chain: ChainJudge
  readonly clients: Client[]
  readonly governor: Governor
  readonly tape: Tape
  failure: unknown = null
  isCalm = false
  readonly #acting = new Map<Process, { actor: WholeActor; hands: WholeHands }>()

  constructor(plan: WholePlan, isTracing = false) {
    this.plan = plan
    this.tape = new Tape(this.scheduler, isTracing)
    this.random = randomOf(plan.seed)
    const { authorities, observers, newcomers, deltaMs, heartbeatMs } = plan
    const time = this.wallZero - 1_000
    const parameters = { deltaMs, heartbeatMs, quotaPerMinute: 40 }
    this.founding = found({ authorities, observers }, time, parameters)
    const traitors = new Set([...plan.actors.keys()].map(nameOf))
    this.votes = new VoteJudge(this.founding.digest, traitors)
    this.frames = new FrameJudge(this)
    const indexes = Array.from({ length: authorities }, (_, index) => index)
    this.votes.beginEpoch(
      0,
      {
        organisations: indexes.map(nameOf),
        keys: indexes.map((index) => keyOf(index, 'consensus').publicKey),
      },
      toHex(this.founding.digest),
    )
    const members = Array.from({ length: authorities + observers }, (_, index) => nameOf(index))
    const genesis = { digest: this.founding.digest, time, members }
    this.chain = new ChainJudge(genesis, this.votes, faultyOf(plan))
    this.switchboard = new Switchboard(this)
    for (let index = 0; index < authorities + observers + newcomers; index += 1) this.#create(index)
    const share = Math.ceil(plan.transactions / authorities)
    this.clients = indexes.map((index) => new Client(index, share, this))
    this.governor = new Governor(plan.changes, this)
    for (const process of this.processes) process.boot()
    if (plan.changes > 0) this.scheduler.every(GOVERNOR_MS, () => this.governor.act())
    this.scheduler.every(FAULTS_MS, () => this.#breakSomething())
    this.scheduler.every(CLIENT_MS, () => this.#actClients())
    this.scheduler.at(plan.calmMs, () => this.#calm())
    if (plan.faults.slowLinkMs > 0) this.switchboard.slowDown([0, authorities - 1])
  }

  /** Those that are members now. */
  get honest(): Process[] {
    return this.processes.filter(({ isHonest, name }) => isHonest && this.chain.members.has(name))
  }

  get faults(): WholeFaults {
    return this.isCalm ? CALM : this.plan.faults
  }

  /** Whether everything that was promised is final on every honest node. */
  isDone(): boolean {
    if (this.failure !== null) return true
    if (!this.isCalm || !this.governor.isDone) return false
    if (!this.clients.every(({ isDone }) => isDone) || this.openPromises().length > 0) return false
    return this.honest.every(
      ({ running, height }) => running !== null && height === this.chain.height,
    )
  }

  /** Of members, at members: what a removed one has signed, or has not yet passed on, may be lost with it. */
  openPromises(): string[] {
    const { promised, included, members } = this.chain
    const isKept = ({ organisation, by }: { organisation: string; by: string }): boolean =>
      members.has(organisation) && members.has(by)
    return [...promised].flatMap(([id, promise]) =>
      !included.has(id) && isKept(promise) ? [id] : [],
    )
  }

  peerIdOf(index: number): string {
    return peerIdOf(index)
  }

  count(what: string): void {
    this.counters.set(what, (this.counters.get(what) ?? 0) + 1)
  }

  note(process: Process, what: string): void {
    this.tape.note(process.place, what)
  }

  detail(line: () => string): void {
    this.tape.detail(line)
  }

  fail(error: unknown): void {
    this.failure ??= error
  }

  /** Runs a judge; what it finds ends the run, wherever in the code of a node it was found. */
  judge(run: () => void): void {
    try {
      run()
    } catch (error) {
      this.fail(error)
    }
  }

  diskWorldOf(process: Process): DiskWorld {
    return {
      random: this.random,
      diesAt: (boundary) => this.#diesAt(process, boundary),
      syncMs: () =>
        this.random.chance(this.faults.slowDisk)
          ? this.random.between(50, 600)
          : this.random.between(0, 4),
      count: (what) => this.count(what),
    }
  }

  sent(from: Process, to: number, frame: Uint8Array): void {
    if (this.#diesAt(from, 'a send')) return
    const acting = this.#acting.get(from)
    const message = this.frames.decode(frame)
    if (acting?.actor.send !== undefined && message !== null)
      return acting.actor.send(message, to, acting.hands)
    this.emitted(from, to, frame)
  }

  /** What goes onto the links, from whomever. */
  emitted(from: Process, to: number, frame: Uint8Array): void {
    const message = this.frames.decode(frame)
    if (message !== null) this.judge(() => this.frames.judge(from, message))
    if (message !== null) this.tape.hash(from.place * 1_000 + to, message.kind)
    this.switchboard.deliver(from, to, frame)
  }

  gossiped(from: Process, batch: Uint8Array): void {
    if (this.#diesAt(from, 'a send')) return
    this.switchboard.gossip(from, batch)
  }

  arrived(process: Process, from: number, frame: Uint8Array): void {
    const acting = this.#acting.get(process)
    if (acting?.actor.hear === undefined) return
    const message = this.frames.decode(frame)
    if (message !== null) acting.actor.hear(message, from, acting.hands)
  }

  answers(server: Process, asker: number, payload: Uint8Array): Uint8Array {
    this.count(`asked for ${decodeBlockRequest(payload).kind}`)
    const acting = this.#acting.get(server)
    const honest = (): Uint8Array => server.serve(payload)
    const answer = acting?.actor.answer?.(payload, honest, acting.hands) ?? honest()
    this.note(server, `answers ${asker} with ${answer.length} bytes`)
    return answer
  }

  /** The votes of a journal, in its order. */
  recovered(process: Process, votes: readonly Vote[]): void {
    const nullified = new Set<string>()
    for (const vote of votes) {
      const { epoch, view } = vote.subject
      const place = `${epoch} ${view}`
      if (vote.kind === 'nullify') nullified.add(place)
      this.judge(() => this.votes.signed(vote, () => true, !nullified.has(place)))
      if (process.lives > 1) this.count('vote remembered')
    }
  }

  restarted(
    process: Process,
    chain: ChainStore,
    { records }: { records: readonly JournalRecord[] },
  ): void {
    if (process.isHonest) this.judge(() => this.chain.restarted(process.name, chain))
    const isUnfinished = records.some(({ type, payload }) => {
      if (type !== 'certificate') return false
      const { kind, subject } = decodeCertificate(payload)
      return kind === 'finalize' && subject.height > chain.tip.height
    })
    if (isUnfinished) this.count('restart with an unfinished commit')
  }

  durable(process: Process, blocks: readonly CommittedBlock[], chain: ChainStore): void {
    const last = blocks.at(-1)
    this.note(
      process,
      `has ${last?.height} ${last === undefined ? '' : toHex(last.digest).slice(0, 8)}`,
    )
    if (blocks.length > 1) this.count('several blocks in one batch')
    if (process.isHonest) this.judge(() => this.chain.durable(process.name, blocks, chain))
  }

  accused(by: Process, evidence: Evidence): void {
    this.count(`evidence: ${evidence.kind}`)
    if (by.isHonest) this.judge(() => this.frames.judgeEvidence(by, evidence))
  }

  dropped(by: Process, peer: number, reason: string): void {
    this.count(`dropped: ${reason}`)
    this.note(by, `drops ${peer}: ${reason}`)
    if (by.isHonest && !this.plan.actors.has(peer))
      this.fail(new Violation('blame', `${by.name} drops the honest ${nameOf(peer)}: ${reason}`))
  }

  rejected(by: Process, from: number): void {
    this.count('gossip rejected')
    const isPolluted = [...this.plan.actors.values()].includes('gossip polluter')
    if (by.isHonest && !isPolluted)
      this.fail(new Violation('blame', `${by.name} rejects the gossip of ${nameOf(from)}`))
  }

  promise(id: string, organisation: string, by: Process): void {
    if (!this.chain.promised.has(id)) this.chain.promised.set(id, { organisation, by: by.name })
  }

  /** A process ends by itself: it could not start, or could not go on. */
  diedOf(process: Process, error: unknown): void {
    this.note(process, `dies of ${String(error)}`)
    if (isDiskFault(error)) this.count('stopped by a full disk')
    else if (process.isHonest)
      return this.fail(
        new Violation(
          'fatal',
          `${process.name} dies of ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
        ),
      )
    else this.count('a traitor cannot start')
    this.crash(process, 'kill')
  }

  crash(process: Process, how: 'kill' | 'power loss'): void {
    if (process.isOver) return
    const isRotten = how === 'power loss' && this.random.chance(this.faults.rottenDisk)
    const cut = isRotten ? this.random.between(1, 3) : 0
    this.count(isRotten ? 'newest batches lost' : how)
    process.end(how, cut)
    if (isRotten) this.#forgetPromisesOf(process)
    const { lives } = process
    this.scheduler.after(this.random.between(50, this.plan.faults.downMs), () => {
      if (process.lives === lives) process.boot()
    })
  }

  #create(index: number): void {
    const name = this.plan.actors.get(index)
    const process = new Process(index, this.processes.length, this)
    this.processes.push(process)
    if (name === undefined) return
    if (name === 'twin') return this.#createTwin(process)
    const actor = castOf(name)
    const hands = new WholeHands(process, this)
    this.#acting.set(process, { actor, hands })
    this.scheduler.every(ACT_MS, () => {
      if (process.running !== null && this.random.chance(0.5)) actor.act?.(hands)
    })
  }

  #createTwin(first: Process): void {
    const second = new Process(first.index, this.processes.length, this)
    this.processes.push(second)
    const heard = new Map<number, 'first' | 'second' | 'both'>()
    first.hears = (from) => heard.get(from) !== 'second'
    second.hears = (from) => heard.get(from) !== 'first'
    const shuffle = (): void => {
      for (let from = 0; from < this.plan.authorities; from += 1)
        heard.set(from, this.random.pick(['first', 'second', 'both']))
    }
    shuffle()
    this.scheduler.every(TWINS_MS, shuffle)
  }

  #actClients(): void {
    for (const client of this.clients) if (this.random.chance(0.5)) client.act()
  }

  #diesAt(process: Process, boundary: string): boolean {
    const { boundaryCrash } = this.faults
    if (process.isOver || boundaryCrash === 0 || !this.random.chance(boundaryCrash)) return false
    this.count(`death at ${boundary}`)
    this.crash(process, this.random.chance(0.5) ? 'kill' : 'power loss')
    return true
  }

  #forgetPromisesOf(process: Process): void {
    const lost = new Set<string>()
    for (const [id, { by }] of this.chain.promised)
      if (by === process.name && !this.chain.included.has(id)) lost.add(id)
    for (const id of lost) this.chain.promised.delete(id)
    for (const client of this.clients) client.repeat(lost)
  }

  #breakSomething(): void {
    for (const { life, name, running } of this.processes) {
      if (life !== null && life.timers > TIMERS_MAX)
        this.fail(new Violation('L7', `${name} has ${life.timers} timers`))
      const each = GOVERNANCE_WAITING_MAX + 1 // what it may say of the network, and the head of its lane
      const mempoolMax = this.plan.mempoolMax + each * this.processes.length
      if (running !== null && running.agreement.mempool.size > mempoolMax)
        this.fail(new Violation('L7', `the mempool of ${name} is over its limit`))
    }
    if (this.isCalm) return
    const { random, faults } = this
    const happens = (perSecond: number): boolean => random.chance((perSecond * FAULTS_MS) / 1_000)
    if (happens(faults.killsPerSecond)) this.crash(random.pick(this.processes), 'kill')
    if (happens(faults.powerLossesPerSecond)) this.crash(random.pick(this.processes), 'power loss')
    if (happens(faults.blackoutsPerSecond)) {
      this.count('blackout')
      for (const process of this.processes) this.crash(process, 'power loss')
    }
    if (happens(faults.partitionsPerSecond)) {
      this.count(`links: ${this.switchboard.breakSomehow(this.processes.length)}`)
      this.scheduler.after(random.between(100, 3_000), () => this.switchboard.heal())
    }
    if (happens(faults.fullDisksPerSecond)) this.#fill(random.pick(this.processes))
    if (happens(faults.clockJumpsPerSecond)) this.#jump()
  }

  #fill(process: Process): void {
    this.count('full disk')
    process.disk.isFull = true
    this.scheduler.after(this.random.between(300, 2_000), () => {
      process.disk.isFull = false
    })
  }

  #jump(): void {
    const misled = this.processes.find(({ index }) => index === this.plan.misled)
    if (misled === undefined) return
    this.count('clock jump')
    misled.wallJumpMs = this.random.pick([-60_000, -2_000, 0, 2_000, 60_000])
  }

  #calm(): void {
    this.isCalm = true
    if (this.plan.changes > 0) this.governor.calm()
    this.switchboard.calm()
    for (const process of this.processes) {
      process.disk.isFull = false
      process.boot()
    }
  }
}
