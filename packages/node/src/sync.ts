// What this node lacks, from its peers: single blocks by digest, and ranges with finalizations.
//
// Nobody's word is taken. A single block is its digest; a range counts only up to a block for which it
// brings a finalization that checks against the authority set of its epoch. Ranges come from several peers
// at once (range-download.ts), are judged one by one (sync-range.ts) and applied in order, every block
// executed. Who sends anything else is dropped, left alone for a while, and named.
//
// A range may reach over the end of an epoch. What is applied at once never does: it is cut at the
// sealing block, which has a finalization of its own, and the rest is checked with the set that follows.
//
// Executing takes turns with everything else, and agreement may move the tip in between. So every step
// looks where the tip is, and takes only what is above it.

import { CodecError, fromHex } from '@mooring/codec'
import type { AuthorityKeys, BlockMeta, Certificate, Event } from '@mooring/consensus'
import { decodeBlock } from '@mooring/ledger'
import { decodeBlockAnswer, encodeBlockRequest } from './block-exchange.ts'
import type { SentBlock } from './block-exchange.ts'
import type { Clock } from './clock.ts'
import { type Executed, type Execution, metaOf, type Refusal } from './execution.ts'
import type { Logger } from './logger.ts'
import type { LongWork } from './long-work.ts'
import { NodeError } from './node-error.ts'
import { RangeDownload, type ReceivedRange } from './range-download.ts'
import type { SignatureThreads } from './signature-threads.ts'
import { SyncPace, type SyncProgress } from './sync-pace.ts'
import { type SyncPeer, SyncPeers } from './sync-peers.ts'
import { type Fault, firstStretch, type ReadBlock, type Stretch } from './sync-range.ts'

const BLOCK_TIMEOUT_MS = 2_000
const PAUSE_MS = 200
const STUCK_MS = 10_000
const FOLLOW_MS = 500
/** Small blocks come to one turn until they have so many together. */
const TURN_TRANSACTIONS = 64
/** What is written at once is put together in one turn. */
const STRETCH_TRANSACTIONS = 2_000

export interface SyncModules {
  clock: Clock
  /** Lets everything else have its turn. */
  turn: () => Promise<void>
  /** In which blocks are executed. */
  work: LongWork
  execution: Execution
  /** Of the epoch that the next block belongs to. */
  authorities: () => AuthorityKeys
  /** Whether this node has no part in agreement at present. */
  isFollower: () => boolean
  /** A height that is believed to be final elsewhere; for asking, never for agreement. */
  bestKnownHeight: () => number
  /** Connected members. */
  peers: () => readonly SyncPeer[]
  request: (peerId: string, payload: Uint8Array, timeoutMs: number) => Promise<Uint8Array>
  blame: (peerId: string, reason: string) => void
  /** The certificate finalizes the last of them; null: a later one does. */
  commit: (blocks: readonly Executed[], finalization: Certificate | null) => void
  /** Resolves when what was committed is durable. */
  settled: () => Promise<void>
  /** So many blocks of peers are handed on. */
  onApplied?: (blocks: number) => void
  feed: (event: Event) => void
  /** This node must not go on. */
  onFatal: (error: unknown) => void
  /** Verifies on other cores; null: every signature is verified here. */
  signatures: SignatureThreads | null
  logger: Logger
}

export class Sync {
  readonly #modules: SyncModules
  readonly #peers: SyncPeers
  readonly #download: RangeDownload
  readonly #pace: SyncPace
  readonly #fetching = new Set<string>()
  /** Those of the range being applied whose signatures all hold. */
  #signed: ReadonlySet<ReadBlock> = new Set()
  #target: Certificate | null = null
  #settling: Promise<void> = Promise.resolve()
  #askedAt: number | null = null
  #isRunning = false
  #isClosed = false

