// What this node lacks, from its peers: single blocks by digest, and ranges with finalizations.
//
// Nobody's word is taken. A single block is its digest; a range is applied only up to a block for which
// it brings a finalization that checks against the authority set, linked block by block to our own
// tip, every block executed. Who sends anything else is left alone for a while and named in the log.
//
// A range may reach over the end of an epoch. What is applied at once never does: it is cut at the
// sealing block, which has a finalization of its own, and the rest is checked with the set that follows.

import { CodecError, fromHex } from '@mooring/codec'
import {
  type AuthorityKeys,
  type BlockMeta,
  type Certificate,
  checkCertificate,
  decodeCertificate,
  type Event,
} from '@mooring/consensus'
import { decodeBlockAnswer, encodeBlockRequest, RANGE_BYTES_MAX } from './block-exchange.ts'
import type { SentBlock } from './block-exchange.ts'
import type { Clock } from './clock.ts'
import type { Executed, Execution } from './execution.ts'
import type { Logger } from './logger.ts'
import { NodeError } from './node-error.ts'

const BLOCK_TIMEOUT_MS = 2_000
const RANGE_TIMEOUT_MS = 15_000
const PAUSE_MS = 200
const FOLLOW_MS = 500

export interface SyncPeer {
  readonly peerId: string
  readonly name: string
  /** Position in the authority set; null for an observer. */
  readonly index: number | null
}

export interface SyncModules {
  clock: Clock
  execution: Execution
  /** Of the epoch that the next block belongs to. */
  authorities: () => AuthorityKeys
  /** Whether this node has no part in agreement at present. */
  isFollower: () => boolean
  /** Connected members. */
  peers: () => readonly SyncPeer[]
  request: (peerId: string, payload: Uint8Array, timeoutMs: number) => Promise<Uint8Array>
  blame: (peerId: string, reason: string) => void
  commit: (blocks: readonly Executed[], finalization: Certificate) => void
  /** Resolves when what was committed is durable. */
  settled: () => Promise<void>
  feed: (event: Event) => void
  /** This node must not go on. */
  onFatal: (error: unknown) => void
  logger: Logger
}

export class Sync {
  readonly #modules: SyncModules
  readonly #fetching = new Set<string>()
  #target: Certificate | null = null
  #isRunning = false
  #isClosed = false
  #turn = 0

  constructor(modules: SyncModules) {
    this.#modules = modules
  }

  get isActive(): boolean {
    return this.#isRunning
  }

  /** The height that a finalization has shown to us and that we do not have yet. */
  get targetHeight(): number {
    return this.#target?.subject.height ?? 0
  }

  close(): void {
    this.#isClosed = true
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
    this.#syncLoop()
      .catch((error: unknown) => {
        if (error instanceof NodeError) {
          this.close()
          this.#modules.onFatal(error)
        } else this.#modules.logger.error('catching up has failed and starts again', { error })
      })
      .finally(() => {
        this.#isRunning = false
        if (this.#isBehind()) this.#start()
      })
  }

  #isBehind(): boolean {
    return !this.#isClosed && this.targetHeight > this.#modules.execution.tip.meta.height
  }

