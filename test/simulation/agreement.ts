/**
 * n processes of `consensus` under one seeded scheduler: a world that breaks for a while, and then a
 * calm in which every transaction must become final.
 *
 * Only agreement is real here: blocks are lists of transaction names, and a signature counts because
 * the oracle saw it given.
 */
import { recordOf } from '@mooring/consensus'
import { type Actor, Hands } from './actor.ts'
import { actorOf } from './actors.ts'
import { MONOTONIC_ZERO, type Packet } from './blocks.ts'
import { Twins } from './byzantine/twin.ts'
import { Disk } from './disk.ts'
import { acceptPacket } from './intake.ts'
import { type Content, Links } from './links.ts'
import { Machine } from './machine.ts'
import { Oracle } from './oracle.ts'
import { type Faults, NO_FAULTS, type Plan } from './plan.ts'
import { type Random, randomOf } from './random.ts'
import { Scheduler } from './scheduler.ts'
import type { ObservedStep, World } from './world.ts'

const ACT_MS = 50
const PEERS_MS = 500
const FAULTS_MS = 100

export interface Watch {
  /** Keeps a line for every step. */
  readonly isTracing?: boolean
  readonly observe?: (step: ObservedStep) => void
}

export class Agreement implements World {
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
  readonly #watch: Watch
  #isCalm = false
  readonly #actors = new Map<number, { actor: Actor; hands: Hands }>()
  readonly #twins = new Map<number, Twins>()

  constructor(plan: Plan, watch: Watch = {}) {
    this.plan = plan
    this.#watch = watch
    this.random = randomOf(plan.seed)
    this.links = new Links(plan, this.random, this.scheduler)
    this.calmAt = MONOTONIC_ZERO + plan.calmMs
    const { authorities, deltaMs, precisionMs, actors } = plan
    this.oracle = new Oracle({
      authorities,
      traitors: new Set(actors.keys()),
      deltaMs,
      precisionMs,
    })
    for (let index = 0; index < authorities; index += 1) this.#create(index)
    for (const machine of this.machines) machine.boot()
    for (let count = 0; count < plan.transactions; count += 1) this.#submitSomewhen(`tx-${count}`)
    this.scheduler.every(PEERS_MS, () => this.#tellPeers())
    this.scheduler.every(FAULTS_MS, () => this.#breakSomething())
    this.scheduler.at(this.calmAt, () => this.#calm())
  }

  get honest(): Machine[] {
    return this.machines.filter((machine) => machine.isHonest)
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
    const acting = this.#actors.get(from.index)
    if (acting?.actor.send === undefined) return this.#emit(from, to, packet)
    acting.actor.send(packet, to, acting.hands)
  }

  isConnected(a: number, b: number): boolean {
    return this.links.isConnected(a, b)
  }

  crashesAt(machine: Machine, boundary: string): boolean {
    const { boundaryCrash } = this.plan.faults
    if (this.#isCalm || boundaryCrash === 0 || !this.random.chance(boundaryCrash)) return false
    this.count(`crash ${boundary}`)
    this.#crash(machine, this.random.chance(this.plan.faults.rottenDisk))
    return true
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

  #create(index: number): void {
    const name = this.plan.actors.get(index)
    const machine = new Machine(index, new Disk(), this)
    this.machines.push(machine)
    if (name === undefined) return
    if (name === 'twin') {
      this.machines.push(new Machine(index, new Disk(), this))
      const twins = new Twins(this.random)
      this.#twins.set(index, twins)
      this.scheduler.every(1_500, () => twins.shuffle(this.plan.authorities))
    }
    const emit = (to: number, packet: Packet): void => this.#emit(machine, to, packet)
    const hands = new Hands(machine, this, emit)
    const actor = actorOf(name)
    this.#actors.set(index, { actor, hands })
    this.scheduler.every(ACT_MS, () => {
      if (machine.isUp && this.random.chance(0.5)) actor.act?.(hands)
    })
  }

  #emit(from: Machine, to: number, packet: Packet): void {
    this.links.carry(from.index, to, contentOf(packet), () => {
      for (const machine of this.#hearersOf(to, from.index)) this.#receive(machine, packet)
    })
  }

  #hearersOf(to: number, from: number): Machine[] {
    const twins = this.#twins.get(to)
    const machines = this.machines.filter(({ index }) => index === to)
    if (twins === undefined) return machines
    return machines.filter((_, which) => twins.hears(which === 0 ? 'first' : 'second', from))
  }

  #receive(machine: Machine, packet: Packet): void {
    if (!machine.isUp) return
    machine.heardAt[packet.from] = this.scheduler.now
    const acting = this.#actors.get(machine.index)
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
        const isSilent = this.plan.actors.get(other.index) === 'silent'
        if (other.isUp && !isSilent && !this.links.isCut(other.index, machine.index))
          machine.heardAt[other.index] = now
        else if (!other.isUp) machine.heardAt[other.index] = null
      }
      machine.feed({ type: 'peers', heard: [...machine.heardAt] })
      machine.reconsiderWork()
    }
    if (this.#isSplit()) this.count('split certificates')
  }

  /** Whether of one view some hold only the notarization and others only the nullification. */
  #isSplit(): boolean {
    const up = this.honest.filter(({ isUp }) => isUp)
    const top = Math.max(0, ...up.map(({ state }) => state.view))
    for (let view = Math.max(1, top - 4); view < top; view += 1) {
      const held = up.map(({ state }) => recordOf(state, view))
      const isNotarized = held.some((r) => r.notarization !== null && r.nullification === null)
      const isNullified = held.some((r) => r.notarization === null && r.nullification !== null)
      if (isNotarized && isNullified) return true
    }
    return false
  }

  #breakSomething(): void {
    if (this.#isCalm) return
    const { crashesPerSecond, powerCutsPerSecond, partitionsPerSecond } = this.plan.faults
    const share = FAULTS_MS / 1_000
    if (this.random.chance(crashesPerSecond * share)) {
      this.count('crash')
      this.#crash(this.random.pick(this.machines), this.random.chance(this.plan.faults.rottenDisk))
    }
    if (this.random.chance(powerCutsPerSecond * share)) {
      this.count('power cut')
      for (const machine of this.machines) this.#crash(machine, false)
    }
    if (this.random.chance(partitionsPerSecond * share)) {
      this.count(`links: ${this.links.breakSomehow()}`)
      this.scheduler.after(this.random.between(100, 4_000), () => this.links.heal())
    }
  }

  #crash(machine: Machine, rots: boolean): void {
    if (!machine.isUp) return
    machine.crash(rots)
    const { life } = machine
    const { downMs } = this.plan.faults
    this.scheduler.after(this.random.between(50, downMs), () => this.#restart(machine, life))
  }

  #restart(machine: Machine, life: number): void {
    if (!machine.isUp && machine.life === life) machine.boot()
  }

  #calm(): void {
    this.#isCalm = true
    this.links.calm()
    for (const machine of this.machines) this.#restart(machine, machine.life)
  }
}

function contentOf(packet: Packet): Content {
  if (packet.kind === 'proposal') return 'proposal'
  const isVotes = packet.kind === 'message' && packet.message.kind === 'votes'
  const isFinalize = isVotes && packet.message.votes.some(({ kind }) => kind === 'finalize')
  return isFinalize ? 'finalize' : 'other'
}
