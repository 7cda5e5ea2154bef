// One authority of four with its real parts over a temporary folder: chain store, execution, mempool,
// committer, and the state of agreement, moved by events. The others are keys that sign, and a list of
// peers as the network would give it. Time is a number that a test moves.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toHex } from '@mooring/codec'
import {
  type Certificate,
  type ConsensusState,
  type Event,
  start,
  step,
  type Subject,
  type UnsignedVote,
  type VoteKind,
  ZERO_DIGEST,
} from '@mooring/consensus'
import { formatPeerId } from '@mooring/crypto'
import {
  blockDigest,
  decodeHeader,
  decodeTransaction,
  type Genesis,
  genesisDigest,
  genesisState,
  networkId,
  type Parameters,
} from '@mooring/ledger'
import type { PeerInfo } from '@mooring/network'
import { ChainStore, openDatabase, PendingTransactions } from '@mooring/storage'
import { AuthoritySets } from '../src/authority-sets.ts'
import type { Clock } from '../src/clock.ts'
import { type CommittedBlock, Committer } from '../src/committer.ts'
import { Execution } from '../src/execution.ts'
import { Members } from '../src/members.ts'
import { Mempool } from '../src/mempool.ts'
import type { MempoolModules } from '../src/mempool-modules.ts'
import type { NodeParts } from '../src/node-parts.ts'
import { VoteLog } from '../src/vote-log.ts'
import {
  batchOf,
  type BatchPlace,
  certificateOf,
  genesisWith,
  keyOf,
  NAMES,
  OBSERVER,
} from './chain-members.ts'
import { START, TestClock } from './test-clock.ts'

const SKIP_MS = 4_000

export interface WorldOptions {
  parameters?: Partial<Parameters>
  role?: 'authority' | 'observer'
}

interface Door {
  maxCount?: number
  signatures?: MempoolModules['signatures'] & {}
}

interface Disk {
  chain: ChainStore
  execution: Execution
  pending: PendingTransactions
}

export async function withWorld(
  work: (world: World) => Promise<void> | void,
  { parameters = {}, role = 'authority' }: WorldOptions = {},
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'mooring-chain-'))
  const database = await openDatabase(join(folder, 'chain'), { name: 'chain' })
  try {
    const genesis = genesisWith(parameters)
    const network = genesisDigest(genesis)
    const first = genesisState(genesis).values()
    const chain = await ChainStore.open(database, {
      genesis: { digest: network, time: genesis.time, state: first },
      decodeHeader: (encoded) => {
        const header = decodeHeader(encoded)
        return { ...header, digest: blockDigest(header) }
      },
    })
    const pending = new PendingTransactions(database)
    const execution = createExecution(network, chain)
    await work(new World(genesis, { chain, execution, pending }, role))
  } finally {
    await database.close()
    await rm(folder, { recursive: true, force: true })
  }
}

export class World {
  readonly clock = new TestClock()
  readonly genesis: Genesis
  readonly parts: NodeParts
  readonly mempool: Mempool
  readonly votes: VoteLog
  /** The other members, as the network lists them; a test changes them in place. */
  readonly peers: PeerInfo[]
  /** Called with blocks that are durable while the mempool knows their transactions. */
  onDurable: (blocks: readonly CommittedBlock[]) => void = () => undefined
  readonly #disk: Disk
  readonly #network: Uint8Array
  readonly #execution: Execution
  readonly #committer: Committer
  readonly #agreement: StateBox

