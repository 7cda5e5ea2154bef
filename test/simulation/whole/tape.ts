/** What happened, as a hash that two runs of one seed must share, and as lines for people. */
import type { Scheduler } from '../scheduler.ts'

export class Tape {
  readonly lines: string[] = []
  events = 0
  readonly #scheduler: Scheduler
  readonly #isTracing: boolean
  #low = 0x811c9dc5
  #high = 0x1b873593

  constructor(scheduler: Scheduler, isTracing: boolean) {
    this.#scheduler = scheduler
    this.#isTracing = isTracing
  }

  get digest(): string {
    return [this.#high, this.#low]
      .map((half) => (half >>> 0).toString(16).padStart(8, '0'))
      .join('')
  }

  note(place: number, what: string): void {
    this.hash(place, what)
    if (this.#isTracing) this.lines.push(`${Math.round(this.#scheduler.now)} ${place} ${what}`)
  }

  detail(line: () => string): void {
    if (this.#isTracing) this.lines.push(line())
  }

  hash(place: number, what: string): void {
    this.events += 1
    this.#mix(this.#scheduler.now)
    this.#mix(place)
    for (let at = 0; at < what.length; at += 1) this.#mix(what.charCodeAt(at))
  }

  #mix(value: number): void {
    this.#low = Math.imul(this.#low ^ value, 0x01000193)
    this.#high = Math.imul(this.#high ^ (this.#low >>> 7), 0x85ebca6b)
  }
}
