/**
 * n processes of `consensus` under one seeded scheduler: a world that breaks for a while, and then a
 * calm in which every transaction must become final.
 *
 * Only agreement is real here: blocks are lists of transaction names, and a signature counts because
 * the oracle saw it given.
 */
import { recordOf } from '@mooring/consensus'
import { actorOf } from './actors.ts'
import { GENESIS, MONOTONIC_ZERO, type Packet } from './blocks.ts'
import { Twins } from './byzantine/twin.ts'
import { Disk } from './disk.ts'
import { MachineHands } from './hands.ts'
import { acceptPacket } from './intake.ts'
import { type Content, Links } from './links.ts'
import { Machine } from './machine.ts'
import { Oracle } from './oracle.ts'
import { drawMembers, type Faults, NO_FAULTS, type Plan } from './plan.ts'
import { type Random, randomOf } from './random.ts'
import { Scheduler } from './scheduler.ts'
import { type Sky, Weather } from './weather.ts'
import type { Acting, ObservedStep } from './world.ts'

const ACT_MS = 50
const PEERS_MS = 500

export interface Watch {
  /** Keeps a line for every step. */
  readonly isTracing?: boolean
  readonly observe?: (step: ObservedStep) => void
}

export class Agreement implements Sky {
  readonly plan: Plan
  readonly scheduler = new Scheduler(MONOTONIC_ZERO)
  readonly random: Random
  readonly oracle: Oracle
  readonly machines: Machine[] = []
  readonly links: Links
  readonly counters = new Map<string, number>()
  /** What an honest node knows, and so must become final. */
  readonly submitted = new Set<string>()
  readonly calmAt: number
  readonly lines: string[] = []
  /** Asks the next leader for a change, whatever the plan's chances. */
  mustSeal = false
  readonly #watch: Watch
  readonly #weather: Weather
  #isCalm = false
  readonly #acting = new Map<number, Acting>()
  readonly #twins = new Map<number, Twins>()
  readonly #halves = new Map<Machine, number>()

  constructor(plan: Plan, watch: Watch = {}) {
    this.plan = plan
    this.#watch = watch
    this.random = randomOf(plan.seed)
    this.links = new Links(plan, this.random, this.scheduler)
    this.calmAt = MONOTONIC_ZERO + plan.calmMs
    const { deltaMs, precisionMs, actors, founders, isOverrun } = plan
    this.oracle = new Oracle({
      members: founders,
      traitors: new Set(actors.keys()),
      genesis: GENESIS,
      deltaMs,
      precisionMs,
      isOverrun,
    })
    this.#weather = new Weather(this)
    for (let node = 0; node < plan.nodes; node += 1) this.#create(node)
    for (const machine of this.machines) machine.boot()
    for (let count = 0; count < plan.transactions; count += 1) this.#submitSomewhen(`tx-${count}`)
    this.scheduler.every(PEERS_MS, () => this.#tellPeers())
    this.scheduler.at(this.calmAt, () => this.#calm())
    if (plan.isOverrun) this.#split()
  }

  get honest(): Machine[] {
    return this.machines.filter((machine) => machine.isHonest)
  }

  /** The honest authorities of the newest epoch. */
  get honestMembers(): Machine[] {
    const epoch = Math.max(...this.honest.map((machine) => machine.ledger.turn.epoch))
    const newest = this.honest.find((machine) => machine.ledger.turn.epoch === epoch)
    return this.honest.filter(({ node }) => newest?.ledger.turn.members.includes(node) === true)
  }

  get faults(): Faults {
    const { executionMs } = this.plan.faults
    return this.#isCalm ? { ...NO_FAULTS, executionMs } : this.plan.faults
  }

  get steps(): number {
    return this.machines.reduce((sum, machine) => sum + machine.steps, 0)
  }

  /** Whether every honest node is up and has every transaction that an honest node knows. */
  isDone(): boolean {
    return this.honest.every((machine) => {
      if (!machine.isUp) return false
      for (const name of this.submitted) if (!machine.ledger.included.has(name)) return false
      return true
    })
  }

  /** Gives a transaction to every honest node that is up, as gossip does within a moment. */
  submit(name: string): void {
    this.submitted.add(name)
    for (const machine of this.machines) this.#gossip(machine, name)
  }

  send(from: Machine, to: number, packet: Packet): void {
    const acting = this.actingOf(from)
    if (acting?.actor.send === undefined) return this.#emit(from, to, packet)
    acting.actor.send(packet, to, acting.hands)
  }

  isConnected(a: number, b: number): boolean {
    return this.links.isConnected(a, b)
  }

  breakLinks(): string {
    return this.links.breakSomehow()
  }

  healLinks(): void {
    this.links.heal()
  }

  actingOf(machine: Machine): Acting | undefined {
    return machine.place === null ? undefined : this.#acting.get(machine.node)
  }

  drawNext(): readonly number[] | null {
    const isDue = this.mustSeal || (!this.#isCalm && this.random.chance(this.plan.sealChance))
    return isDue ? drawMembers(this.plan, this.random) : null
  }

  crashesAt(machine: Machine, boundary: string): boolean {
    const { boundaryCrash } = this.plan.faults
    if (this.#isCalm || boundaryCrash === 0 || !this.random.chance(boundaryCrash)) return false
    this.count(`crash ${boundary}`)
    this.#weather.crash(machine, this.random.chance(this.plan.faults.rottenDisk))
    return true
  }

  stopFull(machine: Machine): void {
    this.count('full disk')
    this.#weather.crash(machine, false)
  }

  count(what: string): void {
    this.counters.set(what, (this.counters.get(what) ?? 0) + 1)
  }

  observe(step: ObservedStep): void {
    this.#watch.observe?.(step)
  }

  trace(line: () => string): void {
    if (this.#watch.isTracing === true)
      this.lines.push(`${this.scheduler.now - MONOTONIC_ZERO} ${line()}`)
  }

  #create(node: number): void {
    const name = this.plan.actors.get(node)
    const machine = new Machine(node, new Disk(), this)
    this.machines.push(machine)
    if (name === undefined) return
    if (name === 'twin' || name === 'restored-backup') this.#createSecond(machine, name)
    const emit = (to: number, packet: Packet): void => this.#emit(machine, to, packet)
    this.#acting.set(node, { actor: actorOf(name), hands: new MachineHands(machine, this, emit) })
    this.scheduler.every(ACT_MS, () => {
      const acting = this.actingOf(machine)
      if (acting !== undefined && machine.isUp && this.random.chance(0.5))
        acting.actor.act?.(acting.hands)
    })
  }

  /** A second process with the same key: from the beginning, or later from a copy of the first disk. */
  #createSecond(first: Machine, name: 'twin' | 'restored-backup'): void {
    const twins = new Twins(this.random)
    this.#twins.set(first.node, twins)
    if (name === 'twin') {
      this.machines.push(new Machine(first.node, new Disk(), this))
      this.scheduler.every(1_500, () => twins.shuffle(this.plan.nodes))
      return
    }
    const { calmMs } = this.plan
    this.scheduler.after(this.random.between(0, calmMs / 2), () => {
      const copy = first.disk.copy()
      this.scheduler.after(this.random.between(100, calmMs / 2), () => {
        this.count('backup restored beside the running original')
        const second = new Machine(first.node, copy, this)
        this.machines.push(second)
        second.boot()
        this.scheduler.every(1_500, () => twins.shuffle(this.plan.nodes))
      })
    })
  }

  #emit(from: Machine, to: number, packet: Packet): void {
    this.links.carry(from.node, to, contentOf(packet), () => {
      for (const machine of this.#hearersOf(to, from.node))
        if (this.#isReached(from, machine)) this.#receive(machine, packet)
    })
  }

  /** Two networks, each with half of the honest and one process of every traitor. */
  #split(): void {
    for (const machine of this.machines) {
      const isFirst = this.machines.find(({ node }) => node === machine.node) === machine
      const half = machine.isHonest ? machine.node % 2 : Number(isFirst)
      this.#halves.set(machine, half)
    }
    const sideOf = (half: number): number[] =>
      this.honest.filter(({ node }) => node % 2 === half).map(({ node }) => node)
    this.links.cut(sideOf(0), sideOf(1), true)
  }

  #isReached(from: Machine, to: Machine): boolean {
    return this.#isCalm || this.#halves.get(from) === this.#halves.get(to)
  }

  #hearersOf(to: number, from: number): Machine[] {
    const twins = this.#twins.get(to)
    const machines = this.machines.filter(({ node }) => node === to)
    if (twins === undefined || machines.length < 2 || this.plan.isOverrun) return machines
    return machines.filter((_, which) => twins.hears(which === 0 ? 'first' : 'second', from))
  }

  #receive(machine: Machine, packet: Packet): void {
    if (!machine.isUp) return
    machine.heardAt[packet.from] = this.scheduler.now
    const acting = this.actingOf(machine)
    acting?.actor.hear?.(packet, acting.hands)
    const event = acceptPacket(packet, machine, this)
    if (event !== null) machine.feed(event)
  }

