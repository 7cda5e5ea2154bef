// Members of one network in this process: real sockets on loopback, real databases and journals in a
// temporary folder. A member can be stopped and started again; its disk stays. Members may come, go and
// renew their keys.

import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { equalBytes } from '@mooring/codec'
import { type Subject, type VoteKind, voteMessage } from '@mooring/consensus'
import { sign } from '@mooring/crypto'
import {
  authoritySet,
  type Change,
  createGenesis,
  createTransaction,
  decodeTransaction,
  DEVNET_PARAMETERS,
  type Genesis,
  genesisDigest,
  networkId,
  organisations,
  type Parameters,
  signAdmission,
} from '@mooring/ledger'
import { type Member, type Network, type NetworkOptions, startNetwork } from '@mooring/network'
import { Agreement } from '../src/agreement.ts'
import { answerBlockRequest } from '../src/block-server.ts'
import { systemClock } from '../src/clock.ts'
import { makeFirstGuard } from '../src/first-guard.ts'
import { createLogger, type Logger } from '../src/logger.ts'
import { type MemberChange, membersOf } from '../src/members.ts'
import { WIRE_VERSIONS } from '../src/protocol.ts'
import { Readiness } from '../src/readiness.ts'
import type { RemoteSigner } from '../src/remote-signer.ts'
import type { ChainStore } from '@mooring/storage'
import { openStores, type Stores } from '../src/stores.ts'
import { approvalOf, ClusterKeys, NETWORK, nameOf, proposalOf } from './cluster-members.ts'

export interface RunningMember {
  index: number
  agreement: Agreement
  stores: Stores
  network: Network
  halted: string[]
  /** What the ends of epochs did to members, as this one was told. */
  changes: MemberChange[]
  close(): Promise<void>
}

/** What a member has instead of the real thing, for one life. */
export interface Faults {
  chain?: (chain: ChainStore) => ChainStore
  network?: (network: Network, agreement: () => Agreement | null) => Network
  logger?: Logger
  /** Holds the consensus key. */
  signer?: RemoteSigner
  /** Hears of no transaction before it is in a block. */
  isDeaf?: boolean
  /** What it says that it reads; default: what this software does. */
  protocolVersions?: readonly number[]
}

export class Cluster {
  readonly genesis: Genesis
  readonly digest: Uint8Array
  readonly keys = new ClusterKeys()
  readonly members: (RunningMember | null)[]
  readonly #folder: string
  readonly #addresses = new Map<string, string[]>()

  private constructor(folder: string, size: number, parameters: Partial<Parameters>) {
    this.#folder = folder
    this.members = Array.from({ length: size }, () => null)
    this.genesis = createGenesis({
      networkName: NETWORK,
      time: Date.now() - 1_000,
      parameters: { ...DEVNET_PARAMETERS, heartbeatMs: 0, ...parameters },
      organisations: this.members.map((_, index) => this.keys.founder(index)),
    })
    this.digest = genesisDigest(this.genesis)
  }

  static async start(size: number, parameters: Partial<Parameters> = {}): Promise<Cluster> {
    const cluster = await Cluster.prepare(size, parameters)
    for (let index = 0; index < size; index += 1) {
      await makeFirstGuard(join(cluster.homeOf(index), 'guard'))
      await cluster.startMember(index)
    }
    return cluster
  }

  /** Nobody runs, and nobody has a guard. */
  static async prepare(size: number, parameters: Partial<Parameters> = {}): Promise<Cluster> {
    const folder = await mkdtemp(join(tmpdir(), 'mooring-cluster-'))
    return new Cluster(folder, size, parameters)
  }

  member(index: number): RunningMember {
    const member = this.members[index]
    if (member === null || member === undefined) throw new Error(`member ${index} is not running`)
    return member
  }

