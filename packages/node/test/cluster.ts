// Members of one network in this process: real sockets on loopback, real databases and journals in a
// temporary folder. A member can be stopped and started again; its disk stays.

import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatPeerId, keyPairFromSeed, x25519PublicKey } from '@mooring/crypto'
import {
  createGenesis,
  createTransaction,
  DEVNET_PARAMETERS,
  type Genesis,
  genesisDigest,
  networkId,
  type Parameters,
  signGenesisEntry,
} from '@mooring/ledger'
import { type Network, type NetworkOptions, startNetwork } from '@mooring/network'
import { Agreement } from '../src/agreement.ts'
import { answerBlockRequest } from '../src/block-server.ts'
import { systemClock } from '../src/clock.ts'
import { createLogger } from '../src/logger.ts'
import { openStores, type Stores } from '../src/stores.ts'

const DUTIES = { governance: 1, consensus: 2, transport: 3, anchor: 4, seal: 5 } as const

export function seedOf(member: number, duty: keyof typeof DUTIES): Uint8Array {
  return new Uint8Array(32).fill(16 * member + DUTIES[duty])
}

export interface RunningMember {
  agreement: Agreement
  stores: Stores
  network: Network
  halted: string[]
  close(): Promise<void>
}

export class Cluster {
  readonly genesis: Genesis
  readonly digest: Uint8Array
  readonly members: (RunningMember | null)[]
  readonly #folder: string
  readonly #addresses = new Map<string, string[]>()

  private constructor(folder: string, size: number, parameters: Partial<Parameters>) {
    this.#folder = folder
    this.members = Array.from({ length: size }, () => null)
    this.genesis = createGenesis({
      networkName: 'cluster',
      time: Date.now() - 1_000,
      parameters: { ...DEVNET_PARAMETERS, heartbeatMs: 0, ...parameters },
      organisations: this.members.map((_, index) => entryOf(index)),
    })
    this.digest = genesisDigest(this.genesis)
  }

  static async start(size: number, parameters: Partial<Parameters> = {}): Promise<Cluster> {
    const folder = await mkdtemp(join(tmpdir(), 'mooring-cluster-'))
    const cluster = new Cluster(folder, size, parameters)
    for (let index = 0; index < size; index += 1) await cluster.startMember(index)
    return cluster
  }

  member(index: number): RunningMember {
    const member = this.members[index]
    if (member === null || member === undefined) throw new Error(`member ${index} is not running`)
    return member
  }

  async startMember(index: number): Promise<void> {
    const home = join(this.#folder, `h-${index}`)
    const stores = await openStores({
      home,
      name: `h-${index}`,
      dataDir: join(home, 'data'),
      guardDir: join(home, 'guard'),
      genesis: this.genesis,
      genesisDigest: this.digest,
    })
    const logger = createLogger({ levels: { base: 'silent', modules: {} }, format: 'json' })
    let agreement: Agreement | null = null
    const network = await startNetwork(this.#networkOptions(index), {
      onMessage: (peerId, _lane, frame) => agreement?.onFrame(peerId, frame),
      onTransactions: (peerId, batch) => agreement?.onTransactions(peerId, batch) ?? 'ignore',
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
    const running = await Agreement.start(
      {
        genesisDigest: this.digest,
        consensusKey: keyPairFromSeed(seedOf(index, 'consensus')),
        mempool: { maxCount: 10_000, maxBytes: 16 << 20 },
      },
      {
        ...stores,
        clock: systemClock,
        logger,
        network,
        onEvidence: () => halted.push('evidence'),
        onHalt: ({ code }) => halted.push(code),
        onVoted: () => undefined,
        onDurable: () => undefined,
        onFatal: (error) => halted.push(String(error)),
      },
    )
    agreement = running
    const close = async (): Promise<void> => {
      await running.close()
      await network.close()
      await stores.close()
    }
    this.members[index] = { agreement: running, stores, network, halted, close }
  }

  async stopMember(index: number): Promise<void> {
    await this.member(index).close()
    this.members[index] = null
  }

  anchor(index: number, sequence: number, root: Uint8Array = randomBytes(32)): Uint8Array {
    return createTransaction({
      genesisDigest: this.digest,
      keyPair: keyPairFromSeed(seedOf(index, 'anchor')),
      kind: 'record.anchor',
      expiresAt: Date.now() + 300_000,
      body: {
        organisation: `h-${index}`,
        sequence,
        batchRoot: new Uint8Array(root),
        sizeBucket: 16,
      },
    })
  }

  /** Resolves when every running member has this many transactions in durable blocks. */
  async reached(transactions: number, timeoutMs = 20_000): Promise<void> {
    const until = Date.now() + timeoutMs
    while (!this.running().every((member) => countOf(member) >= transactions)) {
      if (Date.now() > until) throw new Error(`still ${this.running().map(countOf).join(', ')}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  running(): RunningMember[] {
    return this.members.filter((member) => member !== null)
  }

  async close(): Promise<void> {
    for (const member of this.running()) await member.close()
    await rm(this.#folder, { recursive: true, force: true })
  }

  #networkOptions(index: number): NetworkOptions {
    return {
      listen: ['/ip4/127.0.0.1/tcp/0'],
      announce: [],
      transportSeed: seedOf(index, 'transport'),
      networkId: networkId(this.digest),
      genesisDigest: this.digest,
      protocolVersion: 1,
      members: () =>
        this.genesis.organisations.map(({ organisation }) => ({
          peerId: formatPeerId(organisation.keys.transport),
          name: organisation.id,
          authority: true,
        })),
      addresses: (peerId) => this.#addresses.get(peerId) ?? [],
      allowList: [],
      log: () => undefined,
    }
  }
}

function countOf({ stores }: RunningMember): number {
  return stores.chain.recentTransactionIds(0).reduce((count, { ids }) => count + ids.length, 0)
}

function entryOf(index: number): ReturnType<typeof signGenesisEntry> {
  const publicKey = (duty: keyof typeof DUTIES): Uint8Array =>
    keyPairFromSeed(seedOf(index, duty)).publicKey
  const organisation = {
    id: `h-${index}`,
    name: `Hospital ${index}`,
    legalGroup: `group-${index}`,
    roles: ['authority' as const],
    keys: {
      governance: publicKey('governance'),
      consensus: publicKey('consensus'),
      transport: publicKey('transport'),
      anchor: publicKey('anchor'),
      seal: x25519PublicKey(seedOf(index, 'seal')),
      issuer: null,
    },
  }
  return signGenesisEntry('cluster', organisation, keyPairFromSeed(seedOf(index, 'governance')))
}