  constructor(modules: SyncModules) {
    this.#modules = modules
    const { clock, turn, request, logger } = modules
    this.#peers = new SyncPeers(clock, modules.peers)
    this.#pace = new SyncPace(clock, logger)
    this.#download = new RangeDownload({
      clock,
      turn,
      request,
      logger,
      peers: this.#peers,
      checkEarly: (blocks) => this.#checkEarly(blocks),
      checkSignatures: (blocks) => modules.signatures?.check(blocks) ?? Promise.resolve(new Set()),
      blame: (peer, reason) => this.#blame(peer, reason),
    })
  }

  get isActive(): boolean {
    return this.#isRunning
  }

  /** The height that a finalization has shown to us and that we do not have yet. */
  get targetHeight(): number {
    return this.#target?.subject.height ?? 0
  }

  progress(): SyncProgress {
    const { height } = this.#modules.execution.tip.meta
    const target = Math.max(height, this.#goal())
    return this.#pace.progress({ height, target }, this.#peers)
  }

  close(): void {
    this.#isClosed = true
    this.#download.close()
    this.#modules.signatures?.stop()
  }

  /** Asks the holders, then everybody, until the block is here or no longer of use. */
  fetchBlock(digest: string, holders: readonly number[]): void {
    if (this.#fetching.has(digest)) return
    this.#fetching.add(digest)
    this.#fetchLoop(digest, holders).catch((error: unknown) => {
      this.#fetching.delete(digest)
      this.#modules.logger.error('a block could not be fetched', { error })
    })
  }

  /** Brings the chain up to the block of this finalization. */
  syncTo(finalization: Certificate): void {
    if (finalization.subject.height <= this.targetHeight) return
    this.#target = finalization
    this.#start()
  }

  /** As long as the node has no part in agreement it keeps asking for what comes after its tip. */
  follow(): void {
    if (this.#isClosed) return
    this.#modules.clock.after(FOLLOW_MS, () => this.follow())
    if (this.#modules.isFollower()) this.#start()
  }

  #start(): void {
    if (this.#isRunning || this.#isClosed) return
    this.#isRunning = true
    // Not at once: a driver that asks while it is made is not yet the one that the others would find.
    Promise.resolve()
      .then(() => this.#syncLoop())
      .catch((error: unknown) => {
        if (error instanceof NodeError) {
          this.close()
          this.#modules.onFatal(error)
        } else this.#modules.logger.error('catching up has failed and starts again', { error })
      })
      .finally(() => {
        this.#isRunning = false
        if (this.#isBehind()) this.#start()
        else this.#modules.signatures?.stop()
      })
  }

  #isBehind(): boolean {
    return !this.#isClosed && this.targetHeight > this.#modules.execution.tip.meta.height
  }

  #goal(): number {
    const { bestKnownHeight, isFollower } = this.#modules
    return Math.max(this.targetHeight, isFollower() ? bestKnownHeight() : 0)
  }

  async #fetchLoop(digest: string, holders: readonly number[]): Promise<void> {
    const payload = encodeBlockRequest({ kind: 'digest', body: fromHex(digest) })
    const { execution, feed } = this.#modules
    const { epoch } = execution
    for (let attempt = 0; !this.#isClosed && execution.epoch === epoch; attempt += 1) {
      const peer = this.#peers.next(attempt < 2 * holders.length ? holders : null)
      const blocks = peer === undefined ? null : await this.#askBlock(peer, payload)
      const block = blocks?.[0] === undefined ? null : this.#hold(blocks[0], digest)
      if (block !== null && block.digest === digest) {
        this.#fetching.delete(digest)
        feed({ type: 'block', block })
        return
      }
      if (execution.executedOf(digest) !== undefined) break
      if (peer !== undefined && block !== null) this.#blame(peer, 'wrong_block')
      await this.#pause(PAUSE_MS)
    }
    this.#fetching.delete(digest)
  }

  async #askBlock(peer: SyncPeer, payload: Uint8Array): Promise<SentBlock[] | null> {
    try {
      const answer = await this.#modules.request(peer.peerId, payload, BLOCK_TIMEOUT_MS)
      return decodeBlockAnswer(answer)
    } catch (error) {
      if (error instanceof CodecError) this.#blame(peer, 'undecodable')
      this.#modules.logger.debug('a request for a block failed', { peer: peer.name, error })
      return null
    }
  }

  /** What is not the block that was asked for is not kept. */
  #hold({ block }: SentBlock, digest: string): BlockMeta | null {
    try {
      const meta = metaOf(decodeBlock(block))
      return meta.digest === digest ? this.#modules.execution.hold(block) : meta
    } catch (error) {
      if (error instanceof CodecError) return null
      throw error
    }
  }

  /** Until the target is reached, and at least until one answer shows that there is nothing more. */
  async #syncLoop(): Promise<void> {
    const { execution } = this.#modules
    let asked = false
    this.#askedAt = null
    while (!this.#isClosed) {
      const { height } = execution.tip.meta
      const range = this.#download.take(height)
      if (range !== null) {
        // What comes behind it is on its way meanwhile.
        const end = range.blocks.at(-1)?.meta.height ?? height
        this.#download.fill(end, Math.max(this.#goal(), end))
        await this.#applyRange(range)
        asked = false
        continue
      }
      const isBehind = this.#goal() > height
      if (!isBehind && asked && !this.#download.isAsking) break
      if (isBehind || !asked) this.#download.fill(height, Math.max(this.#goal(), height + 1))
      asked = true
      if (!isBehind && !this.#download.isAsking) break
      if (isBehind) this.#tellStuck(height)
      this.#pace.tell({ height, target: this.#goal() }, this.#peers)
      await this.#download.wait()
    }
    await this.#settling
  }

  /** Nobody is there to ask, or whoever is there has dropped what comes next. */
  #tellStuck(height: number): void {
    const { clock, logger } = this.#modules
    const now = clock.monotonic()
    if (this.#download.isAsking || this.#askedAt === null) this.#askedAt = now
    if (now - this.#askedAt < STUCK_MS) return
    this.#askedAt = now
    const peers = this.#peers.all.map(({ name }) => name).join(', ')
    logger.warn('no peer gives the blocks that come next', { height, peers })
  }

  /** All of it, or up to where it turns out wrong. */
  async #applyRange({ blocks, peer, signed }: ReceivedRange): Promise<void> {
    const { execution } = this.#modules
    this.#signed = await signed
    let rest = blocks.filter(({ meta }) => meta.height > execution.tip.meta.height)
    while (rest.length > 0 && !this.#isClosed) {
      const stretch = firstStretch(rest, this.#place(), STRETCH_TRANSACTIONS)
      const isOnTip = rest[0]?.meta.parent === execution.tip.meta.digest
      if ('fault' in stretch || !isOnTip) {
        this.#blame(peer, 'fault' in stretch ? stretch.fault : 'broken_chain')
        return
      }
      if (!(await this.#apply(stretch))) return
      rest = stretch.rest.filter(({ meta }) => meta.height > execution.tip.meta.height)
      this.#pace.tell({ height: execution.tip.meta.height, target: this.#goal() }, this.#peers)
    }
  }

  /** False when it could not be applied, which is nobody's fault but ours. */
  async #apply({ blocks, finalization, isOwn }: Stretch): Promise<boolean> {
    const { execution, commit, settled, feed } = this.#modules
    if (!(await this.#execute(blocks))) return false
    const digests = blocks
      .filter(({ meta }) => meta.height > execution.tip.meta.height)
      .map(({ meta }) => meta.digest)
    if (digests.length === 0) return true
    await this.#settling
    const above = blocks.filter(({ meta }) => meta.height > execution.tip.meta.height)
    if (above.length !== digests.length) return true
    const sealed = execution.seal(digests)
    commit(sealed, isOwn ? finalization : null)
    this.#modules.onApplied?.(sealed.length)
    this.#pace.applied(
      sealed.length,
      sealed.reduce((sum, { receipts }) => sum + receipts.length, 0),
    )
    const block = sealed.at(-1)?.meta
    // At once: execution has let go of these blocks, so agreement must not ask for them any more.
    if (block !== undefined) feed({ type: 'synced', block, finalization })
    this.#settling = settled()
    if (block?.isSealing === true) await this.#settling
    return true
  }

  async #execute(blocks: readonly ReadBlock[]): Promise<boolean> {
    const { execution, turn, work } = this.#modules
    let done = 0
    for (const block of blocks) {
      const { digest, height } = block.meta
      if (this.#isClosed) return false
      if (height <= execution.tip.meta.height) continue
      execution.hold(block.encoded, block.decoded)
      const isSigned = this.#signed.has(block)
      const executed = await work.wait(execution.executeInSteps(digest, () => isSigned))
      if (executed === null) return false
      const { value: refusal } = executed
      if (refusal === 'overtaken') {
        if (height <= execution.tip.meta.height) continue
        return false
      }
      if (refusal !== null) return this.#diverged(block.meta, refusal)
      done += 1 + block.transactions.length
      if (done < TURN_TRANSACTIONS) continue
      done = 0
      await turn()
    }
    return true
  }

  /** The network has another state than this node, and asking again would not change that. */
  #diverged({ digest, height, view }: BlockMeta, { code }: Refusal): false {
    const { logger, feed } = this.#modules
    logger.error('a final block does not execute here', { height, code })
    this.close()
    feed({ type: 'diverged', digest, view })
    return false
  }

  #place(): { epoch: number; authorities: AuthorityKeys } {
    const { execution, authorities } = this.#modules
    return { epoch: execution.epoch, authorities: authorities() }
  }

  /** A range of the present epoch can be judged before its turn; the set of a later one is not known. */
  #checkEarly(blocks: readonly ReadBlock[]): Fault | null {
    const place = this.#place()
    if (blocks[0]?.epoch !== place.epoch) return null
    const stretch = firstStretch(blocks, place)
    return 'fault' in stretch ? stretch : null
  }

  #blame(peer: SyncPeer, reason: string): void {
    this.#peers.blamed(peer, reason)
    this.#modules.blame(peer.peerId, reason)
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#modules.clock.after(ms, resolve)
    })
  }
}
