// Who may come in to wait: room first, then the place in its lane and the rules. Signatures are looked at by
// whoever asks here, and last: who sends too much is refused for next to nothing.

import { checkTransaction, type DecodedTransaction, type TransactionContext } from '@mooring/ledger'
import { Inflow } from './inflow.ts'
import { type LanePlace, lanePlaceOf, type Lanes } from './lanes.ts'
import type { LooseTransactions } from './loose-transactions.ts'
import type { Entry, MempoolModules, MempoolOptions } from './mempool-modules.ts'
import type { Refused } from './refusal-text.ts'

/** Of the room: one member may flood the others, and each still takes what its own clients bring. */
const PEERS_PART = 0.75

export interface Held {
  readonly lanes: Lanes<Entry>
  readonly loose: LooseTransactions<Entry>
  /** All that wait. */
  count(): number
  bytes(): number
}

export class MempoolDoor {
  readonly #options: MempoolOptions
  readonly #modules: MempoolModules
  readonly #held: Held
  readonly #inflow = new Inflow()

  constructor(options: MempoolOptions, modules: MempoolModules, held: Held) {
    this.#options = options
    this.#modules = modules
    this.#held = held
  }

  /** So many have become final. */
  noteFinal(count: number): void {
    this.#inflow.note(count, this.#modules.clock.monotonic())
  }

  /** Of the next block. */
  context(): TransactionContext {
    const { clock, parameters, nextHeight } = this.#modules
    const { genesisDigest } = this.#options
    const time = clock.wall()
    return { genesisDigest, time, height: nextHeight(), parameters: parameters() }
  }

  /** Everything but signatures. */
  check(transaction: DecodedTransaction, isLocal: boolean): Refused | undefined {
    const place = lanePlaceOf(transaction)
    const full = this.#checkRoom(transaction, place, isLocal)
    if (full !== undefined) return full
    const state = this.#modules.finalState()
    // A client is told at once; what a peer offers may be ahead of the blocks that we have.
    const acceptsGap = place !== null || !isLocal
    const rules = { acceptsGap, verifySignature: false }
    const invalid = checkTransaction(state, this.context(), transaction, rules)
    if (invalid !== undefined) return invalid
    return place === null ? undefined : this.#held.lanes.checkPlace(state, place, isLocal)
  }

  /** For what a peer offers and the rules let in a moment ago: whether nobody has taken its place since. */
  isStillOpen(transaction: DecodedTransaction): boolean {
    const place = lanePlaceOf(transaction)
    if (place !== null && this.#held.lanes.has(place)) return false
    return this.#checkRoom(transaction, place, false) === undefined
  }

  /** For something of this size that comes with a place in a lane. */
  hasRoom(bytes: number, isLocal: boolean): boolean {
    const { loose, ...held } = this.#held
    const { maxCount, maxBytes } = this.#options
    const part = isLocal ? 1 : PEERS_PART
    const most = isLocal ? this.#inflow.waitingMax(this.#modules.clock.monotonic()) : Infinity
    return (
      held.count() - loose.size < Math.min(most, maxCount * part) &&
      held.bytes() - loose.bytes + bytes <= maxBytes * part
    )
  }

  /**
   * What has no place in a lane has room of its own, or a flood would keep out its remedy. The head of a lane,
   * one of each organisation, always has room: all that waits behind it waits for it, and who alone knows of
   * work cannot move the view to its own turn.
   */
  #checkRoom(
    transaction: DecodedTransaction,
    place: LanePlace | null,
    isLocal: boolean,
  ): Refused | undefined {
    const { lanes, loose } = this.#held
    if (place === null) return loose.checkRoom(transaction)
    if (lanes.isHead(this.#modules.finalState(), place)) return undefined
    if (this.hasRoom(transaction.bytes.length, isLocal)) return undefined
    return { code: 'mempool_full', detail: 'too many transactions wait; try again in a moment' }
  }
}
