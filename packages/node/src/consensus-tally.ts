// Counts over views: how they ended, who voted in time, whose proposals became final.
//
// Nothing tells us of a view when it ends; its record stays for a while below the last finalization. So
// the state is looked at now and then (with every final block, and before a scrape), from where the
// last look ended. A view is counted once. What a jump over many views has skipped is not counted, and nor
// are the last votes of an epoch that is over.

import { type ConsensusState, leaderOf, recordOf, RETENTION } from '@mooring/consensus'

/** A vote that comes within so many views after its block was final is late, and later it is missing. */
const LATE_VIEWS = 8

const KINDS = ['notarize', 'finalize'] as const

export type CountedVote = (typeof KINDS)[number]

export interface TallyListener {
  view: (result: 'notarized' | 'nullified' | 'finalized') => void
  proposal: (authority: number, result: 'finalized' | 'nullified') => void
  vote: (authority: number, vote: CountedVote, result: 'on_time' | 'late' | 'missing') => void
}

export class ConsensusTally {
  readonly #listener: TallyListener
  #epoch: number
  #lastVotes: number[]
  /** Votes that were there when the view was first seen to be final. */
  readonly #punctual = new Map<number, Record<CountedVote, ReadonlySet<number>>>()
  #ended: number
  #final: number

  constructor(state: ConsensusState, listener: TallyListener) {
    this.#listener = listener
    this.#epoch = state.config.epoch
    this.#lastVotes = noVotes(state)
    this.#ended = state.view
    this.#final = state.final.view
  }

  /** The highest view in which an authority has voted, 0 before the first. */
  lastVoteView(authority: number): number {
    return this.#lastVotes[authority] ?? 0
  }

  follow(state: ConsensusState): void {
    if (state.config.epoch !== this.#epoch) this.#begin(state)
    const oldest = state.final.view - RETENTION
    this.#noteLastVotes(state)
    this.#settleVotes(state)
    for (let view = Math.max(this.#final + 1, oldest); view <= state.final.view; view += 1)
      this.#noteFinal(state, view)
    for (let view = Math.max(this.#ended, oldest); view < state.view; view += 1)
      this.#noteEnded(state, view)
    this.#ended = Math.max(this.#ended, state.view)
    this.#final = Math.max(this.#final, state.final.view)
  }

  #begin(state: ConsensusState): void {
    this.#epoch = state.config.epoch
    this.#lastVotes = noVotes(state)
    this.#punctual.clear()
    this.#ended = 1
    this.#final = 0
  }

  #noteLastVotes(state: ConsensusState): void {
    for (const [view, { notarize, nullify, finalize }] of state.views) {
      if (view < this.#final - LATE_VIEWS) continue
      for (const votes of [notarize, nullify, finalize])
        for (const signer of votes.keys())
          this.#lastVotes[signer] = Math.max(this.lastVoteView(signer), view)
    }
  }

  #noteEnded(state: ConsensusState, view: number): void {
    const { notarization, nullification } = recordOf(state, view)
    if (nullification !== null) {
      this.#listener.view('nullified')
      this.#listener.proposal(leaderIn(state, view), 'nullified')
    } else if (notarization !== null) this.#listener.view('notarized')
  }

  #noteFinal(state: ConsensusState, view: number): void {
    const { notarization, nullification, finalization, notarize, finalize } = recordOf(state, view)
    const isNotarized = notarization !== null && nullification === null
    if (!isNotarized && finalization === null) return
    this.#listener.view('finalized')
    this.#listener.proposal(leaderIn(state, view), 'finalized')
    this.#punctual.set(view, {
      notarize: new Set(notarize.keys()),
      finalize: new Set(finalize.keys()),
    })
  }

  #settleVotes(state: ConsensusState): void {
    for (const [view, punctual] of this.#punctual) {
      if (view > state.final.view - LATE_VIEWS) continue
      this.#punctual.delete(view)
      if (!state.views.has(view)) continue
      const record = recordOf(state, view)
      for (const vote of KINDS) {
        for (let authority = 0; authority < state.config.authorities; authority += 1) {
          const isHere = record[vote].has(authority)
          const result = punctual[vote].has(authority) ? 'on_time' : isHere ? 'late' : 'missing'
          this.#listener.vote(authority, vote, result)
        }
      }
    }
  }
}

function noVotes({ config }: ConsensusState): number[] {
  return Array.from({ length: config.authorities }, () => 0)
}

function leaderIn({ config }: ConsensusState, view: number): number {
  return leaderOf(config.epoch, view, config.authorities)
}