  constructor(genesis: Genesis, disk: Disk, role: 'authority' | 'observer') {
    const { chain, execution } = disk
    this.#disk = disk
    const own = role === 'observer' ? OBSERVER : (NAMES[0] ?? '')
    const organisations = genesis.organisations.map((entry) => entry.organisation)
    const members = new Members(organisations, execution.authorities)
    this.genesis = genesis
    this.#network = genesisDigest(genesis)
    this.#execution = execution
    this.mempool = createMempool(this.clock, this.#network, disk)
    this.#committer = new Committer({
      chain,
      execution,
      onDurable: (blocks) => this.#onDurable(blocks),
      onFatal: (error) => {
        throw error
      },
    })
    this.#agreement = new StateBox(genesis, execution, this.clock, role)
    this.votes = this.#agreement.votes
    this.peers = members.list
      .filter(({ name }) => name !== own)
      .map((member) => peerOf(member, this.clock))
    this.parts = {
      options: {
        name: own,
        role,
        profile: 'test',
        storage: { minFreeBytes: 256 * 1024 ** 2 },
        genesis,
        genesisDigest: this.#network,
        networkId: networkId(this.#network),
      },
      version: '0.1.0',
      startedAt: START,
      clock: this.clock,
      members,
      sets: new AuthoritySets(genesis, chain),
      driver: () => this.state(),
      execution,
      mempool: this.mempool,
      committer: this.#committer,
      chain,
      network: {
        peerId: formatPeerId(keyOf(own, 'transport').publicKey),
        peers: () => this.peers,
        stats: () => {
          throw new Error('this world has no network')
        },
        request: () => Promise.reject(new Error('this world has no network')),
      },
      clocks: { skewMs: () => null, offsetMs: () => null },
      bestKnownHeight: () => execution.tip.meta.height,
      heightOfPeer: (peerId) => this.peers.find((peer) => peer.peerId === peerId)?.height ?? null,
      sync: {
        isActive: false,
        progress: () => {
          const height = execution.tip.meta.height
          const pace = { blocksPerSecond: 0, transactionsPerSecond: 0 }
          return { height, target: height, ...pace, peers: [], bad: [] }
        },
      },
      holder: () => ({ custodians: 0, shards: 0, bytes: 0, damaged: 0 }),
      keeping: { retention: { kind: 'forever' }, holds: () => [] },
      records: { counts: () => ({ accepted: 7, anchored: 5, pending: 2 }) },
      halted: () => null,
      observing: () => null,
      membership: () => null,
      shards: () => null,
      vault: () => null,
      emergencies: () => null,
      data: () => [],
      signer: () => null,
      offences: { list: () => [] },
      isDraining: () => false,
    }
  }

