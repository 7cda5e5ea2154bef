// The chain of a stopped home brought up to what the others have, by a command: the network and the part
// of a node that catches up, and nothing else of it. It answers nobody and votes on nothing.

import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises'
import { faultsOf } from '@mooring/consensus'
import { organisations } from '@mooring/ledger'
import { type Network, type NetworkHandlers, startNetwork } from '@mooring/network'
import { type ChainStore } from '@mooring/storage'
import { addressesOf } from './address-hints.ts'
import { type ChainHome, openChainStore } from './chain-rebuild.ts'
import { readTip } from './chain-tip.ts'
import { systemClock } from './clock.ts'
import { Committer } from './committer.ts'
import { Execution } from './execution.ts'
import { openHomeDatabase } from './home-database.ts'
import type { NodeOptions } from './load-options.ts'
import type { RootLogger } from './logger.ts'
import { LongWork } from './long-work.ts'
import { Members } from './members.ts'
import { NodeError } from './node-error.ts'
import { WIRE_VERSIONS } from './protocol.ts'
import { SignatureThreads } from './signature-threads.ts'
import { Sync } from './sync.ts'
import { inRealSlices } from './time-slices.ts'

const POLL_MS = 100

export interface FollowOptions {
  /** At least so far, and as far as the others are. */
  to: number
  timeoutMs: number
  onHeight?: (height: number) => void
}

/** The height that was reached. @throws NodeError repair_unfinished */
export async function followPeers(
  options: ChainHome & Pick<NodeOptions, 'keys' | 'p2p' | 'networkId'>,
  logger: RootLogger,
  { to, timeoutMs, onHeight }: FollowOptions,
): Promise<number> {
  const database = await openHomeDatabase(
    { home: options.home, dataDir: options.storage.dir },
    'chain',
  )
  try {
    const chain = await openChainStore(database, options)
    const follower = await Follower.start(options, logger, chain)
    try {
      await follower.reach(to, { timeoutMs, ...(onHeight && { onHeight }) })
    } finally {
      await follower.close()
    }
    return chain.tip.height
  } finally {
    await database.close()
  }
}

class Follower {
  readonly #chain: ChainStore
  readonly #network: Network
  readonly #sync: Sync
  readonly #work: LongWork
  readonly #committer: Committer
  readonly #bestKnown: () => number
  readonly #failures: unknown[]

  private constructor(
    chain: ChainStore,
    parts: {
      network: Network
      sync: Sync
      work: LongWork
      committer: Committer
      bestKnown: () => number
      failures: unknown[]
    },
  ) {
    this.#chain = chain
    this.#network = parts.network
    this.#sync = parts.sync
    this.#work = parts.work
    this.#committer = parts.committer
    this.#bestKnown = parts.bestKnown
    this.#failures = parts.failures
  }

  static async start(
    options: ChainHome & Pick<NodeOptions, 'keys' | 'p2p' | 'networkId'>,
    logger: RootLogger,
    chain: ChainStore,
  ): Promise<Follower> {
    const { genesisDigest } = options
    const failures: unknown[] = []
    const heights = new Map<string, number>()
    const execution = new Execution(readTip(chain), {
      genesisDigest,
      isVerified: () => false,
      isIncluded: (id) => chain.getTransaction(id) !== undefined,
    })
    const members = new Members(organisations(execution.tip.view), execution.authorities)
    const committer = new Committer({
      chain,
      execution,
      // Who is who may be another one after each block.
      onDurable: () => {
        members.replace(organisations(execution.tip.view), execution.authorities)
        return Promise.resolve()
      },
      onFatal: (error) => failures.push(error),
    })
    const network = await openNetwork(options, logger, { chain, members, heights })
    /** What more than a third say: one liar makes nobody wait. */
    const bestKnown = (): number => {
      const said = [...heights.values()].toSorted((a, b) => b - a)
      return said[faultsOf(execution.authorities.keys.length)] ?? 0
    }
    const work = new LongWork({ clock: systemClock, turns: inRealSlices })
    const sync = new Sync({
      clock: systemClock,
      turn: nextTurn,
      work,
      execution,
      authorities: () => ({ chain: genesisDigest, keys: execution.authorities.keys }),
      isFollower: () => true,
      bestKnownHeight: bestKnown,
      peers: () => members.syncPeers(network.peers(), (peerId) => heights.get(peerId) ?? null),
      request: (peerId, payload, timeoutMs) =>
        network.request(peerId, 'blocks', payload, { timeoutMs }),
      blame: (peerId, reason) => network.disconnect(peerId, reason),
      commit: (blocks, finalization) => committer.commit(blocks, finalization),
      settled: () => committer.idle(),
      feed: (event) => {
        if (event.type !== 'diverged') return
        const detail = 'A final block does not execute here as it did for the others'
        failures.push(new NodeError('repair_unfinished', { detail }))
      },
      onFatal: (error) => failures.push(error),
      signatures: new SignatureThreads(genesisDigest),
      logger: logger.module('sync'),
    })
    sync.follow()
    return new Follower(chain, { network, sync, work, committer, bestKnown, failures })
  }

  async reach(to: number, { timeoutMs, onHeight }: Omit<FollowOptions, 'to'>): Promise<void> {
    const until = performance.now() + timeoutMs
    while (performance.now() < until) {
      await pause(POLL_MS)
      const { height } = this.#chain.tip
      onHeight?.(height)
      if (this.#failures.length > 0) throw this.#failures[0]
      const best = this.#bestKnown()
      if (best > 0 && height >= Math.max(to, best)) return
    }
    const connected = this.#network.peers().filter((peer) => peer.connected).length
    const { height } = this.#chain.tip
    const detail = `The chain here ends at ${height} of at least ${Math.max(to, this.#bestKnown())}, with ${connected} members connected`
    throw new NodeError('repair_unfinished', { detail })
  }

  async close(): Promise<void> {
    this.#sync.close()
    this.#work.close()
    await this.#network.close()
    await this.#committer.idle()
  }
}

function openNetwork(
  options: ChainHome & Pick<NodeOptions, 'keys' | 'p2p' | 'networkId'>,
  logger: RootLogger,
  {
    chain,
    members,
    heights,
  }: { chain: ChainStore; members: Members; heights: Map<string, number> },
): Promise<Network> {
  const { p2p, keys } = options
  const ownLogger = logger.module('p2p')
  const allowed = p2p.allow === 'members' ? [] : [...p2p.allowList]
  const handlers: NetworkHandlers = {
    onMessage: () => undefined,
    onTransactions: () => 'ignore',
    onRequest: () => Promise.reject(new NodeError('not_ready', {})),
    onPeer: () => undefined,
    onHello: (peerId, { height }) => void heights.set(peerId, height),
    status: () => ({ height: chain.tip.height }),
  }
  return startNetwork(
    {
      listen: [...p2p.listen],
      announce: [...p2p.announce],
      transportSeed: keys.transport.seed,
      networkId: options.networkId,
      genesisDigest: options.genesisDigest,
      protocolVersions: WIRE_VERSIONS,
      members: () => (p2p.allow === 'list' ? [] : [...members.list]),
      addresses: (peerId) => [...addressesOf(peerId, p2p.peers, chain.state())],
      local: () => ({ allowed, banned: [], bannedHosts: [] }),
      limits: { connectionsMax: p2p.maxPeers },
      log: (level, sentence, fields) => ownLogger.log(level, sentence, fields),
    },
    handlers,
  )
}