  #gossip(machine: Machine, name: string): void {
    const afterMs = this.random.between(1, 40)
    this.scheduler.after(afterMs, () => {
      if (machine.isUp) return machine.addTransaction(name)
      this.scheduler.after(500, () => this.#gossip(machine, name))
    })
  }

  #submitSomewhen(name: string): void {
    const atMs = this.random.between(0, Math.max(1, this.plan.calmMs))
    this.scheduler.after(atMs, () => this.submit(name))
  }

  #tellPeers(): void {
    const { now } = this.scheduler
    for (const machine of this.machines) {
      if (!machine.isUp) continue
      for (const other of this.machines) {
        const isSilent = this.plan.actors.get(other.node) === 'silent'
        if (other.isUp && !isSilent && !this.links.isCut(other.node, machine.node))
          machine.heardAt[other.node] = now
        else if (!other.isUp) machine.heardAt[other.node] = null
      }
      const heard = machine.members.map((node) => machine.heardAt[node] ?? null)
      machine.feed({ type: 'peers', heard })
      machine.reconsiderWork()
    }
    if (this.#isSplit()) this.count('split certificates')
  }

  /** Whether of one view some hold only the notarization and others only the nullification. */
  #isSplit(): boolean {
    const members = this.honestMembers
    const up = members.filter(({ isUp, epoch }) => isUp && epoch === members[0]?.epoch)
    const top = Math.max(0, ...up.map(({ state }) => state.view))
    for (let view = Math.max(1, top - 4); view < top; view += 1) {
      const held = up.map(({ state }) => recordOf(state, view))
      const isNotarized = held.some((r) => r.notarization !== null && r.nullification === null)
      const isNullified = held.some((r) => r.notarization === null && r.nullification !== null)
      if (isNotarized && isNullified) return true
    }
    return false
  }

  #calm(): void {
    this.#isCalm = true
    this.links.calm()
    this.#weather.calm()
  }
}

function contentOf(packet: Packet): Content {
  if (packet.kind === 'proposal') return 'proposal'
  const isVotes = packet.kind === 'message' && packet.message.kind === 'votes'
  const isFinalize = isVotes && packet.message.votes.some(({ kind }) => kind === 'finalize')
  return isFinalize ? 'finalize' : 'other'
}
