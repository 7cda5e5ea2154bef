/**
 * The blocks of one process: held, executed, final. It stands for `node/src/execution.ts`, and refuses
 * what that would refuse, so that an impossible request of the state machine is found here.
 */
import { type BlockMeta, type Certificate, type ConsensusState, recordOf } from '@mooring/consensus'
import type { FinalEntry } from './actor.ts'
import { type Block, childOf, GENESIS, INVALID } from './blocks.ts'
import { Violation } from './violation.ts'

/** In one block. */
export const TRANSACTIONS_MAX = 3

export class Ledger {
  readonly log: FinalEntry[]
  /** How each ended epoch ended. */
  readonly ended: Certificate[] = []
  readonly included = new Set<string>()
  readonly #held = new Map<string, Block>()
  readonly #executed = new Set<string>()
  readonly #final = new Map<string, Block>()

  #members: readonly number[]

  constructor(founders: readonly number[], chain: readonly FinalEntry[], blocks: readonly Block[]) {
    this.#members = founders
    this.log = []
    for (const entry of chain) this.#include(entry)
    for (const block of blocks) this.hold(block)
  }

  get tip(): BlockMeta {
    return this.log.at(-1)?.block.meta ?? GENESIS
  }

  /** The epoch in which the next block stands, and its authorities. */
  get turn(): { readonly epoch: number; readonly members: readonly number[] } {
    return { epoch: this.ended.length, members: this.#members }
  }

  hold(block: Block): void {
    if (block.meta.height > this.tip.height) this.#held.set(block.meta.digest, block)
  }

  /** What can be served to others. */
  find(digest: string): Block | undefined {
    return this.#held.get(digest) ?? this.#final.get(digest)
  }

  isExecuted(digest: string): boolean {
    return this.#executed.has(digest)
  }

  metaOfExecuted(digest: string | undefined): BlockMeta | undefined {
    if (digest === undefined || !this.#executed.has(digest)) return undefined
    return this.#held.get(digest)?.meta
  }

  execute(digest: string): 'valid' | 'invalid' {
    const block = this.#held.get(digest)
    if (block === undefined) throw new Violation('order', 'executed a block whose body is not held')
    if (!this.isBase(block.meta.parent))
      throw new Violation('order', 'executed a block whose parent is not executed')
    if (block.transactions.includes(INVALID)) return 'invalid'
    this.#executed.add(digest)
    return 'valid'
  }

  /** A block of pending transactions on an executed parent; null when there is nothing to put in. */
  build(
    parent: BlockMeta,
    place: {
      epoch: number
      view: number
      wall: number
      next: readonly number[] | null
      mayBeEmpty: boolean
    },
    pending: ReadonlySet<string>,
  ): Block | null {
    if (!this.isBase(parent.digest))
      throw new Violation('order', 'built on a parent that is not executed')
    const open = this.openNames(parent.digest)
    const transactions = [...pending]
      .filter((name) => !open.has(name) && !this.included.has(name))
      .slice(0, TRANSACTIONS_MAX)
    const { epoch, view, next } = place
    if (transactions.length === 0 && !place.mayBeEmpty) return null
    const time = Math.max(place.wall, parent.time + 1)
    const child = { epoch, view, parentView: parent.view, time, next }
    const block = childOf(parent, child, transactions)
    this.#held.set(block.meta.digest, block)
    this.#executed.add(block.meta.digest)
    return block
  }

  /** Whether a block on top of this one would carry something. */
  hasReady(digest: string, pending: ReadonlySet<string>): boolean {
    if (pending.size === 0) return false
    const open = this.openNames(digest)
    for (const name of pending) if (!open.has(name) && !this.included.has(name)) return true
    return false
  }

  /** These blocks are final, in this order. */
  seal(blocks: readonly BlockMeta[], finalization: Certificate): FinalEntry[] {
    const entries: FinalEntry[] = []
    for (const [index, { digest, height, parent }] of blocks.entries()) {
      const block = this.#held.get(digest)
      if (block === undefined || !this.#executed.has(digest))
        throw new Violation('order', `made a block final at ${height} that was not executed`)
      if (height !== this.tip.height + 1 || parent !== this.tip.digest)
        throw new Violation('order', `made a block final out of order at ${height}`)
      const isLast = index === blocks.length - 1
      const entry = { block, finalization: isLast ? finalization : null }
      this.#include(entry)
      entries.push(entry)
    }
    this.#forget()
    return entries
  }

  /** Names in the open blocks from this one down to the tip. */
  openNames(digest: string): Set<string> {
    const names = new Set<string>()
    for (let at = this.#held.get(digest); at !== undefined; at = this.#held.get(at.meta.parent))
      for (const name of at.transactions) names.add(name)
    return names
  }

  /** Whether a block can stand on it: it is executed or the tip. */
  isBase(digest: string): boolean {
    return digest === this.tip.digest || this.#executed.has(digest)
  }

  #include({ block, finalization }: FinalEntry): void {
    this.log.push({ block, finalization })
    this.#final.set(block.meta.digest, block)
    for (const name of block.transactions) this.included.add(name)
    if (block.next === null) return
    if (finalization === null)
      throw new Violation(
        'I12',
        `the sealing block ${block.meta.height} has no finalization of its own`,
      )
    this.#members = block.next
    this.ended.push(finalization)
  }

  #forget(): void {
    for (const [digest, { meta }] of this.#held)
      if (meta.height <= this.tip.height) {
        this.#held.delete(digest)
        this.#executed.delete(digest)
      }
  }
}

/** The block that the next one would stand on: proposed in this view, notarized, or final. */
export function openTip(state: ConsensusState, ledger: Ledger): BlockMeta {
  const { view, final } = state
  const current = recordOf(state, view)
  const proposed = current.proposal?.block.digest ?? current.ownNotarize?.digest
  const known = ledger.metaOfExecuted(proposed)
  if (known !== undefined) return known
  for (let open = view - 1; open >= final.view; open -= 1) {
    const { notarization } = recordOf(state, open)
    const executed = ledger.metaOfExecuted(notarization?.subject.digest)
    if (executed !== undefined) return executed
  }
  return ledger.tip
}
