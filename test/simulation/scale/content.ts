/**
 * What a node holds beside the state machine: transactions that wait, blocks that are held and executed, and the
 * tip. It stands for mempool, execution and committer of `packages/node`: candidates come in order of arrival, as
 * many as the real `BlockPace` lets into a block; the real `Inflow` says how many may wait; and a transaction whose
 * signature was checked at the door costs nothing of it again. Sequences and quota are not here.
 */
import { type BlockMeta, type ConsensusState, recordOf } from '@mooring/consensus'
import { BlockPace } from '../../../packages/node/src/block-pace.ts'
import { Inflow } from '../../../packages/node/src/inflow.ts'
import { GENESIS } from '../blocks.ts'
import type { Body, Chain } from './chain.ts'
import type { Costs } from './costs.ts'
import type { Processor } from './processor.ts'

/** `blockBytesMax` of the network's parameters. */
const BLOCK_BYTES_MAX = 4 << 20

export class Content {
  readonly #chain: Chain
  readonly #costs: Costs
  readonly #processor: Processor
  readonly #pace = new BlockPace()
  readonly #inflow = new Inflow()
  readonly #waiting = new Set<number>()
  /** Admitted, and by that verified: waiting or final. */
  readonly #admitted = new Set<number>()
  readonly #held = new Set<string>()
  readonly #executed = new Set<string>()
  tip: BlockMeta = GENESIS

  constructor(chain: Chain, costs: Costs, processor: Processor) {
    this.#chain = chain
    this.#costs = costs
    this.#processor = processor
  }

  /** Whether a client's transaction may wait too. */
  hasRoom(): boolean {
    return this.#waiting.size < this.#inflow.waitingMax(this.#processor.time)
  }

  /** @returns whether any of them is new here. */
  admit(transactions: readonly number[]): boolean {
    let isFresh = false
    for (const each of transactions) {
      if (this.#admitted.has(each)) continue
      isFresh = true
      this.#processor.spend(this.#costs.admitMs)
      this.#admitted.add(each)
      this.#waiting.add(each)
    }
    return isFresh
  }

  /** How many of its transactions have not come, and so cannot be told by their names. */
  missing({ transactions }: Body): number {
    return transactions.filter((each) => !this.#admitted.has(each)).length
  }

  holds(digest: string): boolean {
    return this.#held.has(digest)
  }

  hold({ meta }: Body): void {
    if (meta.height > this.tip.height) this.#held.add(meta.digest)
  }

  isBase(digest: string): boolean {
    return digest === this.tip.digest || this.#executed.has(digest)
  }

  build(parent: BlockMeta, place: { view: number; wall: number; deltaMs: number }): Body {
    const carried = this.#chain.carried(parent.digest)
    const most = Math.min(
      this.#pace.transactionsMax(place.deltaMs),
      Math.floor(BLOCK_BYTES_MAX / (this.#costs.transactionBytes + 3)),
    )
    const taken: number[] = []
    for (const each of this.#waiting) {
      if (taken.length >= most) break
      if (!carried.has(each)) taken.push(each)
    }
    this.#work(taken.length)
    const body = this.#chain.build(parent, place.view, place.wall, taken)
    this.#held.add(body.meta.digest)
    this.#executed.add(body.meta.digest)
    return body
  }

  execute(digest: string): void {
    const { transactions } = this.#chain.body(digest)
    const unknown = transactions.filter((each) => !this.#admitted.has(each))
    this.#processor.spend(unknown.length * this.#costs.admitMs)
    for (const each of unknown) this.#admitted.add(each)
    this.#work(transactions.length)
    this.#executed.add(digest)
  }

  #work(transactions: number): void {
    const ms = this.#costs.blockMs + transactions * this.#costs.applyMs
    this.#processor.spend(ms)
    this.#pace.note(transactions, ms)
  }

  seal(body: Body): void {
    const { meta, transactions } = body
    if (meta.height !== this.tip.height + 1 || meta.parent !== this.tip.digest)
      throw new Error(`block ${meta.height} does not follow ${this.tip.height}`)
    this.tip = meta
    this.#inflow.note(transactions.length, this.#processor.time)
    for (const each of transactions) {
      this.#waiting.delete(each)
      this.#admitted.add(each)
    }
    for (const digest of this.#held) {
      if (this.#chain.has(digest) && this.#chain.body(digest).meta.height > meta.height) continue
      this.#held.delete(digest)
      this.#executed.delete(digest)
    }
  }

  /** Whether a block on top of what is proposed already would carry something. */
  hasReady(state: ConsensusState): boolean {
    return this.#waiting.size > 0 && this.hasReadyOn(this.#openTip(state))
  }

  hasReadyOn(digest: string): boolean {
    const carried = this.#chain.carried(digest)
    for (const each of this.#waiting) if (!carried.has(each)) return true
    return false
  }

  #openTip(state: ConsensusState): string {
    const { view, final } = state
    const current = recordOf(state, view)
    const proposed = current.proposal?.block.digest ?? current.ownNotarize?.digest
    if (proposed !== undefined && this.#executed.has(proposed)) return proposed
    for (let open = view - 1; open >= final.view; open -= 1) {
      const digest = recordOf(state, open).notarization?.subject.digest
      if (digest !== undefined && this.#executed.has(digest)) return digest
    }
    return this.tip.digest
  }
}
