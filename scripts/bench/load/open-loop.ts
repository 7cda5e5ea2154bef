/*
 * The load. Transaction k is due at a fixed moment, whatever became of those before it, and its latency runs
 * from that moment: a system that stops for a second is charged with every transaction of that second, not
 * with the one that was on its way (coordinated omission).
 *
 * Each node has one sender, because an organisation's transactions come in the order of their sequence: what
 * fell due while a request was under way goes out in the next one, in a list. What a node does not take is
 * sent again when the engine asks for it. With `windowMax`, the loop is closed: everything is due at once and at
 * most so many are waited for at each node, which is what saturation means; the latency then runs from the request.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { EngineClient, Payload } from '../peers/engine.ts'

export interface Plan {
  readonly transactions: number
  /** A second; null sends as fast as the window allows. */
  readonly rate: number | null
  readonly windowMax: number
  /** Of the last transaction that fell due until the run is given up or, with `isCut`, counted. */
  readonly patienceMs: number
  /** An overload: ends when the last one has fallen due, and says what was final by then. */
  readonly isCut: boolean
  /** Nodes that are told; the others are dead. */
  readonly nodes: readonly number[]
  /** Every node says what is final, or the first one for all: that costs less where there is much. */
  readonly observers: 'each' | 'first'
}

export interface Outcome {
  readonly final: number
  /** From the first that was due until the last that was final. */
  readonly seconds: number
  /** In milliseconds, ascending. */
  readonly latencies: number[]
  /** Times that a node did not take all that it was given. */
  readonly refusals: number
  readonly clientCpuSeconds: number
  /** Final in the middle half of the time: neither warming up nor running dry. */
  readonly steadyPerSecond: number
}

interface Sent {
  readonly dueAt: number
  readonly node: number
}

const LIST_MAX = 200
const TICK_MS = 1
/** What is final together is told within so much. */
const BLOCK_MS = 20

export class OpenLoop {
  readonly #client: EngineClient
  readonly #waiting = new Map<string, Sent>()
  readonly #unfinal = new Map<number, number>()
  readonly #finalAt: number[] = []
  #latencies: number[] = []
  #refusals = 0
  #isOver = false

  constructor(client: EngineClient) {
    this.#client = client
  }

  /** To be subscribed with, once for each observer. */
  readonly onFinal = (ids: readonly string[], at: number): void => {
    for (const id of ids) {
      const sent = this.#waiting.get(id)
      if (sent === undefined) continue
      this.#waiting.delete(id)
      this.#unfinal.set(sent.node, (this.#unfinal.get(sent.node) ?? 1) - 1)
      this.#latencies.push(at - sent.dueAt)
      this.#finalAt.push(at)
    }
  }

  async run(plan: Plan): Promise<Outcome> {
    const each = Math.ceil(plan.transactions / plan.nodes.length)
    const lists = plan.nodes.map((node) => this.#client.prepare(node, each))
    this.#reset()
    const cpu = process.cpuUsage()
    const beganAt = performance.now()
    const senders = lists.map((list, index) => this.#send(plan, { list, index, beganAt }))
    const dueMs = plan.rate === null ? 0 : (plan.transactions / plan.rate) * 1_000
    if (plan.isCut) await pause(dueMs)
    else await this.#untilFinal(each * plan.nodes.length, beganAt + dueMs + plan.patienceMs)
    this.#isOver = true
    const outcome = this.#outcome(plan, cpu, { beganAt, dueMs })
    await Promise.all(senders)
    if (plan.isCut) await this.#untilDrained(performance.now() + plan.patienceMs)
    return outcome
  }

  #outcome(plan: Plan, cpu: NodeJS.CpuUsage, times: { beganAt: number; dueMs: number }): Outcome {
    const { beganAt, dueMs } = times
    const { user, system } = process.cpuUsage(cpu)
    const lastAt = plan.isCut ? beganAt + dueMs : (this.#finalAt.at(-1) ?? Number.NaN)
    return {
      final: this.#latencies.length,
      seconds: (lastAt - beganAt) / 1_000,
      latencies: this.#latencies.toSorted((a, b) => a - b),
      refusals: this.#refusals,
      clientCpuSeconds: (user + system) / 1e6,
      steadyPerSecond: this.#steady(beganAt, lastAt),
    }
  }

  #reset(): void {
    this.#waiting.clear()
    this.#unfinal.clear()
    this.#finalAt.length = 0
    this.#latencies = []
    this.#refusals = 0
    this.#isOver = false
  }

  async #send(plan: Plan, from: { list: Payload[]; index: number; beganAt: number }) {
    const { list, index, beganAt } = from
    const node = plan.nodes[index] ?? 0
    const stepMs = plan.rate === null ? 0 : 1_000 / plan.rate
    const dueAt = (at: number): number => beganAt + (at * plan.nodes.length + index) * stepMs
    for (let next = 0; next < list.length && !this.#isOver; ) {
      const now = performance.now()
      const room = plan.rate === null ? plan.windowMax - (this.#unfinal.get(node) ?? 0) : LIST_MAX
      let end = next
      while (end < list.length && end - next < Math.min(LIST_MAX, room) && dueAt(end) <= now)
        end += 1
      if (end === next) {
        await pause(plan.rate === null ? TICK_MS : Math.max(0, dueAt(next) - now))
        continue
      }
      const sent = list.slice(next, end)
      for (const [offset, { id }] of sent.entries()) {
        this.#waiting.set(id, { node, dueAt: plan.rate === null ? now : dueAt(next + offset) })
      }
      this.#unfinal.set(node, (this.#unfinal.get(node) ?? 0) + sent.length)
      const taken = await this.#client.submit(node, sent)
      next += taken
      if (taken === sent.length) continue
      this.#refusals += 1
      for (const { id } of sent.slice(taken)) this.#waiting.delete(id)
      this.#unfinal.set(node, (this.#unfinal.get(node) ?? 0) - (sent.length - taken))
      await pause(this.#client.againMs)
    }
  }

  async #untilFinal(count: number, until: number): Promise<void> {
    while (this.#latencies.length < count) {
      if (performance.now() > until) {
        throw new Error(`${count - this.#latencies.length} of ${count} were not final in time`)
      }
      await pause(2)
    }
  }

  /** What was taken is on its way, and would be in the way of what is measured next. */
  async #untilDrained(until: number): Promise<void> {
    while (this.#waiting.size > 0 && performance.now() < until) await pause(10)
  }

  #steady(beganAt: number, lastAt: number): number {
    const quarter = (lastAt - beganAt) / 4
    const [from, to] = [beganAt + quarter, lastAt - quarter]
    return rateWithin(this.#finalAt, from, to)
  }
}

/**
 * How many come a second, from the first that comes within the time to the last. They come in blocks: to count from
 * one moment to another would count a block more or less, which of blocks of thousands is a quarter of what is told.
 *
 * @param at ascending, in milliseconds as `from` and `to`
 */
export function rateWithin(at: readonly number[], from: number, to: number): number {
  const inside = at.filter((each) => each >= from && each < to)
  const first = inside[0] ?? from
  const last = inside.at(-1) ?? to
  if (last - first < (to - from) / 2) return inside.length / ((to - from) / 1_000)
  const after = inside.filter((each) => each > first + BLOCK_MS).length
  return after / ((last - first) / 1_000)
}