  async #fetchLoop(digest: string, holders: readonly number[]): Promise<void> {
    const payload = encodeBlockRequest({ kind: 'digest', body: fromHex(digest) })
    const { execution, feed } = this.#modules
    const { epoch } = execution
    for (let attempt = 0; !this.#isClosed && execution.epoch === epoch; attempt += 1) {
      const peer = this.#choose(attempt < 2 * holders.length ? holders : null)
      const blocks = peer === undefined ? null : await this.#ask(peer, payload, BLOCK_TIMEOUT_MS)
      const block = blocks?.[0] === undefined ? null : this.#hold(blocks[0])
      if (block !== null && block.digest === digest) {
        this.#fetching.delete(digest)
        feed({ type: 'block', block })
        return
      }
      if (execution.executedOf(digest) !== undefined) break
      if (peer !== undefined && block !== null) this.#modules.blame(peer.peerId, 'wrong_block')
      await this.#pause(PAUSE_MS)
    }
    this.#fetching.delete(digest)
  }

  #hold({ block }: SentBlock): BlockMeta | null {
    try {
      return this.#modules.execution.hold(block)
    } catch (error) {
      if (error instanceof CodecError) return null
      throw error
    }
  }

  async #syncLoop(): Promise<void> {
    do {
      const peer = this.#choose(null)
      const hasApplied = peer !== undefined && (await this.#applyFrom(peer))
      if (hasApplied) continue
      if (this.#isBehind()) await this.#pause(PAUSE_MS)
    } while (this.#isBehind())
  }

  /** One range from one peer; false when it brought nothing that could be applied. */
  async #applyFrom(peer: SyncPeer): Promise<boolean> {
    const from = this.#modules.execution.tip.meta.height + 1
    const body = { from, bytesMax: RANGE_BYTES_MAX }
    const payload = encodeBlockRequest({ kind: 'range', body })
    let rest: readonly SentBlock[] = (await this.#ask(peer, payload, RANGE_TIMEOUT_MS)) ?? []
    let hasApplied = false
    let next = from
    while (rest.length > 0 && !this.#isClosed) {
      if (this.#modules.execution.tip.meta.height !== next - 1) break
      const checked = this.#check(rest)
      if ('fault' in checked) {
        this.#modules.blame(peer.peerId, checked.fault)
        break
      }
      await this.#apply(checked)
      hasApplied = true
      next += checked.digests.length
      rest = checked.rest
    }
    return hasApplied
  }

  async #apply({ digests, finalization }: Checked): Promise<void> {
    const { execution, commit, settled, feed } = this.#modules
    const sealed = execution.seal(digests)
    commit(sealed, finalization)
    // At once: execution has let go of these blocks, so agreement must not ask for them any more.
    const block = sealed.at(-1)?.meta
    if (block !== undefined) feed({ type: 'synced', block, finalization })
    await settled()
  }

  /** Links, executes and checks a range up to its last finalization, or to the end of the epoch. */
  #check(blocks: readonly SentBlock[]): Checked | { fault: string } {
    const { execution, authorities } = this.#modules
    const held = this.#link(blocks)
    if (held === null) return { fault: 'broken_chain' }
    const sealing = held.findIndex(({ isSealing }) => isSealing)
    const reach = sealing < 0 ? blocks.length : sealing + 1
    const last = blocks.slice(0, reach).findLastIndex(({ finalization }) => finalization !== null)
    const finalization = readCertificate(blocks[last]?.finalization ?? null)
    if (finalization === null) return { fault: 'no_finalization' }
    const invalid = checkCertificate(finalization, authorities())
    const { epoch, digest } = finalization.subject
    if (invalid !== undefined || finalization.kind !== 'finalize' || epoch !== execution.epoch)
      return { fault: 'bad_finalization' }
    if (held[last]?.digest !== digest) return { fault: 'finalization_of_another_block' }
    const digests = held.slice(0, last + 1).map((block) => block.digest)
    for (const each of digests) {
      const refusal = execution.execute(each)
      if (refusal !== null) return { fault: refusal.code }
    }
    const rest = last === sealing ? blocks.slice(last + 1) : []
    return { digests, finalization, rest }
  }

  /** Null unless each block stands on the one before, the first on our tip. */
  #link(blocks: readonly SentBlock[]): BlockMeta[] | null {
    let parent = this.#modules.execution.tip.meta.digest
    const linked: BlockMeta[] = []
    for (const sent of blocks) {
      const block = this.#hold(sent)
      if (block === null || block.parent !== parent) return null
      linked.push(block)
      parent = block.digest
    }
    return linked
  }

  async #ask(peer: SyncPeer, payload: Uint8Array, timeoutMs: number): Promise<SentBlock[] | null> {
    try {
      return decodeBlockAnswer(await this.#modules.request(peer.peerId, payload, timeoutMs))
    } catch (error) {
      if (error instanceof CodecError) this.#modules.blame(peer.peerId, 'undecodable')
      this.#modules.logger.debug('a request for blocks failed', { peer: peer.name, error })
      return null
    }
  }

  /** Peers in turn; among the holders, when some are known and connected. */
  #choose(holders: readonly number[] | null): SyncPeer | undefined {
    const peers = this.#modules.peers()
    const known = peers.filter(({ index }) => index !== null && holders?.includes(index) === true)
    const candidates = known.length > 0 ? known : peers
    this.#turn += 1
    return candidates[this.#turn % Math.max(1, candidates.length)]
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#modules.clock.after(ms, resolve)
    })
  }
}

interface Checked {
  readonly digests: string[]
  readonly finalization: Certificate
  /** What comes after the end of the epoch. */
  readonly rest: readonly SentBlock[]
}

function readCertificate(encoded: Uint8Array | null): Certificate | null {
  if (encoded === null) return null
  try {
    return decodeCertificate(encoded)
  } catch (error) {
    if (error instanceof CodecError) return null
    throw error
  }
}
