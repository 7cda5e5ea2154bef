/**
 * A whole network in virtual time: authorities and observers that run the real state machine, lines of a bandwidth
 * and a latency between them, clients that hand in transactions at a rate. What is measured is what the authorities'
 * clients see, and what lines and threads have carried, after a time in which the network comes up to speed.
 *
 * Real: `consensus` with its timers and the encoding of its messages, `BlockPace`, `TransactionGossip`, the numbers
 * of `node` and `network`. Modelled, each in its file: lines, threads, disks, the mesh of gossip, execution. A
 * signature is not made, only paid for. Every pair of members has a connection, as the network wants it, also where
 * there are more members than `connectionsMax`; their keep-alives take their part of each line from the start.
 */
import { MONOTONIC_ZERO } from '../blocks.ts'
import { type Random, randomOf } from '../random.ts'
import { Scheduler } from '../scheduler.ts'
import { Chain } from './chain.ts'
import type { Costs } from './costs.ts'
import { type Mesh, meshOf } from './mesh.ts'
import { ScaleNode } from './node.ts'
import { bytesOf, type Packet, URGENT_BYTES_MAX } from './packets.ts'
import { FRAME_BYTES, Wires } from './wires.ts'
import type { ScaleWorld } from './world.ts'

export interface ScalePlan {
  readonly seed: number
  readonly authorities: number
  readonly observers: number
  /** Of a line, in both directions. */
  readonly megabits: number
  /** One way; or anything in between, for each pair. */
  readonly latencyMs: number | readonly [number, number]
  readonly deltaMs: number
  /** Transactions a second, of all clients together, at authorities. */
  readonly rate: number
  readonly warmMs: number
  readonly measuredMs: number
}

export interface Outcome {
  /** From a client's submission until its authority has the block durable, ascending. */
  readonly finalMs: readonly number[]
  readonly committedPerSecond: number
  readonly blocksPerSecond: number
  /** Bytes a second of the mean authority and of the mean observer, and of the authority that sends most. */
  readonly authority: Traffic
  readonly observer: Traffic
  readonly busiestSentPerSecond: number
  /** Of the thread of the mean authority, from 0 to 1. */
  readonly busy: number
  readonly observerBusy: number
  /** Blocks by which the mean observer is behind at the end. */
  readonly observerLag: number
  readonly views: number
  readonly height: number
}

export interface Traffic {
  readonly sentPerSecond: number
  readonly receivedPerSecond: number
}

interface Submitted {
  readonly at: number
  readonly node: number
}

const KEEP_ALIVE_MS = 1_000
const FORGET_MS = 1_000

export class ScaleNetwork implements ScaleWorld {
  readonly scheduler = new Scheduler(MONOTONIC_ZERO)
  readonly random: Random
  readonly costs: Costs
  readonly chain: Chain
  readonly mesh: Mesh
  readonly authorities: number
  readonly nodes: number
  readonly deltaMs: number
  readonly #plan: ScalePlan
  readonly #wires: Wires
  readonly #keepAlive: number
  readonly #members: ScaleNode[] = []
  readonly #submitted = new Map<number, Submitted>()
  readonly #finalMs: number[] = []
  #count = 0
  #names = 0

