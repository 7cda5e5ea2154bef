/**
 * Virtual time: a heap of things to do, ordered by time and then by the order in which they were asked
 * for. Nothing else in a simulation decides what happens next, so one seed is one run.
 */
interface Entry {
  readonly at: number
  readonly order: number
  readonly run: () => void
}

export class Scheduler {
  now: number
  #order = 0
  readonly #heap: Entry[] = []

  constructor(now: number) {
    this.now = now
  }

  after(ms: number, run: () => void): void {
    this.at(this.now + ms, run)
  }

  at(at: number, run: () => void): void {
    this.#order += 1
    this.#push({ at: Math.max(at, this.now), order: this.#order, run })
  }

  every(ms: number, run: () => void): void {
    this.after(ms, () => {
      run()
      this.every(ms, run)
    })
  }

  /** Runs what is due until a time, or until the condition holds after something has run. */
  run(until: number, isDone: () => boolean = () => false): void {
    while (this.step(until)) if (isDone()) return
    this.now = Math.max(this.now, until)
  }

  /** Runs the next thing that is due until a time; false when there is none. */
  step(until: number): boolean {
    const next = this.#heap[0]
    if (next === undefined || next.at > until) return false
    this.#pop()
    this.now = next.at
    next.run()
    return true
  }

  #push(entry: Entry): void {
    const heap = this.#heap
    let index = heap.length
    heap.push(entry)
    while (index > 0) {
      const above = (index - 1) >> 1
      const other = heap[above]
      if (other === undefined || !isBefore(entry, other)) break
      heap[index] = other
      index = above
    }
    heap[index] = entry
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let index = 0
    for (;;) {
      const left = 2 * index + 1
      const first = heap[left]
      if (first === undefined) break
      const second = heap[left + 1]
      const isRight = second !== undefined && isBefore(second, first)
      const child = isRight ? second : first
      if (!isBefore(child, last)) break
      heap[index] = child
      index = isRight ? left + 1 : left
    }
    heap[index] = last
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}
