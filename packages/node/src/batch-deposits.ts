// The leaves of the custodian's batches on their way to holders, once they are anchored.
//
//   batch, marked --anchored--> due --n holders have its leaves--> mark gone
//
// The mark is written with the batch and goes last: after a crash a batch is given once more, which changes
// nothing at a holder. Shards do not wait for this, nor the other way round. A holder that is a few blocks
// behind does not know the root yet and is asked again. One that stays away is left to repair, which copies
// leaves among holders: what k others have is safe.

import { concatBytes } from '@mooring/codec'
import {
  BATCH_DEPOSITS_MAX,
  encodeBatchDeposit,
  placementOrder,
  type PossibleHolder,
} from '@mooring/records'
import type { PrivateStore } from '@mooring/storage'
import type { Clock } from './clock.ts'
import { type BatchAnchors, decodeBatch } from './custody.ts'
import { splitFor } from './holder-choice.ts'
import type { Logger } from './logger.ts'
import { REQUEST_BYTES_MAX, VaultPeerError, type VaultPeers } from './vault-peers.ts'

export interface BatchDepositsModules {
  readonly organisation: string
  readonly store: Pick<PrivateStore, 'getBatch' | 'undeposited' | 'markDeposited'>
  readonly anchors: Pick<BatchAnchors, 'of'>
  readonly possible: () => readonly PossibleHolder[]
  readonly peers: VaultPeers
  readonly clock: Clock
  readonly logger: Logger
  /** The store failed. */
  readonly onFatal: (error: unknown) => void
}

interface Due {
  readonly sequence: number
  readonly since: number
  readonly missing: Set<string>
  have: number
}

/** Until the block is final at the others as well. */
const BEGIN_AFTER_MS = 300
const AGAIN_MIN_MS = 500
const AGAIN_MAX_MS = 15_000
const TIMEOUT_MS = 15_000
/** What k others have waits so long for the rest. */
const HAND_OVER_AFTER_MS = 60_000

export class BatchDeposits {
  readonly #modules: BatchDepositsModules
  readonly #due = new Map<number, Due>()
  #pauseMs = AGAIN_MIN_MS
  #running: Promise<void> | null = null
  #isStopped = false
  #cancel: () => void = () => undefined

  constructor(modules: BatchDepositsModules) {
    this.#modules = modules
  }

  /** What an earlier run left. */
  async start(): Promise<void> {
    for (const sequence of await this.#modules.store.undeposited()) {
      if (this.#modules.anchors.of({ sequence, position: 0 }) !== null) this.#add(sequence)
    }
  }

  /** Its anchor is final, and known to the store. */
  anchored(sequence: number): void {
    this.#pauseMs = AGAIN_MIN_MS
    this.#add(sequence)
  }

  async close(): Promise<void> {
    this.#isStopped = true
    this.#cancel()
    await this.#running
  }

  #add(sequence: number): void {
    const { clock } = this.#modules
    if (this.#due.has(sequence)) return
    this.#due.set(sequence, { sequence, since: clock.monotonic(), missing: new Set(), have: 0 })
    if (this.#running === null) this.#arm(BEGIN_AFTER_MS)
  }

  #arm(afterMs: number): void {
    this.#cancel()
    if (this.#isStopped) return
    this.#cancel = this.#modules.clock.after(afterMs, () => {
      this.#running ??= this.#run().finally(() => {
        this.#running = null
        if (this.#due.size > 0) this.#arm(this.#pauseMs)
      })
    })
  }

  async #run(): Promise<void> {
    try {
      const before = this.#due.size
      await this.#round()
      const isBetter = this.#due.size < before
      this.#pauseMs = isBetter ? AGAIN_MIN_MS : Math.min(AGAIN_MAX_MS, 2 * this.#pauseMs)
    } catch (error) {
      if (this.#isStopped) return
      this.#isStopped = true
      this.#modules.onFatal(error)
    }
  }

  async #round(): Promise<void> {
    const encoded = this.#place()
    const holders = new Set([...this.#due.values()].flatMap(({ missing }) => [...missing]))
    await Promise.all(Array.from(holders, (holder) => this.#give(holder, encoded)))
    const { store, clock, possible } = this.#modules
    const k = splitFor(possible())?.k ?? Number.POSITIVE_INFINITY
    const done = [...encoded.keys()].flatMap((sequence) => {
      const due = this.#due.get(sequence)
      if (due === undefined) return []
      const isOld = clock.monotonic() - due.since >= HAND_OVER_AFTER_MS
      return due.missing.size === 0 || (due.have >= k && isOld) ? [sequence] : []
    })
    if (done.length === 0) return
    await store.markDeposited(done)
    for (const sequence of done) this.#due.delete(sequence)
  }

  /** The oldest that fit into a request, and who is to have each; nobody where too few could. */
  #place(): Map<number, Uint8Array> {
    const { possible } = this.#modules
    const holders = possible()
    const split = splitFor(holders)
    const encoded = new Map<number, Uint8Array>()
    let bytes = 0
    for (const due of this.#due.values()) {
      if (split === undefined || encoded.size === BATCH_DEPOSITS_MAX) break
      const { deposit, root } = this.#deposit(due.sequence)
      bytes += deposit.length
      if (bytes > REQUEST_BYTES_MAX && encoded.size > 0) break
      encoded.set(due.sequence, deposit)
      if (due.have > 0) continue
      due.missing.clear()
      for (const name of placementOrder(root, holders).slice(0, split.n)) due.missing.add(name)
    }
    return encoded
  }

  #deposit(sequence: number): { deposit: Uint8Array; root: Uint8Array } {
    const { organisation, store, anchors } = this.#modules
    const anchor = anchors.of({ sequence, position: 0 })
    const stored = store.getBatch(sequence)
    if (anchor === null || stored === undefined) throw new Error(`batch ${sequence} is gone`)
    const { leaves, root } = decodeBatch(stored.batch)
    const all = concatBytes(...leaves)
    return {
      deposit: encodeBatchDeposit({ custodian: organisation, ...anchor, leaves: all }),
      root,
    }
  }

  async #give(holder: string, encoded: ReadonlyMap<number, Uint8Array>): Promise<void> {
    const { peers, organisation, logger } = this.#modules
    const given = [...encoded].flatMap(([sequence, deposit]) => {
      const due = this.#due.get(sequence)
      return due?.missing.has(holder) === true ? [{ due, deposit }] : []
    })
    if (given.length === 0) return
    if (holder !== peers.self && !peers.isConnected(holder)) return
    const items = given.map(({ deposit }) => deposit)
    try {
      const request = { kind: 'deposit-batches' as const, body: { items } }
      await peers.request(holder, request, { timeoutMs: TIMEOUT_MS })
    } catch (error) {
      if (!(error instanceof VaultPeerError)) throw error
      logger.debug('a holder takes no leaves', { holder, code: error.refusal ?? error.code })
      return
    }
    for (const { due } of given) {
      due.missing.delete(holder)
      if (holder !== organisation) due.have += 1
    }
  }
}