  constructor(plan: ScalePlan, costs: Costs) {
    this.#plan = plan
    this.costs = costs
    this.random = randomOf(plan.seed)
    this.authorities = plan.authorities
    this.nodes = plan.authorities + plan.observers
    this.deltaMs = plan.deltaMs
    this.chain = new Chain(costs)
    this.mesh = meshOf(this.nodes, this.random)
    this.#keepAlive = ((this.nodes - 1) * FRAME_BYTES) / KEEP_ALIVE_MS
    this.#wires = new Wires(this.scheduler, {
      nodes: this.nodes,
      bytesPerMs: plan.megabits * 125 - this.#keepAlive,
      latencyMs: this.#latencies(),
    })
    for (let index = 0; index < this.nodes; index += 1)
      this.#members.push(new ScaleNode(index, this))
    this.#submitSoon()
    this.scheduler.every(FORGET_MS, () => this.#forget())
  }

  run(): Outcome {
    const { warmMs, measuredMs } = this.#plan
    this.scheduler.run(MONOTONIC_ZERO + warmMs)
    const before = this.#reading()
    this.#finalMs.length = 0
    this.scheduler.run(MONOTONIC_ZERO + warmMs + measuredMs)
    return this.#outcome(before, this.#reading())
  }

  send(from: number, to: readonly number[], packet: Packet, at: number): void {
    const bytes = bytesOf(packet, this.costs.transactionBytes)
    const isUrgent = packet.kind === 'message' || packet.kind === 'proposal'
    const isBulk = !isUrgent || bytes > URGENT_BYTES_MAX
    for (const each of to)
      this.#wires.send({ from, to: each, bytes, isBulk }, at, () =>
        this.#member(each).receive(from, packet),
      )
  }

  committed(node: number, transactions: readonly number[]): void {
    for (const each of transactions) {
      const submitted = this.#submitted.get(each)
      if (submitted?.node !== node) continue
      this.#finalMs.push(this.#member(node).processor.time - submitted.at)
      this.#submitted.delete(each)
    }
  }

  nextName(): number {
    this.#names += 1
    return this.#names
  }

  #member(index: number): ScaleNode {
    const member = this.#members[index]
    if (member === undefined) throw new RangeError(`no node ${index}`)
    return member
  }

  #latencies(): (from: number, to: number) => number {
    const { latencyMs } = this.#plan
    if (typeof latencyMs === 'number') return () => latencyMs
    const [low, high] = latencyMs
    const { nodes } = this
    const ways = Float64Array.from({ length: nodes * nodes }, () => this.random.between(low, high))
    return (from, to) => ways[Math.min(from, to) * nodes + Math.max(from, to)] ?? low
  }

  /** As often as the rate says, and never in step with anything. */
  #submitSoon(): void {
    const { rate, authorities } = this.#plan
    this.scheduler.after(((0.5 + this.random.next()) * 1_000) / rate, () => {
      const node = this.random.between(0, authorities - 1)
      const transaction = this.#count
      this.#count += 1
      this.#submitted.set(transaction, { at: this.scheduler.now, node })
      this.#member(node).submit(transaction)
      this.#submitSoon()
    })
  }

  #forget(): void {
    this.chain.forget(Math.min(...this.#members.map(({ content }) => content.tip.height)))
  }

  #reading(): Reading {
    return {
      at: this.scheduler.now,
      transactions: this.chain.transactions,
      height: this.chain.height,
      view: this.#member(0).state.view,
      sent: this.#wires.sentBytes.slice(),
      received: this.#wires.receivedBytes.slice(),
      busyMs: this.#members.map(({ processor }) => processor.busyMs),
    }
  }

  #outcome(before: Reading, after: Reading): Outcome {
    const { authorities, nodes } = this
    const seconds = (after.at - before.at) / 1_000
    const rateOf = (of: 'sent' | 'received', node: number): number =>
      ((after[of][node] ?? 0) - (before[of][node] ?? 0)) / seconds + this.#keepAlive * 1_000
    const all = Array.from({ length: nodes }, (_, node) => node)
    const groups = { authority: all.slice(0, authorities), observer: all.slice(authorities) }
    const busyOf = (node: number): number =>
      ((after.busyMs[node] ?? 0) - (before.busyMs[node] ?? 0)) / (seconds * 1_000)
    const trafficOf = (group: readonly number[]): Traffic => ({
      sentPerSecond: meanOf(group.map((node) => rateOf('sent', node))),
      receivedPerSecond: meanOf(group.map((node) => rateOf('received', node))),
    })
    const lags = groups.observer.map(
      (node) => this.chain.height - this.#member(node).content.tip.height,
    )
    return {
      finalMs: this.#finalMs.toSorted((a, b) => a - b),
      committedPerSecond: (after.transactions - before.transactions) / seconds,
      blocksPerSecond: (after.height - before.height) / seconds,
      authority: trafficOf(groups.authority),
      observer: trafficOf(groups.observer),
      busiestSentPerSecond: Math.max(...groups.authority.map((node) => rateOf('sent', node))),
      busy: meanOf(groups.authority.map(busyOf)),
      observerBusy: meanOf(groups.observer.map(busyOf)),
      observerLag: meanOf(lags),
      views: after.view - before.view,
      height: after.height,
    }
  }
}

interface Reading {
  readonly at: number
  readonly transactions: number
  readonly height: number
  readonly view: number
  readonly sent: Float64Array
  readonly received: Float64Array
  readonly busyMs: readonly number[]
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)
}
