// How many transactions of its clients a node lets wait: what became final in the last few seconds, and never
// fewer than some blocks hold.
//
// To judge a transaction and to hand it on costs about as much as to make it final. Who takes all that is offered
// when twice of it comes than can be final spends its time at the door, its votes wait behind what it hands on,
// and less becomes final than before. What waits longer than that is of no use to its client either: told to come
// back, it comes back when there is room.

const WAIT_MS = 2_000
const WINDOW_MS = 4_000
const WAITING_MIN = 8_000

export class Inflow {
  #finals: { at: number; count: number }[] = []

  /** So many have become final. */
  note(count: number, now: number): void {
    this.#finals = this.#finals.filter(({ at }) => now - at < WINDOW_MS)
    if (count > 0) this.#finals.push({ at: now, count })
  }

  waitingMax(now: number): number {
    let count = 0
    for (const final of this.#finals) if (now - final.at < WINDOW_MS) count += final.count
    return Math.max(WAITING_MIN, (count * WAIT_MS) / WINDOW_MS)
  }
}
