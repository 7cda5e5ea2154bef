// When a leader names its transactions, and when it sends its block whole.
//
// A block that nobody could put together is a view that is lost. Whoever lacks whatever, a whole block needs nothing
// but its one way; so after a loss the next ones go whole: one, and twice as many after each further loss, for what
// made the names useless (full mempools, members that are cut off from gossip) seldom passes in one view.

import { type ConsensusState, recordOf } from '@mooring/consensus'

const WHOLE_MAX = 64

export class CompactTurns {
  /** Of our last proposal that named its transactions, until it is known what became of it. */
  #view = 0
  #wholeLeft = 0
  #wholeNext = 1

  /** Looks what became of the last one, while its view is remembered. */
  follow(state: ConsensusState): void {
    if (this.#view > 0 && state.final.view >= this.#view) this.#settle(state)
  }

  /** Whether the next proposal, of this state, may name its transactions. */
  mayName(state: ConsensusState): boolean {
    if (this.#view > 0) this.#settle(state)
    if (this.#wholeLeft === 0) return true
    this.#wholeLeft -= 1
    return false
  }

  /** The proposal of this view went by names. */
  named(view: number): void {
    this.#view = view
  }

  #settle(state: ConsensusState): void {
    const { notarization, finalization } = recordOf(state, this.#view)
    this.#view = 0
    if (notarization !== null || finalization !== null) {
      this.#wholeNext = 1
      return
    }
    this.#wholeLeft = this.#wholeNext
    this.#wholeNext = Math.min(WHOLE_MAX, 2 * this.#wholeNext)
  }
}
