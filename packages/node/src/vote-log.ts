// Our own votes as far as an operator asks about them: why views were given up, and how long it took
// until we could finalize. Agreement itself has no reasons, only rules; they are read off the state in
// which the vote was given.

import { type ConsensusState, leaderOf, recordOf, type UnsignedVote } from '@mooring/consensus'
import type { Clock } from './clock.ts'

/** `missing`: what it takes to judge the proposal, or to make one; `retry`: given before, and again. */
export type NullifyReason =
  | 'inactivity'
  | 'leader_nullify'
  | 'leader_timeout'
  | 'certification_timeout'
  | 'missing'
  | 'invalid'
  | 'retry'

export interface VoteEntry {
  kind: UnsignedVote['kind']
  view: number
  leader: number
  /** Whether this node led the view. */
  isOwn: boolean
  /** Null unless it is a nullify. */
  reason: NullifyReason | null
  /** Since the view began; null when that was before the start. */
  afterMs: number | null
}

const ENTRIES_MAX = 256
const STARTS_MAX = 64

export class VoteLog {
  readonly #clock: Clock
  readonly #stateOf: () => ConsensusState | null
  readonly #listeners = new Set<(entry: VoteEntry) => void>()
  readonly #starts = new Map<number, number>()
  #nullified: VoteEntry[] = []
  #epoch = 0

  /** @param stateOf null until agreement has started. */
  constructor(clock: Clock, stateOf: () => ConsensusState | null) {
    this.#clock = clock
    this.#stateOf = stateOf
  }

  subscribe(listener: (entry: VoteEntry) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Called when the vote is given, before anything else happens. */
  note({ kind, subject }: UnsignedVote): void {
    const state = this.#stateOf()
    if (state === null) return
    const { view, epoch } = subject
    if (epoch !== this.#epoch) this.#forget(epoch)
    const now = this.#clock.monotonic()
    if (view === state.view) this.#begin(view, state.enteredAt)
    const leader = leaderOf(epoch, view, state.config.authorities)
    const entry: VoteEntry = {
      kind,
      view,
      leader,
      isOwn: leader === state.config.me,
      reason: kind === 'nullify' ? reasonOf(state, now) : null,
      afterMs: this.ageOf(view),
    }
    if (kind === 'nullify') this.#nullified = [...this.#nullified.slice(1 - ENTRIES_MAX), entry]
    for (const listener of this.#listeners) listener(entry)
  }

  /** Since the view began, if we voted in it and not too long ago. */
  ageOf(view: number): number | null {
    const start = this.#starts.get(view)
    return start === undefined ? null : this.#clock.monotonic() - start
  }

  /** The views above this one that we gave up, oldest first. */
  nullifiedAbove(view: number): VoteEntry[] {
    return this.#nullified.filter((entry) => entry.view > view)
  }

  /** Views are counted anew. */
  #forget(epoch: number): void {
    this.#epoch = epoch
    this.#starts.clear()
    this.#nullified = []
  }

  #begin(view: number, at: number): void {
    this.#starts.set(view, at)
    for (const known of this.#starts.keys()) {
      if (this.#starts.size <= STARTS_MAX) return
      this.#starts.delete(known)
    }
  }
}

/** Why the current view is given up. */
function reasonOf(state: ConsensusState, now: number): NullifyReason {
  const { view, config, blocks } = state
  const record = recordOf(state, view)
  const leader = leaderOf(config.epoch, view, config.authorities)
  if (record.proposal === null) {
    if (leader === config.me) return record.nullify.has(leader) ? 'retry' : 'missing'
    if (record.nullify.has(leader)) return 'leader_nullify'
    const heard = state.heard[leader] ?? null
    return heard === null || now - heard >= config.skipMs ? 'inactivity' : 'leader_timeout'
  }
  if (record.ownNotarize !== null) return 'certification_timeout'
  if (record.isEquivocated) return 'invalid'
  const execution = blocks.get(record.proposal.block.digest)?.execution
  return execution === 'valid' || execution === 'invalid' ? 'invalid' : 'missing'
}
