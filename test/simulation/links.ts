/** The links between nodes: late, lossy, repeating, cut in one direction or both. */
import type { Plan } from './plan.ts'
import type { Random } from './random.ts'
import type { Scheduler } from './scheduler.ts'

/** What travels: some kinds of it may be lost more than others. */
export type Content = 'proposal' | 'finalize' | 'other'

export class Links {
  readonly #plan: Plan
  readonly #random: Random
  readonly #scheduler: Scheduler
  /** By pair of nodes: what the way itself takes. */
  readonly #wayMs = new Map<number, number>()
  #cuts = new Set<number>()
  #isCalm = false

  constructor(plan: Plan, random: Random, scheduler: Scheduler) {
    this.#plan = plan
    this.#random = random
    this.#scheduler = scheduler
    this.#layWays()
  }

  /** From now on links are whole, and lose no more than what the plan leaves. */
  calm(): void {
    this.#isCalm = true
    this.#cuts = new Set()
  }

  isCut(from: number, to: number): boolean {
    return this.#cuts.has(from * 256 + to)
  }

  /** Both ways, as a connection of a request needs. */
  isConnected(a: number, b: number): boolean {
    return !this.isCut(a, b) && !this.isCut(b, a)
  }

  /** Carries something over a link, once, twice or not at all. */
  carry(from: number, to: number, content: Content, deliver: () => void): void {
    if (this.isCut(from, to) || this.#random.chance(this.#lossOf(content))) return
    const { faults } = this.#plan
    this.#scheduler.after(this.#delay(from, to), deliver)
    const duplication = this.#isCalm ? 0 : faults.duplication
    if (this.#random.chance(duplication)) this.#scheduler.after(3 * this.#delay(from, to), deliver)
  }

  /** Cuts links between these two sets, one way or both, until `heal`. */
  cut(from: readonly number[], to: readonly number[], isBothWays: boolean): void {
    for (const a of from)
      for (const b of to) {
        if (a === b) continue
        this.#cuts.add(a * 256 + b)
        if (isBothWays) this.#cuts.add(b * 256 + a)
      }
  }

  heal(): void {
    this.#cuts = new Set()
  }

  /** One of the shapes in which networks break. */
  breakSomehow(): string {
    const all = Array.from({ length: this.#plan.nodes }, (_, index) => index)
    const some = all.filter(() => this.#random.chance(0.5))
    const others = all.filter((index) => !some.includes(index))
    const one = [this.#random.pick(all)]
    const shape = this.#random.pick(['halves', 'one way', 'isolated', 'deaf', 'ring'] as const)
    if (shape === 'halves') this.cut(some, others, true)
    else if (shape === 'one way') this.cut(some, others, false)
    else if (shape === 'isolated') this.cut(one, all, true)
    else if (shape === 'deaf') this.cut(all, one, false)
    else this.#cutToRing(all)
    return shape
  }

  #lossOf(content: Content): number {
    const { faults, residualLoss } = this.#plan
    if (this.#isCalm) return residualLoss
    if (content === 'proposal') return Math.max(faults.loss, faults.proposalLoss)
    return content === 'finalize' ? Math.max(faults.loss, faults.finalizeLoss) : faults.loss
  }

  #cutToRing(all: readonly number[]): void {
    for (const a of all)
      for (const b of all) {
        const distance = (b - a + all.length) % all.length
        if (distance > 1 && distance < all.length - 1) this.cut([a], [b], false)
      }
  }

  /** Near each other, all over a country, or near each other but for one pair. */
  #layWays(): void {
    const { nodes, faults } = this.#plan
    if (faults.latency === 'lan') return
    const slow = this.#random.between(1, nodes - 1)
    for (let a = 0; a < nodes; a += 1)
      for (let b = a + 1; b < nodes; b += 1) {
        const isSlow = a === 0 && b === slow
        const ms = faults.latency === 'wan' ? this.#random.between(5, 90) : isSlow ? 500 : 0
        this.#wayMs.set(a * 256 + b, ms)
        this.#wayMs.set(b * 256 + a, ms)
      }
  }

  #delay(from: number, to: number): number {
    const [low, high] = this.#plan.faults.delayMs
    if (this.#isCalm) return this.#random.between(low, this.#plan.calmDelayMs)
    return this.#random.between(low, high) + (this.#wayMs.get(from * 256 + to) ?? 0)
  }
}
