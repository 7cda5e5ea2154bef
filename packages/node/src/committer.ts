// Makes final blocks durable, one atomic batch at a time, and tells who waits for them.
//
// Agreement does not wait for the disk here: the blocks and their votes are in the journal already.
// What became final while a batch was under way goes into the next one together.

import { encodeCertificate, type Certificate } from '@mooring/consensus'
import {
  authoritySet,
  encodeAuthoritySet,
  encodeReceipts,
  type Header,
  type Receipt,
  type UnixMs,
} from '@mooring/ledger'
import type { ChainStore } from '@mooring/storage'
import type { Executed, Execution } from './execution.ts'
import type { Snapshots } from './snapshots.ts'

export interface CommittedBlock {
  readonly height: number
  readonly digest: Uint8Array
  readonly time: UnixMs
  readonly header: Header
  readonly transactions: readonly Uint8Array[]
  readonly receipts: readonly Receipt[]
  readonly bytes: number
}

export interface CommitterModules {
  chain: Pick<ChainStore, 'commitAll'>
  execution: Pick<Execution, 'settled'>
  /** Takes the state of some heights, which must then be the last of their batch. */
  snapshots?: Pick<Snapshots, 'isDue' | 'begin'>
  /** After the blocks are durable; it begins before the listeners are told, who do not wait for its end. */
  onDurable: (blocks: readonly CommittedBlock[]) => Promise<void>
  onFatal: (error: unknown) => void
}

export class Committer {
  readonly #modules: CommitterModules
  readonly #listeners = new Set<(block: CommittedBlock) => void>()
  #waiting: { executed: Executed; finalization: Uint8Array | null }[] = []
  #running: Promise<void> | null = null

  constructor(modules: CommitterModules) {
    this.#modules = modules
  }

  /** Called with each block once it is durable, in the order of heights. */
  subscribe(listener: (block: CommittedBlock) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** The certificate finalizes the last of them; null: one of a block that is still to come does. */
  commit(blocks: readonly Executed[], finalization: Certificate | null): void {
    const certificate = finalization === null ? null : encodeCertificate(finalization)
    for (const [index, executed] of blocks.entries())
      this.#waiting.push({
        executed,
        finalization: index === blocks.length - 1 ? certificate : null,
      })
    this.#running ??= this.#run()
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    while (this.#running !== null) await this.#running
  }

  async #run(): Promise<void> {
    try {
      while (this.#waiting.length > 0) await this.#commitWaiting()
    } catch (error) {
      this.#waiting = []
      this.#modules.onFatal(error)
    } finally {
      this.#running = null
    }
  }

  async #commitWaiting(): Promise<void> {
    const { snapshots } = this.#modules
    const due = this.#waiting.findIndex(({ executed: { meta, view } }) =>
      snapshots?.isDue(meta.height, view),
    )
    const batch = due < 0 ? this.#waiting : this.#waiting.slice(0, due + 1)
    this.#waiting = this.#waiting.slice(batch.length)
    await this.#modules.chain.commitAll(
      batch.map(({ executed, finalization }) => ({
        block: executed.encoded,
        header: executed.block.encodedHeader,
        digest: executed.block.digest,
        finalization,
        nextAuthorities: nextAuthoritiesOf(executed),
        receipts: encodeReceipts([...executed.receipts]),
        state: executed.view,
        transactionIds: executed.receipts.map(({ transaction }) => transaction),
      })),
    )
    // Between two batches the database holds exactly the state of the height.
    if (due >= 0) await snapshots?.begin()
    const blocks = batch.map(({ executed }) => committedBlock(executed))
    const tip = blocks.at(-1)
    if (tip !== undefined) this.#modules.execution.settled(tip.height)
    const settled = this.#modules.onDurable(blocks)
    // Who waits for the end of an epoch expects to find the next one.
    if (tip?.header.nextAuthoritySetDigest !== null) await settled
    for (const block of blocks) for (const listener of this.#listeners) listener(block)
    await settled
  }
}

/** The set that comes after a block that ends its epoch. */
function nextAuthoritiesOf({ meta, view }: Executed): Uint8Array | null {
  return meta.isSealing ? encodeAuthoritySet(authoritySet(view)) : null
}

function committedBlock({ meta, block, encoded, receipts }: Executed): CommittedBlock {
  const { height, time } = meta
  const { digest, header, transactions } = block
  return { height, time, digest, header, transactions, receipts, bytes: encoded.length }
}
