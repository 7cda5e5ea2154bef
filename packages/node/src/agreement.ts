// The part of a node that agrees: mempool, execution, driver, committer and sync, wired to each other.
//
// Everything that touches the world (disk, network, time, key) is handed in, so that a simulation can
// run the same parts. What peers send enters through `onFrame` and `onTransactions`.
//
// Most of it lives as long as the process. The driver, and who is who, live for one epoch: when the block
// that ends it is durable, and not before, they are replaced and the next one begins.

import { setImmediate as nextTurn } from 'node:timers/promises'
import {
  type Event,
  type Evidence,
  faultsOf,
  type HaltReason,
  type Message,
  RETENTION,
  type UnsignedVote,
} from '@mooring/consensus'
import { organisations } from '@mooring/ledger'
import type { Acceptance, Network } from '@mooring/network'
import type {
  ChainStore,
  Journal,
  JournalRecord,
  Marks,
  PendingTransactions,
  StartTurns,
} from '@mooring/storage'
import { type Amnesia, describeObserving } from './amnesia.ts'
import { readTip } from './chain-tip.ts'
import { ArrivedTransactions } from './arrived-transactions.ts'
import type { Clock } from './clock.ts'
import { Committer, type CommittedBlock } from './committer.ts'
import type { DoorSignatures } from './door-signatures.ts'
import type { Driver } from './driver.ts'
import { beginEpoch, type Epoch } from './epoch.ts'
import { EpochRepair, epochOf } from './epoch-repair.ts'
import { Execution, type Refusal, type Tip } from './execution.ts'
import { createFinalFacts, type FinalFacts } from './final-facts.ts'
import type { GossipTurns } from './gossip-turns.ts'
import { type Fault, readMessage, takeIn } from './intake.ts'
import type { ConsensusKey } from './load-options.ts'
import type { Logger } from './logger.ts'
import { LongWork } from './long-work.ts'
import { type Measures, timed, UNMEASURED, type VerifiedKind } from './measures.ts'
import { type MemberChange, Members, membershipChanges } from './members.ts'
import { Mempool } from './mempool.ts'
import type { MempoolModules } from './mempool-modules.ts'
import type { RemoteSigner } from './remote-signer.ts'
import type { SignatureThreads } from './signature-threads.ts'
import type { Snapshots } from './snapshots.ts'
import { ProposalCompletion } from './proposal-completion.ts'
import { unspokenNext, WIRE_COMPACT } from './protocol.ts'
import { Sync } from './sync.ts'
import { inSlices } from './time-slices.ts'
import { decodeTransactionBatch, TransactionGossip } from './transaction-gossip.ts'

const PEERS_MS = 500
const MEMPOOL_MS = 1_000
const FORGER_TOLD_MS = 10_000

export interface AgreementOptions {
  genesisDigest: Uint8Array
  /** Signs votes; null for an observer. */
  consensusKey: ConsensusKey | null
  mempool: { maxCount: number; maxBytes: number }
  /** Blocks up to this size are never proposed by the names of their transactions; default: the driver's. */
  wholeBytesMax?: number
}

export interface AgreementModules {
  clock: Clock
  logger: Logger
  chain: ChainStore
  journal: Pick<Journal, 'append' | 'advance' | 'sync' | 'prune' | 'marks'>
  remembered: { records: readonly JournalRecord[]; marks: Marks }
  amnesia: Amnesia
  pending: PendingTransactions
  /** Holds the keys that have no seed here. */
  signer?: Pick<RemoteSigner, 'vote'>
  network: Pick<
    Network,
    'send' | 'speaks' | 'peers' | 'request' | 'disconnect' | 'publishTransactions' | 'refresh'
  >
  onEvidence: (evidence: Evidence) => void
  /** Evidence that a member says it has; not checked. */
  onOffered?: (peerId: string, evidence: readonly Evidence[]) => void
  onHalt: (reason: HaltReason) => void
  onVoted: (vote: UnsignedVote) => void
  /** Blocks are durable; the mempool still knows their transactions. */
  onDurable: (blocks: readonly CommittedBlock[]) => void
  /** Lets everything else have its turn in long work; default: a turn of the event loop. */
  turn?: () => Promise<void>
  /** In which blocks are executed; default: slices of a few milliseconds by the clock. */
  turns?: StartTurns
  /** Keeps the state of agreed heights. */
  snapshots?: Pick<Snapshots, 'isDue' | 'begin'>
  /** A new epoch has begun: members, keys or parameters are other ones. */
  onEpoch?: (changes: readonly MemberChange[]) => void
  /** Catching up verifies with these on other cores; without, here. */
  signatures?: SignatureThreads
  /** The same for what comes in at the door. */
  doorSignatures?: DoorSignatures
  measures?: Measures
  waiting?: MempoolModules['waiting']
  onFatal: (error: unknown) => void
}

