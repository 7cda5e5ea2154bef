// The part of a node that agrees: mempool, execution, driver, committer and sync, wired to each other.
//
// Everything that touches the world (disk, network, time, key) is handed in, so that a simulation can
// run the same parts. What peers send enters through `onFrame` and `onTransactions`.

import { toHex } from '@mooring/codec'
import {
  type BlockMeta,
  type ConsensusConfig,
  decodeCertificate,
  type Evidence,
  faultsOf,
  type HaltReason,
  leaderOf,
  RETENTION,
  type UnsignedVote,
  ZERO_DIGEST,
} from '@mooring/consensus'
import { type KeyPair, sign } from '@mooring/crypto'
import { authoritySet, decodeHeader, type Genesis } from '@mooring/ledger'
import type { Network } from '@mooring/network'
import type {
  ChainStore,
  Journal,
  JournalRecord,
  Marks,
  PendingTransactions,
} from '@mooring/storage'
import type { Clock } from './clock.ts'
import { Committer, type CommittedBlock } from './committer.ts'
import { Driver } from './driver.ts'
import { Execution, metaOf, type Refusal, type Tip } from './execution.ts'
import { takeIn } from './intake.ts'
import { marksOf, remember } from './journalling.ts'
import type { Logger } from './logger.ts'
import { Members } from './members.ts'
import { Mempool } from './mempool.ts'
import { Sync } from './sync.ts'
import { decodeTransactionBatch, TransactionGossip } from './transaction-gossip.ts'

const EPOCH = 0
const SKIP_MS = 4_000
const STATUS_MS = 3_000
const PEERS_MS = 500
const MEMPOOL_MS = 1_000

export interface AgreementOptions {
  genesis: Genesis
  genesisDigest: Uint8Array
  /** Signs votes; null for an observer. */
  consensusKey: KeyPair | null
  mempool: { maxCount: number; maxBytes: number }
}

export interface AgreementModules {
  clock: Clock
  logger: Logger
  chain: ChainStore
  journal: Pick<Journal, 'append' | 'advance' | 'sync' | 'prune' | 'marks'>
  remembered: { records: readonly JournalRecord[]; marks: Marks }
  pending: PendingTransactions
  network: Pick<Network, 'send' | 'peers' | 'request' | 'disconnect' | 'publishTransactions'>
  onEvidence: (evidence: Evidence) => void
  onHalt: (reason: HaltReason) => void
  onVoted: (vote: UnsignedVote) => void
  /** Blocks are durable; the mempool still knows their transactions. */
  onDurable: (blocks: readonly CommittedBlock[]) => void
  onFatal: (error: unknown) => void
}

export class Agreement {
  readonly members: Members
  readonly execution: Execution
  readonly mempool: Mempool
  readonly committer: Committer
  readonly sync: Sync
  readonly driver: Driver
  readonly #modules: AgreementModules
  readonly #gossip: TransactionGossip
  readonly #keys: { chain: Uint8Array; keys: readonly Uint8Array[] }
  readonly #heights = new Map<string, number>()
  #cancels: (() => void)[] = []
  #isClosed = false

