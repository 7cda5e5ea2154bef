// Blocks that are held and executed but not yet durable: what each does to the state, on top of its
// parent, and the building of new ones.
//
// An executed block keeps its state as an overlay on that of its parent, so competing blocks stand
// side by side until finality decides. `seal` moves the durable tip; what it overtakes is forgotten.
//
// To execute and to build take steps, between which the tip may move. What no longer has its parent to stand on is
// overtaken then: its next step is not taken, and nothing of it is kept.
//
// Membership, keys and parameters stand still within an epoch. A block that changes them is the last
// one of its epoch: sealed, it is the view 0 that the first block of the next epoch stands on.

import { CodecError, equalBytes, toHex } from '@mooring/codec'
import { type BlockMeta, leaderOf } from '@mooring/consensus'
import { leafHash, MerkleFrontier } from '@mooring/crypto'
import {
  applyBlockInSteps,
  type AppliedTransactions,
  applyTransactionsInSteps,
  type AuthoritySet,
  authoritySet,
  authoritySetDigest,
  createBlock,
  type DecodedBlock,
  type DecodedTransaction,
  decodeBlock,
  decodeTransaction,
  encodeBlock,
  type FindVerified,
  type InvalidBlock,
  type IsVerified,
  KnownValues,
  type Parameters,
  type ParentBlock,
  parentOf,
  parametersOf,
  readOwnBlock,
  type Receipt,
  type State,
  complete,
  type Steps,
} from '@mooring/ledger'
import type { StateView } from '@mooring/storage'
import { completeWork, type Work } from './long-work.ts'
import { refuseUnspoken } from './protocol.ts'
import { readAhead } from './read-ahead.ts'

export interface Executed {
  readonly meta: BlockMeta
  readonly block: DecodedBlock
  readonly encoded: Uint8Array
  readonly receipts: readonly Receipt[]
  /** Of its transactions; made when it is asked for, which for most kinds of them is never. */
  readonly names: () => ReadonlySet<string>
  readonly view: StateView
  /** History up to and with this block. */
  readonly history: { readonly size: number; readonly hashes: readonly Uint8Array[] }
  readonly parent: string
}

/** The last final block, or genesis. */
export interface Tip {
  /** Of the block that comes next. */
  readonly epoch: number
  /** As a parent: a sealing block is at view 0 of the epoch that comes next. */
  readonly meta: BlockMeta
  readonly digest: Uint8Array
  readonly view: StateView
  readonly history: { readonly size: number; readonly hashes: readonly Uint8Array[] }
}

interface Held {
  readonly meta: BlockMeta
  readonly block: DecodedBlock
  readonly encoded: Uint8Array
}

/** Agreement has gone on elsewhere meanwhile: the block is neither good nor bad. */
export type Overtaken = 'overtaken'

export interface BuildInput {
  view: number
  now: number
  candidates: readonly DecodedTransaction[]
  mayBeEmpty: boolean
}

export interface Built {
  /** Null when nothing fits and an empty block is not wanted. */
  meta: BlockMeta | null
  rejected: AppliedTransactions['rejected']
}

export type Refusal = InvalidBlock | { code: 'wrong_state_root' } | { code: 'wrong_history_root' }

export interface ExecutionModules {
  genesisDigest: Uint8Array
  isVerified: IsVerified
  findVerified?: FindVerified
  isIncluded: (id: Uint8Array) => boolean
}

export class Execution {
  readonly #modules: ExecutionModules
  readonly #held = new Map<string, Held>()
  readonly #executed = new Map<string, Executed>()
  #settling: Executed[] = []
  /** After each block that is executed, and after the tip. */
  readonly #states = new Map<string, State>()
  #tip: Tip
  #epoch: Epoch

  constructor(tip: Tip, modules: ExecutionModules) {
    this.#tip = tip
    this.#modules = modules
    this.#epoch = epochAfter(tip)
  }

  /** The one that the next block belongs to. */
  get epoch(): number {
    return this.#epoch.number
  }