  /** The mempool after a restart of the process. */
  async restarted(): Promise<Mempool> {
    const mempool = createMempool(this.clock, this.#network, this.#disk)
    await mempool.restore(await this.#disk.pending.all())
    return mempool
  }

  /** One more of its own, with another door. */
  mempoolWith(door: Door): Mempool {
    return createMempool(this.clock, this.#network, this.#disk, door)
  }

  state(): ConsensusState {
    return this.#agreement.state
  }

  feed(...events: Event[]): void {
    this.#agreement.feed(events)
  }

  /** A signed anchor of one organisation. */
  anchor(name: string, sequence: number): Uint8Array {
    return this.#batch({ kind: 'record.anchor', organisation: name, sequence })
  }

  /** A signed access batch of one organisation. */
  accessBatch(name: string, sequence: number): Uint8Array {
    return this.#batch({ kind: 'access.log', organisation: name, sequence })
  }

  #batch(place: BatchPlace): Uint8Array {
    return batchOf(this.#network, place, this.clock.wall() + 300_000)
  }

  idOf(transaction: Uint8Array): string {
    return toHex(decodeTransaction(transaction, this.#network).id)
  }

  certificate(kind: VoteKind, subject: Subject): Certificate {
    return certificateOf(this.#network, kind, subject)
  }

  /**
   * Final blocks with these transactions, one empty one when there are none, and a finalization of the
   * last. They are durable when this resolves.
   */
  async finalize(...blocks: Uint8Array[][]): Promise<CommittedBlock> {
    const execution = this.#execution
    const { view } = this.state()
    const contents = blocks.length === 0 ? [[]] : blocks
    let last = execution.tip.meta
    const digests: string[] = []
    for (const [index, transactions] of contents.entries()) {
      const candidates = transactions.map((bytes) => decodeTransaction(bytes, this.#network))
      const now = this.clock.wall()
      const input = { view: view + index, now, candidates, mayBeEmpty: true }
      const { meta, rejected } = execution.build(last, input)
      if (meta === null || rejected.length > 0) throw new Error('the block was not built')
      digests.push(meta.digest)
      last = meta
    }
    const { height, parentView, digest } = last
    const subject = { epoch: 0, view: last.view, parentView, height, digest }
    const finalization = this.certificate('finalize', subject)
    const committed: CommittedBlock[] = []
    const unsubscribe = this.#committer.subscribe((block) => committed.push(block))
    this.#committer.commit(execution.seal(digests), finalization)
    this.feed({ type: 'synced', block: last, finalization })
    await this.#committer.idle()
    unsubscribe()
    const block = committed.at(-1)
    if (block === undefined) throw new Error('nothing was committed')
    return block
  }

  async #onDurable(blocks: readonly CommittedBlock[]): Promise<void> {
    this.onDurable(blocks)
    const ids = blocks.flatMap(({ receipts }) => receipts.map(({ transaction }) => transaction))
    await this.mempool.committed(ids)
  }
}

/** The state of agreement without a driver: our votes come back at once, timers run by the clock. */
class StateBox {
  readonly votes: VoteLog
  readonly #clock: TestClock
  readonly #timers = new Map<string, () => void>()
  readonly #queue: Event[] = []
  state: ConsensusState

  constructor(genesis: Genesis, execution: Execution, clock: TestClock, role: string) {
    const { deltaMs, minBlockIntervalMs, precisionMs } = genesis.parameters
    const config = {
      epoch: 0,
      authorities: NAMES.length,
      me: role === 'observer' ? null : 0,
      deltaMs,
      skipMs: SKIP_MS,
      statusMs: 3_000,
      minBlockIntervalMs,
      precisionMs,
    }
    const recovered = {
      committed: execution.tip.meta,
      finalization: null,
      certificates: [],
      votes: [],
      blocks: [],
      marks: { notarize: 0, nullify: 0, finalize: 0 },
      rejoin: null,
    }
    this.#clock = clock
    this.state = start(config, recovered, this.#now()).state
    this.votes = new VoteLog(clock, () => this.state)
  }

  feed(events: readonly Event[]): void {
    this.#queue.push(...events)
    for (let event = this.#queue.shift(); event !== undefined; event = this.#queue.shift()) {
      const { state, actions } = step(this.state, event, this.#now())
      this.state = state
      for (const action of actions) {
        if (action.type === 'vote' || action.type === 'propose') this.#vote(action.vote)
        if (action.type === 'set-timer') this.#setTimer(action)
        // Whoever has nothing to propose says so, and the view goes on without a block.
        if (action.type === 'build')
          this.#queue.push({ type: 'built', view: action.view, block: null, failed: true })
      }
    }
  }

  #vote(vote: UnsignedVote): void {
    this.votes.note(vote)
    this.#queue.push({ type: 'votes', votes: [{ ...vote, signature: new Uint8Array(64) }] })
  }

  #setTimer({
    name,
    view,
    afterMs,
  }: Omit<Extract<Event, { type: 'timer' }>, 'type'> & { afterMs: number }) {
    this.#timers.get(name)?.()
    const fire = () => this.feed([{ type: 'timer', name, view }])
    this.#timers.set(name, this.#clock.after(afterMs, fire))
  }

  #now() {
    return { monotonic: this.#clock.monotonic(), wall: this.#clock.wall() }
  }
}

function createExecution(network: Uint8Array, chain: ChainStore): Execution {
  const { digest, time, height } = chain.tip
  const history = chain.historyFrontier()
  const place = { view: 0, parentView: 0, height, time, isEmpty: true, isSealing: false }
  const tip = {
    epoch: 0,
    meta: { ...place, digest: toHex(digest), parent: ZERO_DIGEST },
    digest,
    view: chain.state(),
    history: { size: history.size, hashes: history.hashes },
  }
  return new Execution(tip, {
    genesisDigest: network,
    isVerified: () => false,
    isIncluded: (id) => chain.getTransaction(id) !== undefined,
  })
}

function createMempool(
  clock: Clock,
  network: Uint8Array,
  { chain, execution, pending }: Disk,
  { maxCount = 100, signatures }: Door = {},
): Mempool {
  return new Mempool(
    { genesisDigest: network, maxCount, maxBytes: 1 << 20 },
    {
      ...(signatures && { signatures }),
      clock,
      store: pending,
      parameters: () => execution.parameters,
      finalState: () => execution.finalState(),
      nextHeight: () => execution.tip.meta.height + 1,
      heightOf: (id) => chain.getTransaction(id)?.height,
      publish: () => undefined,
      onReady: () => undefined,
    },
  )
}

function peerOf(
  member: { peerId: string; name: string; authority: boolean },
  clock: Clock,
): PeerInfo {
  return {
    ...member,
    connected: true,
    lastHeard: clock.monotonic(),
    rttMs: 12,
    direction: 'outbound',
    height: 0,
    lastError: null,
  }
}