  private constructor(options: AgreementOptions, modules: AgreementModules, tip: Tip) {
    this.#modules = modules
    const { clock, chain, logger } = modules
    const authorities = authoritySet(tip.view)
    const names = authorities.organisations
    const organisations = options.genesis.organisations.map(({ organisation }) => organisation)
    this.members = new Members(organisations, authorities)
    this.#keys = { chain: options.genesisDigest, keys: authorities.keys }
    this.#gossip = new TransactionGossip(
      clock,
      (batch) => modules.network.publishTransactions(batch),
      (error) => logger.debug('transactions could not be published', { error }),
    )
    this.execution = new Execution(tip, {
      genesisDigest: options.genesisDigest,
      epoch: EPOCH,
      leaderOf: (view) => this.members.nameOfIndex(leaderOf(EPOCH, view, names.length)),
      isVerified: (transaction) => this.mempool.isVerified(transaction),
      isIncluded: (id) => chain.getTransaction(id) !== undefined,
    })
    this.mempool = new Mempool(
      { genesisDigest: options.genesisDigest, ...options.mempool },
      {
        clock,
        store: modules.pending,
        parameters: () => this.execution.parameters,
        finalState: () => this.execution.finalState(),
        heightOf: (id) => chain.getTransaction(id)?.height,
        publish: (transactions) => this.#gossip.add(transactions),
        onReady: () => this.driver.reconsiderWork(),
      },
    )
    this.committer = new Committer({
      chain,
      execution: this.execution,
      onDurable: (blocks) => this.#onDurable(blocks),
      onFatal: modules.onFatal,
    })
    this.sync = this.#createSync()
    this.driver = this.#createDriver(options, tip)
  }

  static async start(options: AgreementOptions, modules: AgreementModules): Promise<Agreement> {
    const agreement = new Agreement(options, modules, readTip(modules.chain))
    await agreement.mempool.restore(await modules.pending.all())
    agreement.#every(PEERS_MS, () => agreement.onPeers())
    agreement.#every(MEMPOOL_MS, () => agreement.#tickMempool())
    if (agreement.driver.state.config.me === null) agreement.sync.follow()
    agreement.driver.reconsiderWork()
    return agreement
  }

  onFrame(peerId: string, frame: Uint8Array): void {
    const from = this.members.indexOfPeer(peerId)
    if (from === undefined || this.#isClosed) return
    const intake = { authorities: this.#keys, execution: this.execution }
    const { events, fault } = takeIn(frame, from, this.driver.state, intake)
    for (const event of events) {
      if (event.type === 'status') this.noteHeight(peerId, event.status.finalizedHeight)
      this.driver.feed(event)
    }
    if (fault !== null) this.#blame(peerId, fault.code)
  }

  onTransactions(peerId: string, data: Uint8Array): 'accept' | 'ignore' | 'reject' {
    const batch = decodeTransactionBatch(data)
    const verdict = batch === null ? 'reject' : this.mempool.receive(batch)
    if (verdict === 'reject')
      this.#modules.logger.warn('a peer sent transactions that are not valid', {
        peer: this.members.nameOfPeer(peerId),
      })
    return verdict
  }

  /** Somebody came or went: agreement must know at once who is there. */
  onPeers(): void {
    if (this.#isClosed) return
    const heard = this.members.heard(this.#modules.network.peers())
    this.driver.feed({ type: 'peers', heard })
  }

  /** A peer's word for its final height: for people and for readiness, never for agreement. */
  noteHeight(peerId: string, height: number): void {
    this.#heights.set(peerId, height)
  }

  heightOfPeer(peerId: string): number | null {
    return this.#heights.get(peerId) ?? null
  }

  /** What a certificate shows, or more than a third of the authorities say: one liar moves nothing. */
  bestKnownHeight(): number {
    const said = [...this.#heights.values()].toSorted((a, b) => b - a)
    const believed = said[faultsOf(this.#keys.keys.length)] ?? 0
    return Math.max(believed, this.driver.state.final.subject.height)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    for (const cancel of this.#cancels) cancel()
    this.sync.close()
    this.#gossip.flush()
    await this.driver.close()
    await this.committer.idle()
  }

  #createSync(): Sync {
    const { clock, logger, network } = this.#modules
    return new Sync({
      clock,
      execution: this.execution,
      authorities: this.#keys,
      peers: () => this.members.syncPeers(network.peers()),
      request: (peerId, payload, timeoutMs) =>
        network.request(peerId, 'blocks', payload, { timeoutMs }),
      blame: (peerId, reason) => this.#blame(peerId, reason),
      commit: (blocks, finalization) => this.committer.commit(blocks, finalization),
      settled: () => this.committer.idle(),
      feed: (event) => this.driver.feed(event),
      logger,
    })
  }

  #createDriver(options: AgreementOptions, tip: Tip): Driver {
    const { clock, chain, network, journal, remembered } = this.#modules
    const { deltaMs, minBlockIntervalMs, precisionMs } = this.execution.parameters
    const { consensusKey } = options
    const config: ConsensusConfig = {
      epoch: EPOCH,
      authorities: this.#keys.keys.length,
      me: this.#indexOf(consensusKey),
      deltaMs,
      skipMs: Math.max(SKIP_MS, 7 * deltaMs),
      statusMs: STATUS_MS,
      minBlockIntervalMs,
      precisionMs,
    }
    const { votes, certificates, blocks } = remember(remembered.records, EPOCH)
    const finalization = chain.getFinalization(tip.meta.height)
    const recovered = {
      committed: tip.meta,
      finalization: finalization === undefined ? null : decodeCertificate(finalization),
      certificates,
      votes,
      blocks: this.#holdOpen(blocks, tip.meta),
      marks: marksOf(remembered.marks, EPOCH),
      rejoin: null,
    }
    return new Driver(config, recovered, {
      ...this.#modules,
      clock,
      journal,
      execution: this.execution,
      mempool: this.mempool,
      authorities: this.#keys,
      sign: (message) => {
        if (consensusKey === null) throw new Error('an observer was asked to vote')
        return sign(consensusKey, message)
      },
      send: (to, lane, frame) => {
        const peerId = this.members.peerOfIndex(to)
        if (peerId !== undefined) network.send(peerId, lane, frame)
      },
      fetchBlock: (digest, holders) => this.sync.fetchBlock(digest, holders),
      syncTo: (certificate) => this.sync.syncTo(certificate),
      commit: (blocksOf, certificate) =>
        this.committer.commit(
          this.execution.seal(blocksOf.map(({ digest }) => digest)),
          certificate,
        ),
      onRejoin: () => {
        throw new Error('agreement rejoins although it was not told that votes are missing')
      },
      onInvalidBlock: (block, refusal) => this.#onInvalidBlock(block, refusal),
    })
  }

  #holdOpen(blocks: readonly Uint8Array[], tip: BlockMeta): BlockMeta[] {
    return blocks
      .map((encoded) => this.execution.hold(encoded))
      .filter(({ height }) => height > tip.height)
  }

  #indexOf(key: KeyPair | null): number | null {
    if (key === null) return null
    const index = this.#keys.keys.findIndex((known) => toHex(known) === toHex(key.publicKey))
    return index < 0 ? null : index
  }

  async #onDurable(blocks: readonly CommittedBlock[]): Promise<void> {
    this.#modules.onDurable(blocks)
    const ids = blocks.flatMap(({ receipts }) => receipts.map(({ transaction }) => transaction))
    await this.mempool.committed(ids)
    const tip = blocks.at(-1)
    if (tip !== undefined)
      await this.#modules.journal.prune(EPOCH, Math.max(0, tip.header.view - RETENTION))
    this.driver.reconsiderWork()
  }

  #onInvalidBlock(block: string, refusal: Refusal): void {
    const { code } = refusal
    this.#modules.logger.warn('a proposed block is not valid', { block, code })
  }

  #blame(peerId: string, reason: string): void {
    const peer = this.members.nameOfPeer(peerId)
    this.#modules.logger.warn('a peer sent what it must not send', { peer, reason })
    this.#modules.network.disconnect(peerId, reason)
  }

  #tickMempool(): void {
    this.mempool
      .tick()
      .then(() => this.driver.reconsiderWork())
      .catch(this.#modules.onFatal)
  }

  #every(ms: number, run: () => void): void {
    const name = this.#cancels.length
    const again = (): void => {
      this.#cancels[name] = this.#modules.clock.after(ms, () => {
        if (this.#isClosed) return
        again()
        run()
      })
    }
    again()
  }
}

function readTip(chain: ChainStore): Tip {
  const { height, digest, time } = chain.tip
  const history = chain.historyFrontier()
  const at = {
    digest,
    view: chain.state(),
    history: { size: history.size, hashes: history.hashes },
  }
  const encoded = chain.getHeader(height)
  if (encoded === undefined) {
    const place = { view: 0, parentView: 0, height, time, isEmpty: true, isSealing: false }
    return { meta: { ...place, digest: toHex(digest), parent: ZERO_DIGEST }, ...at }
  }
  return { meta: metaOf({ header: decodeHeader(encoded), digest }), ...at }
}