  /** Everything that the member has on disk. */
  homeOf(index: number): string {
    return join(this.#folder, nameOf(index))
  }

  async startMember(index: number, faults: Faults & { rejoin?: boolean } = {}): Promise<void> {
    const name = nameOf(index)
    const home = this.homeOf(index)
    const stores = await openStores({
      home,
      name,
      dataDir: join(home, 'data'),
      guardDir: join(home, 'guard'),
      rejoin: faults.rejoin ?? false,
      genesis: this.genesis,
      genesisDigest: this.digest,
    })
    const logger =
      faults.logger ?? createLogger({ levels: { base: 'silent', modules: {} }, format: 'json' })
    let agreement: Agreement | null = null
    const members = () =>
      agreement?.members.list ??
      membersOf(organisations(stores.chain.state()), authoritySet(stores.chain.state()))
    const { isDeaf = false, protocolVersions = WIRE_VERSIONS } = faults
    const options = { ...this.#networkOptions(index, members), protocolVersions }
    const network = await startNetwork(options, {
      onMessage: (peerId, _lane, frame) => agreement?.onFrame(peerId, frame),
      onTransactions: (peerId, batch) =>
        isDeaf ? 'ignore' : (agreement?.onTransactions(peerId, batch) ?? 'ignore'),
      onRequest: (_peerId, _protocol, payload) =>
        agreement === null
          ? Promise.reject(new Error('not started'))
          : Promise.resolve(
              answerBlockRequest(payload, {
                chain: stores.chain,
                execution: agreement.execution,
              }),
            ),
      onPeer: () => agreement?.onPeers(),
      status: () => ({ height: stores.chain.tip.height }),
    })
    this.#addresses.set(network.peerId, network.addresses())
    const halted: string[] = []
    const changes: MemberChange[] = []
    const { publicKey, seed } = this.keys.pair(index, 'consensus')
    const { signer } = faults
    const consensusKey = { publicKey, seed: signer === undefined ? seed : null }
    const running = await Agreement.start(
      {
        genesisDigest: this.digest,
        consensusKey,
        mempool: { maxCount: 10_000, maxBytes: 16 << 20 },
      },
      {
        ...stores,
        chain: faults.chain?.(stores.chain) ?? stores.chain,
        clock: systemClock,
        logger,
        ...(signer && { signer }),
        network: faults.network?.(network, () => agreement) ?? network,
        onEvidence: () => halted.push('evidence'),
        onHalt: ({ code }) => halted.push(code),
        onVoted: () => undefined,
        onDurable: () => undefined,
        onEpoch: (told) => changes.push(...told),
        onFatal: (error) => halted.push(String(error)),
      },
    )
    agreement = running
    const readiness = this.#readinessOf(index, { agreement: running, network, halted })
    const close = async (): Promise<void> => {
      await readiness.close()
      await running.close()
      await network.close()
      await stores.close()
    }
    this.members[index] = { index, agreement: running, stores, network, halted, changes, close }
  }

  /** Its chain is lost, and all that depends on it; its guard is not. */
  async loseData(index: number): Promise<void> {
    await rm(join(this.#folder, nameOf(index), 'data'), { recursive: true })
  }

  async stopMember(index: number): Promise<void> {
    await this.member(index).close()
    this.members[index] = null
  }

  signVote(index: number, kind: VoteKind, subject: Subject): Uint8Array {
    const message = voteMessage(this.digest, kind, subject)
    return sign(this.keys.pair(index, 'consensus'), message)
  }

  anchor(index: number, sequence: number, root: Uint8Array = randomBytes(32)): Uint8Array {
    return createTransaction({
      genesisDigest: this.digest,
      keyPair: this.keys.pair(index, 'anchor'),
      kind: 'record.anchor',
      expiresAt: Date.now() + 300_000,
      body: {
        organisation: nameOf(index),
        sequence,
        batchRoot: new Uint8Array(root),
        sizeBucket: 16,
      },
    })
  }

  /** Resolves when every running member has this many transactions in durable blocks. */
  async reached(transactions: number, timeoutMs = 20_000): Promise<void> {
    await this.eventually(
      () => this.running().every((member) => countOf(member) >= transactions),
      () => `still ${this.running().map(countOf).join(', ')}`,
      timeoutMs,
    )
  }

  running(): RunningMember[] {
    return this.members.filter((member) => member !== null && member !== undefined)
  }

  admission(index: number): Change {
    const organisation = this.keys.organisation(index, 'observer')
    const body = signAdmission(this.digest, organisation, this.keys.pair(index, 'governance'))
    return { kind: 'admit', body }
  }

  /** Proposes and approves; the change passes when the members that must be ready have said so. */
  async propose(change: Change, [first = 0, ...others]: readonly number[]): Promise<Uint8Array> {
    const key = (index: number) => this.keys.pair(index, 'governance')
    const proposal = proposalOf(this.digest, nameOf(first), key(first), change)
    await this.submit(first, proposal)
    const { id } = decodeTransaction(proposal, this.digest)
    await this.eventually(() =>
      others.every((index) => this.member(index).stores.chain.getTransaction(id) !== undefined),
    )
    for (const index of others)
      await this.submit(index, approvalOf(this.digest, nameOf(index), key(index), id))
    return id
  }

  async submit(index: number, transaction: Uint8Array): Promise<void> {
    const outcome = await this.member(index).agreement.mempool.submit(transaction)
    if (outcome.status === 'rejected') throw new Error(`${outcome.code}: ${outcome.detail}`)
  }

  /** Resolves when all of these, or all that run, are in the epoch. */
  async inEpoch(epoch: number, members = this.running()): Promise<void> {
    await this.eventually(
      () => members.every(({ agreement }) => agreement.driver.state.config.epoch >= epoch),
      () => members.map(({ agreement }) => agreement.driver.state.config.epoch).join(', '),
    )
  }

  async eventually(isSo: () => boolean, say = () => 'it is not so', timeoutMs = 20_000) {
    const until = Date.now() + timeoutMs
    while (!isSo()) {
      if (Date.now() > until) throw new Error(`after ${timeoutMs} ms: ${say()}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  async close(): Promise<void> {
    for (const member of this.running()) await member.close()
    await rm(this.#folder, { recursive: true, force: true })
  }

  #readinessOf(
    index: number,
    { agreement, network, halted }: Pick<RunningMember, 'agreement' | 'network' | 'halted'>,
  ): Readiness {
    const { execution, committer, mempool } = agreement
    return new Readiness(
      { organisation: nameOf(index), genesisDigest: this.digest },
      {
        clock: systemClock,
        execution,
        committer,
        mempool,
        logger: createLogger({ levels: { base: 'silent', modules: {} }, format: 'json' }),
        bestKnownHeight: () => agreement.bestKnownHeight(),
        connectedOf: (names) =>
          network.peers().filter(({ name, connected }) => connected && names.includes(name)).length,
        keyNamed: (publicKey) => {
          const key = this.keys.pair(index, 'consensus')
          return Promise.resolve(equalBytes(key.publicKey, publicKey) ? key : undefined)
        },
        onFatal: (error) => halted.push(String(error)),
      },
    )
  }

  #networkOptions(index: number, members: () => readonly Member[]): NetworkOptions {
    return {
      listen: ['/ip4/127.0.0.1/tcp/0'],
      announce: [],
      transportSeed: this.keys.pair(index, 'transport').seed,
      networkId: networkId(this.digest),
      genesisDigest: this.digest,
      protocolVersions: WIRE_VERSIONS,
      members: () => [...members()],
      addresses: (peerId) => this.#addresses.get(peerId) ?? [],
      log: () => undefined,
    }
  }
}

function countOf({ stores }: RunningMember): number {
  return stores.chain.recentTransactionIds(0).reduce((count, { ids }) => count + ids.length, 0)
}
