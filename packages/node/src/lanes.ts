// The waiting transactions that have a sequence, in the lane of that sequence of their organisation: each
// may enter a block only as the next of its lane, and the lanes take turns, so that nobody waits for
// somebody else's flood.

import {
  checkQuota,
  countersOf,
  type DecodedTransaction,
  payerOf,
  placeOf,
  type SequenceCounter,
  type State,
} from '@mooring/ledger'

/** How far ahead of the next expected one a gossiped sequence may be. */
const SEQUENCES_AHEAD = 20_000
/** Of a lane only the head is offered again: what follows is of no use to anybody without it. */
const OFFERED_HEAD = 64

export interface LaneEntry {
  readonly transaction: DecodedTransaction
}

export interface LanePlace {
  readonly organisation: string
  readonly counter: SequenceCounter
  readonly sequence: number
}

/** Null for what has no sequence. */
export function lanePlaceOf(transaction: DecodedTransaction): LanePlace | null {
  const place = placeOf(transaction)
  return place && { organisation: payerOf(transaction), ...place }
}

interface Lane<E> {
  readonly organisation: string
  readonly counter: SequenceCounter
  readonly entries: Map<number, E>
  /** The lowest sequence that nobody has sent yet. */
  next: number
}

export class Lanes<E extends LaneEntry> {
  /** In the order in which they came, which is that of their turns. */
  readonly #lanes: Lane<E>[] = []
  readonly #byCounter = {
    anchorSequence: new Map<string, Lane<E>>(),
    accessSequence: new Map<string, Lane<E>>(),
  }

  has({ sequence, ...lane }: LanePlace): boolean {
    return this.#find(lane)?.entries.has(sequence) === true
  }

  add(place: LanePlace, entry: E): void {
    this.#laneOf(place).entries.set(place.sequence, entry)
  }

  delete(place: LanePlace): void {
    this.#find(place)?.entries.delete(place.sequence)
  }

  /** Without having been in a block: its sequence may be sent again. */
  reopen(place: LanePlace): void {
    const lane = this.#find(place)
    if (lane !== undefined && place.sequence < lane.next) lane.next = place.sequence
  }

  /** Whether it is what the lane waits for. */
  isHead(state: State, place: LanePlace): boolean {
    return place.sequence === firstOf(state, place)
  }

  /** At the door the next of its lane, from gossip also one a little later; else what is expected. */
  checkPlace(state: State, place: LanePlace, isLocal: boolean) {
    const { organisation, sequence } = place
    const expected = nextOf(state, this.#laneOf(place))
    const last = isLocal ? expected : expected + SEQUENCES_AHEAD
    if (!this.has(place) && sequence <= last) return undefined
    return { code: 'wrong_sequence', organisation, expected, got: sequence } as const
  }

  /** Whether the head of a lane could go into a block now: also quota must be left. */
  hasReady(state: State, { time, limit }: { time: number; limit: number }): boolean {
    for (const lane of this.#lanes) {
      if (!lane.entries.has(firstOf(state, lane))) continue
      const { organisation } = lane
      const counters = countersOf(state, organisation)
      if (checkQuota(counters, { organisation, time, limit }) === undefined) return true
    }
    return false
  }

  /** What may go on top of a state, one of each lane and again. */
  *turns(state: State): Generator<E> {
    let lanes = this.#lanes.map((lane) => ({
      entries: lane.entries,
      next: firstOf(state, lane),
    }))
    while (lanes.length > 0) {
      const open: typeof lanes = []
      for (const { entries, next } of lanes) {
        const entry = entries.get(next)
        if (entry === undefined) continue
        yield entry
        open.push({ entries, next: next + 1 })
      }
      lanes = open
    }
  }

  /** The first of every lane. */
  heads(state: State): E[] {
    const heads: E[] = []
    for (const lane of this.#lanes) {
      const first = firstOf(state, lane)
      for (let sequence = first; sequence < first + OFFERED_HEAD; sequence += 1) {
        const entry = lane.entries.get(sequence)
        if (entry === undefined) break
        heads.push(entry)
      }
    }
    return heads
  }

  #laneOf({ organisation, counter }: Omit<LanePlace, 'sequence'>): Lane<E> {
    const known = this.#byCounter[counter].get(organisation)
    if (known !== undefined) return known
    const lane: Lane<E> = { organisation, counter, entries: new Map(), next: 0 }
    this.#byCounter[counter].set(organisation, lane)
    this.#lanes.push(lane)
    return lane
  }

  #find({ organisation, counter }: Omit<LanePlace, 'sequence'>): Lane<E> | undefined {
    return this.#byCounter[counter].get(organisation)
  }
}

/** A sequence above all that are final: what has it is in no block, and who looks for it finds nothing. */
export function isAhead(state: State, place: LanePlace | null): boolean {
  return place !== null && place.sequence >= firstOf(state, place)
}

function nextOf<E>(state: State, lane: Lane<E>): number {
  let next = Math.max(firstOf(state, lane), lane.next)
  while (lane.entries.has(next)) next += 1
  lane.next = next
  return next
}

function firstOf(
  state: State,
  { organisation, counter }: { organisation: string; counter: SequenceCounter },
): number {
  return countersOf(state, organisation)[counter] + 1
}