  get parameters(): Parameters {
    return this.#epoch.parameters
  }

  get authorities(): AuthoritySet {
    return this.#epoch.authorities
  }

  get tip(): Tip {
    return this.#tip
  }

  /** Keeps a block's body. The digest is that of its header, which covers the transactions by their root. */
  hold(encoded: Uint8Array, block = decodeBlock(encoded)): BlockMeta {
    const meta = metaOf(block)
    if (meta.height > this.#tip.meta.height && !this.#held.has(meta.digest))
      this.#held.set(meta.digest, { meta, block, encoded })
    return meta
  }

  /** The same where its place is wanted; null and nothing kept where it is not. @throws CodecError */
  holdIf(encoded: Uint8Array, isWanted: (meta: BlockMeta) => boolean): BlockMeta | null {
    const block = decodeBlock(encoded)
    return isWanted(metaOf(block)) ? this.hold(encoded, block) : null
  }

  encodedOf(digest: string): Uint8Array | undefined {
    return this.#held.get(digest)?.encoded
  }

  /** Of a held block; none when it is not held. */
  transactionsOf(digest: string): readonly Uint8Array[] {
    return this.#held.get(digest)?.block.transactions ?? []
  }

  executedOf(digest: string): Executed | undefined {
    return this.#executed.get(digest)
  }

  /**
   * Null when the block is good. Which of its transactions are verified beyond those that the modules know of is
   * the caller's word.
   */
  *executeInSteps(
    digest: string,
    isVerified: IsVerified = () => false,
  ): Work<Refusal | Overtaken | null> {
    if (this.#executed.has(digest)) return null
    const held = this.#held.get(digest)
    if (held === undefined || !this.#isOpen(held.meta.parent)) return 'overtaken'
    const { block } = held
    const { parent: below } = held.meta
    const base = this.#baseOf(below)
    refuseUnspoken(base.state, held.meta.height)
    const { genesisDigest, findVerified } = this.#modules
    const reading = this.readAhead(block.transactions)
    if (reading !== null) {
      yield reading
      if (!this.#isOpen(below)) return 'overtaken'
    }
    const context = {
      genesisDigest,
      parameters: this.parameters,
      expectedProposer: this.#leaderOf(block.header.view),
      isVerified: (each: DecodedTransaction) => isVerified(each) || this.#modules.isVerified(each),
      ...(findVerified && { findVerified }),
    }
    const applying = applyBlockInSteps(base.state, base.parent, block, context)
    const applied = yield* this.#whileOpen(below, applying)
    if (applied === null) return 'overtaken'
    if ('code' in applied) return applied
    const view = yield* this.#whileOpen(below, base.view.applyInSteps(applied.diff.values()))
    if (view === null) return 'overtaken'
    if (!equalBytes(view.root, block.header.stateRoot)) return { code: 'wrong_state_root' }
    if (!equalBytes(base.frontier.root(), block.header.historyRoot))
      return { code: 'wrong_history_root' }
    this.#keep(held, { view, frontier: base.frontier, receipts: applied.receipts })
    return null
  }

  /** In one turn; the parent must be executed or the tip. */
  execute(digest: string): Refusal | null {
    const refusal = completeWork(this.executeInSteps(digest))
    if (refusal === 'overtaken') throw new Error(`the block ${digest} cannot be executed`)
    return refusal
  }

  /** The state after a block that is executed or the tip; undefined when it is neither. */
  stateAfter(digest: string): State | undefined {
    return this.#isOpen(digest) ? this.#stateOf(digest) : undefined
  }

  /** Brings into memory what these transactions will need of the final state; null: it is there, or they are few. */
  readAhead(transactions: readonly Uint8Array[]): Promise<void> | null {
    return readAhead(this.#tip.view, transactions, (encoded) => this.#read(encoded))
  }

  finalState(): State {
    return this.#stateOf(this.#tip.meta.digest)
  }

  /** A block on an executed parent. */
  *buildInSteps(parent: BlockMeta, input: BuildInput): Steps<Built | Overtaken> {
    if (!this.#isOpen(parent.digest)) return 'overtaken'
    const base = this.#baseOf(parent.digest)
    const { parameters } = this
    const { setDigest } = this.#epoch
    const time = Math.max(input.now, base.parent.time + 1)
    const { genesisDigest, isVerified } = this.#modules
    const height = base.parent.height + 1
    const proposer = this.#leaderOf(input.view)
    refuseUnspoken(base.state, height)
    const context = { genesisDigest, time, height, parameters, isVerified }
    const applying = applyTransactionsInSteps(base.state, context, input.candidates)
    const applied = yield* this.#whileOpen(parent.digest, applying)
    if (applied === null) return 'overtaken'
    const { rejected, included, next, receipts } = applied
    const isWorthless = included.length === 0 && next === null
    if (isWorthless && !input.mayBeEmpty) return { meta: null, rejected }
    const changing = base.view.applyInSteps(applied.diff.values())
    const view = yield* this.#whileOpen(parent.digest, changing)
    if (view === null) return 'overtaken'
    const block = createBlock(base.parent, {
      genesisDigest,
      view: input.view,
      time,
      proposer,
      stateRoot: view.root,
      historyRoot: base.frontier.root(),
      authoritySetDigest: setDigest,
      nextAuthoritySetDigest: next === null ? null : authoritySetDigest(next),
      transactions: included.map(({ bytes }) => bytes),
    })
    const own = readOwnBlock(block)
    const held = { meta: metaOf(own), block: own, encoded: encodeBlock(block) }
    this.#held.set(held.meta.digest, held)
    this.#keep(held, { view, frontier: base.frontier, receipts })
    return { meta: held.meta, rejected }
  }

  /** In one turn; the parent must be executed or the tip. */
  build(parent: BlockMeta, input: BuildInput): Built {
    const built = complete(this.buildInSteps(parent, input))
    if (built === 'overtaken') throw new Error(`the parent ${parent.digest} is not executed`)
    return built
  }

  /**
   * These blocks are final, in this order: the last is the tip, and whatever cannot stand above it is
   * forgotten, by height or by view: a liar says that his block is a million blocks high. Until `settled` says that they are durable their transactions are remembered here.
   */
  seal(digests: readonly string[]): Executed[] {
    const sealed = digests.map((digest) => {
      const executed = this.#executed.get(digest)
      if (executed === undefined) throw new Error(`sealed ${digest}, which was not executed`)
      return executed
    })
    const last = sealed.at(-1)
    if (last === undefined) return []
    const { meta, block, view, history } = last
    this.#tip = { ...placeOf(last.block), digest: block.digest, view, history }
    if (this.#tip.epoch !== this.epoch) this.#epoch = epochAfter(this.#tip)
    this.#settling.push(...sealed)
    for (const map of [this.#held, this.#executed])
      for (const [name, entry] of map)
        if (entry.meta.height <= meta.height || entry.meta.view <= meta.view) map.delete(name)
    for (const name of this.#states.keys())
      if (name !== meta.digest && !this.#executed.has(name)) this.#states.delete(name)
    return sealed
  }

  settled(height: number): void {
    this.#settling = this.#settling.filter(({ meta }) => meta.height > height)
  }

  #read(encoded: Uint8Array): DecodedTransaction | null {
    const { genesisDigest, findVerified } = this.#modules
    const known = findVerified?.(encoded)
    if (known !== undefined) return known
    try {
      return decodeTransaction(encoded, genesisDigest)
    } catch (error) {
      if (error instanceof CodecError) return null
      throw error
    }
  }

  /** Whether a block can stand on this one: it is executed, or the tip. */
  #isOpen(digest: string): boolean {
    return digest === this.#tip.meta.digest || this.#executed.has(digest)
  }

  /** Null as soon as it is not. */
  *#whileOpen<T>(parent: string, steps: Steps<T>): Steps<T | null> {
    for (let step = steps.next(); ; step = steps.next()) {
      if (step.done === true) return step.value
      yield
      if (!this.#isOpen(parent)) return null
    }
  }

  #leaderOf(view: number): string {
    const { number, authorities } = this.#epoch
    const { organisations } = authorities
    return organisations[leaderOf(number, view, organisations.length)] ?? ''
  }

  #keep(
    held: Held,
    result: { view: StateView; frontier: MerkleFrontier; receipts: readonly Receipt[] },
  ): void {
    const { view, receipts } = result
    const history = MerkleFrontier.from(result.frontier.size, result.frontier.hashes)
    history.append(leafHash(held.block.digest))
    this.#executed.set(held.meta.digest, {
      ...held,
      receipts,
      view,
      names: namesOf(receipts),
      history: { size: history.size, hashes: history.hashes },
      parent: held.meta.parent,
    })
  }

  #baseOf(digest: string): {
    state: State
    view: StateView
    parent: ParentBlock
    frontier: MerkleFrontier
  } {
    const executed = this.#executed.get(digest)
    if (executed === undefined && digest !== this.#tip.meta.digest)
      throw new Error(`the parent ${digest} is not executed`)
    const { view, history } = executed ?? this.#tip
    const { epoch, meta } = executed === undefined ? this.#tip : placeOf(executed.block)
    return {
      view,
      state: this.#stateOf(digest),
      parent: {
        epoch,
        view: meta.view,
        height: meta.height,
        time: meta.time,
        digest: executed?.block.digest ?? this.#tip.digest,
      },
      frontier: MerkleFrontier.from(history.size, [...history.hashes]),
    }
  }

  #stateOf(digest: string): State {
    const known = this.#states.get(digest)
    if (known !== undefined) return known
    const { view } = this.#executed.get(digest) ?? this.#tip
    const state: State = {
      get: (key) => view.get(key),
      wasIncluded: (id) => this.#wasIncluded(id, digest),
      known: new KnownValues(),
    }
    this.#states.set(digest, state)
    return state
  }

  #wasIncluded(id: Uint8Array, digest: string): boolean {
    const name = toHex(id)
    let block = this.#executed.get(digest)
    while (block !== undefined) {
      if (block.names().has(name)) return true
      block = this.#executed.get(block.parent)
    }
    if (this.#settling.some(({ names }) => names().has(name))) return true
    return this.#modules.isIncluded(id)
  }
}

function namesOf(receipts: readonly Receipt[]): () => ReadonlySet<string> {
  let names: ReadonlySet<string> | null = null
  return () => {
    names ??= new Set(receipts.map(({ transaction }) => toHex(transaction)))
    return names
  }
}

interface Epoch {
  readonly number: number
  readonly parameters: Parameters
  readonly authorities: AuthoritySet
  readonly setDigest: Uint8Array
}

function epochAfter({ epoch, view }: Pick<Tip, 'epoch' | 'view'>): Epoch {
  const authorities = authoritySet(view)
  return {
    number: epoch,
    parameters: parametersOf(view),
    authorities,
    setDigest: authoritySetDigest(authorities),
  }
}

/** A block as what the next one stands on. */
export function placeOf({
  header,
  digest,
}: Pick<DecodedBlock, 'header' | 'digest'>): Pick<Tip, 'epoch' | 'meta'> {
  const { epoch, view } = parentOf(header, digest)
  const meta = metaOf({ header, digest })
  if (!meta.isSealing) return { epoch, meta }
  return { epoch, meta: { ...meta, view, parentView: 0, isSealing: false } }
}

export function metaOf({ header, digest }: Pick<DecodedBlock, 'header' | 'digest'>): BlockMeta {
  const { view, parentView, height, time, parent, transactionCount } = header
  return {
    digest: toHex(digest),
    parent: toHex(parent),
    view,
    parentView,
    height,
    time,
    isEmpty: transactionCount === 0,
    isSealing: header.nextAuthoritySetDigest !== null,
  }
}
