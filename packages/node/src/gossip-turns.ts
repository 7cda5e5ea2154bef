// What peers gossip waits for a turn of the event loop that agreement has left over.
//
// To judge transactions takes most of a busy node's time, and a vote that arrives behind a second of them is a
// second late: views are given up, and less becomes final than the computer could do. So each turn of the event
// loop first reads what has arrived, votes and blocks with it, and then judges gossip for a few milliseconds.
// The peers take turns, and none may have much waiting: what comes on top of it is ignored, and the transactions of
// the others are not.

type Verdict = 'accept' | 'ignore' | 'reject'

type Judge = () => Verdict | Promise<Verdict>

interface Waiting {
  readonly judge: Judge
  readonly settle: (verdict: Promise<Verdict>) => void
}

/** Of one turn. */
const SLICE_MS = 4
/** Of one peer, with those that are being judged; what comes on top of it is not looked at. */
const MESSAGES_MAX = 32

export class GossipTurns {
  readonly #now: () => number
  readonly #nextTurn: (run: () => void) => void
  /** In the order of their turns; only peers of whom something waits. */
  readonly #byPeer = new Map<string, Waiting[]>()
  readonly #open = new Map<string, number>()
  #isPlanned = false

  constructor(
    now: () => number = () => performance.now(),
    nextTurn: (run: () => void) => void = (run) => void setImmediate(run),
  ) {
    this.#now = now
    this.#nextTurn = nextTurn
  }

  /** Whether anything more of this peer would be judged. */
  hasRoom(peerId: string): boolean {
    return (this.#open.get(peerId) ?? 0) < MESSAGES_MAX
  }

  /** Settles as the judgement does; `ignore` when too much of this peer waits already. */
  async judge(peerId: string, judge: Judge): Promise<Verdict> {
    if (!this.hasRoom(peerId)) return 'ignore'
    this.#open.set(peerId, (this.#open.get(peerId) ?? 0) + 1)
    const { promise, resolve } = Promise.withResolvers<Verdict>()
    const waiting = this.#byPeer.get(peerId) ?? []
    waiting.push({ judge, settle: resolve })
    this.#byPeer.set(peerId, waiting)
    this.#plan()
    try {
      return await promise
    } finally {
      this.#close(peerId)
    }
  }

  #close(peerId: string): void {
    const left = (this.#open.get(peerId) ?? 1) - 1
    if (left > 0) this.#open.set(peerId, left)
    else this.#open.delete(peerId)
  }

  #plan(): void {
    if (this.#isPlanned || this.#byPeer.size === 0) return
    this.#isPlanned = true
    this.#nextTurn(() => {
      this.#isPlanned = false
      this.#judgeSome()
      this.#plan()
    })
  }

  #judgeSome(): void {
    const until = this.#now() + SLICE_MS
    do {
      const next = this.#next()
      if (next === undefined) return
      next.settle(new Promise((resolve) => resolve(next.judge())))
    } while (this.#now() < until)
  }

  #next(): Waiting | undefined {
    for (const [peerId, waiting] of this.#byPeer) {
      const first = waiting.shift()
      this.#byPeer.delete(peerId)
      if (waiting.length > 0) this.#byPeer.set(peerId, waiting)
      return first
    }
    return undefined
  }
}