export class Agreement {
  readonly members: Members
  readonly execution: Execution
  /** Of the last durable block. */
  readonly facts: FinalFacts
  readonly mempool: Mempool
  readonly committer: Committer
  readonly sync: Sync
  readonly #options: AgreementOptions
  readonly #modules: AgreementModules
  readonly #gossip: TransactionGossip
  readonly #repair: EpochRepair
  readonly #completion: ProposalCompletion
  readonly #arrived = new ArrivedTransactions()
  /** Of this epoch. */
  readonly #tried = new Map<number, string>()
  readonly #measures: Measures
  readonly #turn: () => Promise<void>
  readonly #work: LongWork
  #epoch: Epoch
  #remembered: readonly JournalRecord[]
  readonly #heights = new Map<string, number>()
  readonly #forgerToldAt = new Map<string, number>()
  /** The driver that must hear of it may be the next one. */
  #divergence: Event | null = null
  #cancels: (() => void)[] = []
  #isStopping = false
  #isClosed = false

  private constructor(options: AgreementOptions, modules: AgreementModules, tip: Tip) {
    this.#options = options
    this.#modules = modules
    this.#remembered = modules.remembered.records
    const { clock, chain, logger } = modules
    this.#repair = new EpochRepair(modules)
    this.#completion = new ProposalCompletion({
      request: (peerId, payload, timeoutMs) =>
        modules.network.request(peerId, 'blocks', payload, { timeoutMs }),
      take: (peerId, proposal) => this.#take(peerId, { kind: 'proposal', proposal }),
      blame: (peerId, reason) => this.#blame(peerId, reason),
      onFatal: modules.onFatal,
      logger,
    })
    this.#measures = modules.measures ?? UNMEASURED
    this.#turn = modules.turn ?? nextTurn
    const turns = modules.turns ?? inSlices(() => clock.monotonic(), this.#turn)
    this.#work = new LongWork({ clock, turns })
    this.#gossip = new TransactionGossip(
      clock,
      (batch) => modules.network.publishTransactions(batch),
      (error) => logger.debug('transactions could not be published', { error }),
    )
    this.execution = new Execution(tip, {
      genesisDigest: options.genesisDigest,
      isVerified: (transaction) => this.mempool.isVerified(transaction),
      findVerified: (encoded) => this.mempool.findVerified(encoded),
      isIncluded: (id) => chain.getTransaction(id) !== undefined,
    })
    const finalState = () => this.execution.finalState()
    const heartbeatMs = () => this.execution.parameters.heartbeatMs
    this.facts = createFinalFacts({ chain, finalState, heartbeatMs })
    this.members = new Members(organisations(tip.view), this.execution.authorities)
    this.mempool = new Mempool(
      { genesisDigest: options.genesisDigest, ...options.mempool },
      {
        clock,
        store: modules.pending,
        parameters: () => this.execution.parameters,
        finalState,
        nextHeight: () => this.execution.tip.meta.height + 1,
        heightOf: (id) => chain.getTransaction(id)?.height,
        readAhead: (batch) => this.execution.readAhead(batch),
        publish: (transactions) => this.#gossip.add(transactions),
        onReady: () => this.driver.reconsiderWork(),
        ...(modules.waiting && { waiting: modules.waiting }),
        ...(modules.doorSignatures && { signatures: modules.doorSignatures }),
        verified: (isGood, ms) => this.#measures.verified('transaction', isGood, ms),
      },
    )
    this.committer = new Committer({
      chain,
      execution: this.execution,
      ...(modules.snapshots && { snapshots: modules.snapshots }),
      onDurable: (blocks) => this.#onDurable(blocks),
      onFatal: modules.onFatal,
    })
    this.sync = this.#createSync()
    this.#epoch = this.#begin()
  }

  static async start(options: AgreementOptions, modules: AgreementModules): Promise<Agreement> {
    const agreement = new Agreement(options, modules, readTip(modules.chain))
    await agreement.mempool.restore(await modules.pending.all())
    agreement.#every(PEERS_MS, () => agreement.onPeers())
    agreement.#every(MEMPOOL_MS, () => agreement.#tickMempool())
    agreement.sync.follow()
    agreement.driver.reconsiderWork()
    return agreement
  }

  /** Of the present epoch; another one from one epoch to the next. */
  get driver(): Driver {
    return this.#epoch.driver
  }

  onFrame(peerId: string, frame: Uint8Array): void {
    if (this.#isClosed || !this.members.hasPeer(peerId)) return
    const message = readMessage(frame)
    if (message === null) return this.#blame(peerId, 'undecodable')
    if (message.kind === 'evidence') return this.#modules.onOffered?.(peerId, message.evidence)
    const { state } = this.driver
    const epoch = epochOf(message) ?? state.config.epoch
    if (epoch !== state.config.epoch) return this.#repair.take(peerId, frame, epoch, state)
    if (message.kind === 'status') this.noteHeight(peerId, message.status.finalizedHeight)
    this.#take(peerId, message)
  }

  /** A message of this epoch. */
  #take(peerId: string, message: Exclude<Message, { kind: 'evidence' }>): void {
    const from = this.members.indexOfPeer(peerId)
    if (from === undefined || this.#isClosed) return
    const { execution, mempool } = this
    const named = (name: Uint8Array) => mempool.named(name) ?? this.#arrived.named(name)
    const { state } = this.driver
    for (const view of this.#tried.keys()) if (view <= state.final.view) this.#tried.delete(view)
    const intake = { authorities: this.#epoch.keys, execution, named, tried: this.#tried }
    const { value, ms } = timed(this.#modules.clock, () => takeIn(message, from, state, intake))
    const { events, fault, lacking } = value
    if (message.kind !== 'status') this.#measure(peerId, message.kind, fault?.code ?? null, ms)
    if (message.kind === 'compact' && lacking !== undefined) this.#measures.compact('lacking')
    if (message.kind === 'compact' && events.some(({ type }) => type === 'proposal'))
      this.#measures.compact('whole')
    for (const event of events) this.driver.feed(event)
    if (fault !== null) this.#blame(peerId, fault.code)
    if (lacking !== undefined) this.#completion.complete(peerId, lacking)
  }

  #measure(
    peerId: string,
    message: VerifiedKind | 'compact',
    fault: Fault['code'] | null,
    ms: number,
  ): void {
    const kind = message === 'compact' ? 'proposal' : message
    this.#measures.verified(kind, fault !== 'bad_signature', ms)
    if (fault === null || kind === 'certificates') return
    const vote = kind === 'proposal' ? 'notarize' : 'any'
    this.#measures.invalidVote(this.members.nameOfPeer(peerId), vote)
  }

  onTransactions(peerId: string, data: Uint8Array): Acceptance {
    const batch = decodeTransactionBatch(data)
    return this.#judged(peerId, batch === null ? 'reject' : this.mempool.receive(batch))
  }

  /**
   * The same when their turn has come, with the signatures on another core where that is worth it. A proposal that
   * names them finds them meanwhile.
   */
  async judgeTransactions(
    peerId: string,
    data: Uint8Array,
    turns: Pick<GossipTurns, 'hasRoom' | 'judge'>,
  ): Promise<Acceptance> {
    if (!turns.hasRoom(peerId)) return 'ignore'
    const batch = decodeTransactionBatch(data)
    if (batch === null) return this.#judged(peerId, 'reject')
    this.#arrived.add(batch)
    try {
      const verdict = await turns.judge(peerId, () => this.mempool.receiveLater(batch))
      return this.#judged(peerId, verdict)
    } finally {
      this.#arrived.delete(batch)
    }
  }

  #judged(peerId: string, verdict: Acceptance): Acceptance {
    if (verdict === 'reject') this.#tellOfForger(peerId)
    return verdict
  }

  /** He may go on for as long as he is a member; the log must not grow with it. */
  #tellOfForger(peerId: string): void {
    const now = this.#modules.clock.monotonic()
    if (now - (this.#forgerToldAt.get(peerId) ?? -Infinity) < FORGER_TOLD_MS) return
    this.#forgerToldAt.set(peerId, now)
    const peer = this.members.nameOfPeer(peerId)
    this.#modules.logger.warn('a peer sent transactions that are not valid', { peer })
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
    const said = [...this.#heights]
      .filter(([peerId]) => this.members.indexOfPeer(peerId) !== undefined)
      .map(([, height]) => height)
      .toSorted((a, b) => b - a)
    const believed = said[faultsOf(this.#epoch.keys.keys.length)] ?? 0
    return Math.max(believed, this.driver.state.final.subject.height)
  }

  /** Nothing is signed after this, in no later epoch either; what was journalled is on the disk. */
  async stopVoting(): Promise<void> {
    this.#isStopping = true
    await this.driver.close()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    for (const cancel of this.#cancels) cancel()
    this.sync.close()
    this.#work.close()
    this.#modules.doorSignatures?.close()
    this.#gossip.flush()
    await this.driver.close()
    await this.committer.idle()
  }

  #createSync(): Sync {
    const { clock, logger, network } = this.#modules
    return new Sync({
      clock,
      turn: this.#turn,
      work: this.#work,
      execution: this.execution,
      bestKnownHeight: () => this.bestKnownHeight(),
      authorities: () => ({
        chain: this.#options.genesisDigest,
        keys: this.execution.authorities.keys,
      }),
      isFollower: () => this.driver.state.config.me === null,
      peers: () => this.members.syncPeers(network.peers(), (peerId) => this.heightOfPeer(peerId)),
      request: (peerId, payload, timeoutMs) =>
        network.request(peerId, 'blocks', payload, { timeoutMs }),
      blame: (peerId, reason) => this.#blame(peerId, reason),
      commit: (blocks, finalization) => this.committer.commit(blocks, finalization),
      settled: () => this.committer.idle(),
      onApplied: (blocks) => this.#measures.synced(blocks),
      feed: (event) => {
        if (event.type === 'diverged') this.#divergence = event
        this.driver.feed(event)
      },
      onFatal: this.#modules.onFatal,
      signatures: this.#modules.signatures ?? null,
      logger,
    })
  }

  #begin(): Epoch {
    const { network } = this.#modules
    const epoch = beginEpoch(this.#options, {
      ...this.#modules,
      measures: this.#measures,
      remembered: this.#remembered,
      execution: this.execution,
      mempool: this.mempool,
      work: this.#work,
      send: (to, lane, frame) => {
        const peerId = this.members.peerOfIndex(to)
        if (peerId !== undefined) network.send(peerId, lane, frame)
      },
      ...(this.#options.wholeBytesMax !== undefined && {
        wholeBytesMax: this.#options.wholeBytesMax,
      }),
      readsCompact: (to) => {
        const peerId = this.members.peerOfIndex(to)
        return peerId !== undefined && network.speaks(peerId, WIRE_COMPACT)
      },
      fetchBlock: (digest, holders) => this.sync.fetchBlock(digest, holders),
      syncTo: (certificate) => this.sync.syncTo(certificate),
      commit: (blocks, certificate) =>
        this.committer.commit(this.execution.seal(blocks.map(({ digest }) => digest)), certificate),
      onRejoin: (voteFrom) => this.#onRejoin(voteFrom),
      onInvalidBlock: (block, refusal) => this.#onInvalidBlock(block, refusal),
    })
    this.#remembered = this.#remembered.filter((record) => record.epoch > epoch.number)
    return epoch
  }

  /** The block that ended the last epoch is durable. */
  async #beginNext(): Promise<void> {
    const { logger, network, onEpoch } = this.#modules
    await this.#epoch.driver.close()
    const { execution, members } = this
    await this.mempool.review()
    if (this.#isClosed || this.#isStopping) return
    // With the keys of their epoch, in one turn: a vote that came between the two would look like forged.
    const before = members.organisations
    members.replace(organisations(execution.tip.view), execution.authorities)
    for (const peerId of this.#heights.keys())
      if (!members.hasPeer(peerId)) this.#heights.delete(peerId)
    network.refresh()
    this.#tried.clear()
    this.#epoch = this.#begin()
    if (this.#divergence !== null) this.driver.feed(this.#divergence)
    logger.info('a new epoch has begun', {
      epoch: this.#epoch.number,
      height: execution.tip.meta.height,
      members: members.list.length,
      authorities: execution.authorities.organisations.join(', '),
    })
    onEpoch?.(membershipChanges(before, members.organisations))
    this.onPeers()
    for (const { peerId, frame } of this.#repair.release()) this.onFrame(peerId, frame)
  }

  async #onDurable(blocks: readonly CommittedBlock[]): Promise<void> {
    this.#modules.onDurable(blocks)
    const ids = blocks.flatMap(({ receipts }) => receipts.map(({ transaction }) => transaction))
    await this.mempool.committed(ids)
    const { chain, journal } = this.#modules
    const hasEnded = chain.epochs().length !== this.#epoch.number
    if (hasEnded) await this.#beginNext()
    const view = hasEnded ? 0 : (blocks.at(-1)?.header.view ?? 0)
    await journal.prune(this.#epoch.number, Math.max(0, view - RETENTION))
    this.driver.reconsiderWork()
    const refusal = unspokenNext(chain.state(), chain.tip.height + 1)
    if (refusal !== null) this.#modules.onFatal(refusal)
  }

  #onRejoin(voteFrom: number | null): JournalRecord {
    const { amnesia, logger, onFatal } = this.#modules
    const { memory } = amnesia
    const { epoch } = this.execution
    const { record, done } = amnesia.note(epoch, voteFrom)
    done.catch(onFatal)
    if (voteFrom === null) logger.info('the guard knows all that matters', { epoch })
    else if (memory !== 'whole') {
      const why = describeObserving({ memory, until: voteFrom })
      logger.warn('this node does not vote yet', { why, epoch, view: voteFrom })
    }
    return record
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
