// The waiting transactions that have a sequence, in the lane of their organisation: each may enter a block
// only as the next of its lane, and the lanes take turns, so that nobody waits for somebody else's flood.

import { checkQuota, countersOf, type DecodedTransaction, type State } from '@mooring/ledger'

/** How far ahead of the next expected one a gossiped sequence may be. */
const SEQUENCES_AHEAD = 20_000
/** Of a lane only the head is offered again: what follows is of no use to anybody without it. */
const OFFERED_HEAD = 64

export interface LaneEntry {
  readonly transaction: DecodedTransaction
  readonly organisation: string
}

export type LanePlace = { organisation: string; sequence: number; isLocal: boolean }

export class Lanes<E extends LaneEntry> {
  readonly #lanes = new Map<string, Map<number, E>>()
  /** The lowest sequence of a lane that nobody has sent yet. */
  readonly #next = new Map<string, number>()

  has(organisation: string, sequence: number): boolean {
    return this.#lanes.get(organisation)?.has(sequence) === true
  }

  add(sequence: number, entry: E): void {
    const lane = this.#lanes.get(entry.organisation) ?? new Map<number, E>()
    this.#lanes.set(entry.organisation, lane.set(sequence, entry))
  }

  delete(organisation: string, sequence: number): void {
    this.#lanes.get(organisation)?.delete(sequence)
  }

  /** Without having been in a block: its sequence may be sent again. */
  reopen(organisation: string, sequence: number): void {
    const next = this.#next.get(organisation)
    if (next !== undefined && sequence < next) this.#next.set(organisation, sequence)
  }

  /** Whether it is what the lane waits for. */
  isHead(state: State, { organisation, sequence }: LanePlace): boolean {
    return sequence === firstOf(state, organisation)
  }

  /** At the door the next of its lane, from gossip also one a little later; else what is expected. */
  checkPlace(state: State, { organisation, sequence, isLocal }: LanePlace) {
    const expected = this.#nextOf(state, organisation)
    const last = isLocal ? expected : expected + SEQUENCES_AHEAD
    if (!this.has(organisation, sequence) && sequence <= last) return undefined
    return { code: 'wrong_sequence', organisation, expected, got: sequence } as const
  }

  #nextOf(state: State, organisation: string): number {
    const lane = this.#lanes.get(organisation)
    let next = Math.max(firstOf(state, organisation), this.#next.get(organisation) ?? 0)
    while (lane?.has(next) === true) next += 1
    this.#next.set(organisation, next)
    return next
  }

  /** Whether the head of a lane could go into a block now: also quota must be left. */
  hasReady(state: State, { time, limit }: { time: number; limit: number }): boolean {
    for (const [organisation, lane] of this.#lanes) {
      if (!lane.has(firstOf(state, organisation))) continue
      const counters = countersOf(state, organisation)
      if (checkQuota(counters, { organisation, time, limit }) === undefined) return true
    }
    return false
  }

  /** What may go on top of a state, one of each lane and again. */
  *turns(state: State): Generator<E> {
    let lanes = [...this.#lanes].map(([organisation, lane]) => ({
      lane,
      next: firstOf(state, organisation),
    }))
    while (lanes.length > 0) {
      const open: typeof lanes = []
      for (const { lane, next } of lanes) {
        const entry = lane.get(next)
        if (entry === undefined) continue
        yield entry
        open.push({ lane, next: next + 1 })
      }
      lanes = open
    }
  }

  /** The first of every lane. */
  heads(state: State): E[] {
    const heads: E[] = []
    for (const [organisation, lane] of this.#lanes) {
      const first = firstOf(state, organisation)
      for (let sequence = first; sequence < first + OFFERED_HEAD; sequence += 1) {
        const entry = lane.get(sequence)
        if (entry === undefined) break
        heads.push(entry)
      }
    }
    return heads
  }
}

function firstOf(state: State, organisation: string): number {
  return countersOf(state, organisation).anchorSequence + 1
}
