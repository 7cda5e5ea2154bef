/** The links between authorities: late, lossy, repeating, cut in one direction or both. */
import type { Plan } from './plan.ts'
import type { Random } from './random.ts'
import type { Scheduler } from './scheduler.ts'

/** What travels: some kinds of it may be lost more than others. */
export type Content = 'proposal' | 'finalize' | 'other'

export class Links {
  readonly #plan: Plan
  readonly #random: Random
  readonly #scheduler: Scheduler
  #cuts = new Set<number>()
  #isCalm = false

  constructor(plan: Plan, random: Random, scheduler: Scheduler) {
    this.#plan = plan
    this.#random = random
    this.#scheduler = scheduler
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
    this.#scheduler.after(this.#delay(), deliver)
    const duplication = this.#isCalm ? 0 : faults.duplication
    if (this.#random.chance(duplication)) this.#scheduler.after(3 * this.#delay(), deliver)
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
    const all = Array.from({ length: this.#plan.authorities }, (_, index) => index)
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

  #delay(): number {
    const [low, high] = this.#plan.faults.delayMs
    return this.#random.between(low, this.#isCalm ? this.#plan.calmDelayMs : high)
  }
}
