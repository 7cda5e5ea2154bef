// What this node lacks, from its peers: single blocks by digest, and ranges with finalizations.
//
// Nobody's word is taken. A single block is its digest; a range is applied only up to a block for which
// it brings a finalization that checks against the authority set, linked block by block to our own
// tip, every block executed. Who sends anything else is left alone for a while and named in the log.

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
  authorities: AuthorityKeys
  /** Connected members. */
  peers: () => readonly SyncPeer[]
  request: (peerId: string, payload: Uint8Array, timeoutMs: number) => Promise<Uint8Array>
  blame: (peerId: string, reason: string) => void
  commit: (blocks: readonly Executed[], finalization: Certificate) => void
  /** Resolves when what was committed is durable. */
  settled: () => Promise<void>
  feed: (event: Event) => void
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

  /** For a node that has no part in agreement: keeps asking for what comes after its tip. */
  follow(): void {
    if (this.#isClosed) return
    this.#modules.clock.after(FOLLOW_MS, () => this.follow())
    this.#start()
  }

  #start(): void {
    if (this.#isRunning || this.#isClosed) return
    this.#isRunning = true
    this.#syncLoop()
      .catch((error: unknown) =>
        this.#modules.logger.error('catching up has failed and starts again', { error }),
      )
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
    for (let attempt = 0; !this.#isClosed; attempt += 1) {
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
      const applied = peer === undefined ? null : await this.#applyFrom(peer)
      if (applied !== null) this.#modules.feed({ type: 'synced', ...applied })
      else if (this.#isBehind()) await this.#pause(PAUSE_MS)
    } while (this.#isBehind())
  }

  /** One range from one peer; null when it brought nothing that could be applied. */
  async #applyFrom(
    peer: SyncPeer,
  ): Promise<{ block: BlockMeta; finalization: Certificate } | null> {
    const from = this.#modules.execution.tip.meta.height + 1
    const body = { from, bytesMax: RANGE_BYTES_MAX }
    const payload = encodeBlockRequest({ kind: 'range', body })
    const blocks = await this.#ask(peer, payload, RANGE_TIMEOUT_MS)
    if (blocks === null || blocks.length === 0) return null
    if (this.#modules.execution.tip.meta.height !== from - 1) return null
    const checked = this.#check(blocks)
    if ('fault' in checked) {
      this.#modules.blame(peer.peerId, checked.fault)
      return null
    }
    const { digests, finalization } = checked
    this.#modules.commit(this.#modules.execution.seal(digests), finalization)
    await this.#modules.settled()
    return { block: this.#modules.execution.tip.meta, finalization }
  }

  /** Links, executes and checks a range up to its last finalization. */
  #check(
    blocks: readonly SentBlock[],
  ): { digests: string[]; finalization: Certificate } | { fault: string } {
    const last = blocks.findLastIndex(({ finalization }) => finalization !== null)
    const finalization = readCertificate(blocks[last]?.finalization ?? null)
    if (finalization === null) return { fault: 'no_finalization' }
    const invalid = checkCertificate(finalization, this.#modules.authorities)
    if (invalid !== undefined || finalization.kind !== 'finalize')
      return { fault: 'bad_finalization' }
    const { execution } = this.#modules
    const digests: string[] = []
    let parent = execution.tip.meta.digest
    for (const sent of blocks.slice(0, last + 1)) {
      const block = this.#hold(sent)
      if (block === null || block.parent !== parent) return { fault: 'broken_chain' }
      digests.push(block.digest)
      parent = block.digest
    }
    if (parent !== finalization.subject.digest) return { fault: 'finalization_of_another_block' }
    for (const digest of digests) {
      const refusal = execution.execute(digest)
      if (refusal !== null) return { fault: refusal.code }
    }
    return { digests, finalization }
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

function readCertificate(encoded: Uint8Array | null): Certificate | null {
  if (encoded === null) return null
  try {
    return decodeCertificate(encoded)
  } catch (error) {
    if (error instanceof CodecError) return null
    throw error
  }
}
