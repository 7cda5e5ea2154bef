// The libp2p node, hardened: tcp, noise, yamux, identify, ping and gossipsub, and nothing else.
//
// No discovery, no relay, no peer exchange, no stored addresses: who is dialled, and when, is decided
// by the supervisor alone. The gater is the door: an address may knock only so often, and a peer whose
// key is not on the allow list is turned away before a stream exists. libp2p's own limits stand behind
// it; its per-host threshold is set above our bucket because hospitals behind one NAT share an address.

import { noise } from '@chainsafe/libp2p-noise'
import type {
  ComponentLogger,
  ConnectionGater,
  Libp2p,
  Logger,
  MultiaddrConnection,
  PrivateKey,
} from '@libp2p/interface'
import { type Identify, identify } from '@libp2p/identify'
import { type Ping, ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import type { GossipFactory, GossipRouter } from './gossip-guard.ts'
import type { Limits } from './limits.ts'
import { rememberProtocols } from './known-protocols.ts'
import type { Shared } from './link.ts'
import { joinPackets, lazyWindows } from './fewer-packets.ts'
import { noiseCrypto } from './noise-crypto.ts'
import { Pace } from './pace.ts'
import { TokenBucket } from './token-bucket.ts'
import type { NetworkOptions } from './types.ts'

const ADDRESSES_REMEMBERED = 1_024
const INACTIVITY_TIMEOUT_MS = 120_000

export type Services = { identify: Identify; ping: Ping; gossip: GossipRouter }

export interface Door {
  members: () => number
  isMember: (peerId: string) => boolean
  isBanned: (host: string) => boolean
  admitsInbound: (peerId: string) => boolean
  admitsOutbound: (peerId: string) => boolean
}

export async function createTransport(
  options: Pick<NetworkOptions, 'listen' | 'announce'> & { privateKey: PrivateKey },
  shared: Shared,
  parts: { door: Door; gossip: GossipFactory },
): Promise<Libp2p<Services>> {
  const { limits, counters } = shared
  const node = await createLibp2p<Services>({
    start: false,
    privateKey: options.privateKey,
    nodeInfo: { name: 'mooring', version: '1', userAgent: 'mooring' },
    addresses: { listen: options.listen, announce: options.announce },
    transports: [tcp(tcpOptions(limits))],
    connectionEncrypters: [noise({ crypto: noiseCrypto })],
    streamMuxers: [lazyWindows(yamux(yamuxOptions(limits)))],
    connectionManager: connectionManagerOptions(limits),
    connectionMonitor: { enabled: false },
    connectionGater: createGater(parts.door, shared),
    logger: quietLogger(() => {
      counters.gossipErrors += 1
    }),
    services: {
      identify: identify({ maxMessageSize: 8_192, maxObservedAddresses: 4 }),
      ping: ping(),
      gossip: parts.gossip,
    },
  })
  rememberProtocols(node.peerStore, shared.now)
  return node
}

function tcpOptions(limits: Limits) {
  return {
    maxConnections: limits.connectionsMax,
    backlog: limits.pendingInboundMax,
    inboundSocketInactivityTimeout: INACTIVITY_TIMEOUT_MS,
    outboundSocketInactivityTimeout: INACTIVITY_TIMEOUT_MS,
    dialOpts: { noDelay: true, keepAlive: true },
    listenOpts: { noDelay: true, keepAlive: true },
  }
}

function yamuxOptions(limits: Limits) {
  return {
    maxInboundStreams: limits.streamsMax,
    maxOutboundStreams: limits.streamsMax,
    maxEarlyStreams: 10,
    streamOptions: {
      initialStreamWindowSize: limits.streamWindowBytes,
      maxStreamWindowSize: limits.streamWindowBytesMax,
      maxReadBufferLength: limits.streamReadBufferBytes,
      maxWriteBufferLength: limits.streamWriteBufferBytes,
    },
  }
}

function connectionManagerOptions(limits: Limits) {
  return {
    maxConnections: limits.connectionsMax,
    maxIncomingPendingConnections: limits.pendingInboundMax,
    inboundConnectionThreshold: limits.inboundPerAddressBurst,
    inboundUpgradeTimeout: limits.upgradeTimeoutMs,
    inboundStreamProtocolNegotiationTimeout: limits.streamOpenTimeoutMs,
    outboundStreamProtocolNegotiationTimeout: limits.streamOpenTimeoutMs,
    maxParallelDials: limits.dialsParallelMax,
    maxDialQueueLength: limits.connectionsMax,
    maxPeerAddrsToDial: 8,
    dialTimeout: limits.dialTimeoutMs,
  }
}

function createGater(door: Door, shared: Shared): ConnectionGater {
  const { counters } = shared
  const knocks = new AddressBuckets(shared)
  const pace = new Pace(shared, door.members)
  const prepare = (connection: MultiaddrConnection) => {
    joinPackets(connection)
    pace.watch(connection)
  }
  return {
    denyDialPeer: (peerId) => !door.isMember(peerId.toString()),
    denyInboundConnection(connection) {
      const isDenied = door.isBanned(hostOf(connection)) || !knocks.take(connection)
      if (isDenied) counters.addressesRefused += 1
      return isDenied
    },
    denyInboundEncryptedConnection(peerId, connection) {
      const peer = peerId.toString()
      if (!door.isMember(peer)) {
        counters.strangersRefused += 1
        return true
      }
      const isDenied = !door.admitsInbound(peer)
      if (isDenied) counters.peersRefused += 1
      else prepare(connection)
      return isDenied
    },
    denyOutboundEncryptedConnection(peerId, connection) {
      const peer = peerId.toString()
      const isDenied = !door.isMember(peer) || !door.admitsOutbound(peer)
      if (!isDenied) prepare(connection)
      return isDenied
    },
    filterMultiaddrForPeer: () => false,
  }
}

class AddressBuckets {
  readonly #shared: Shared
  readonly #buckets = new Map<string, TokenBucket>()

  constructor(shared: Shared) {
    this.#shared = shared
  }

  take(connection: MultiaddrConnection): boolean {
    const { limits, now } = this.#shared
    const address = hostOf(connection)
    let bucket = this.#buckets.get(address)
    if (bucket === undefined) {
      if (this.#buckets.size >= ADDRESSES_REMEMBERED) this.#forget()
      bucket = new TokenBucket(
        limits.inboundPerAddressBurst,
        limits.inboundPerAddressPerSecond,
        now(),
      )
      this.#buckets.set(address, bucket)
    }
    return bucket.take(1, now())
  }

  /** Full buckets say nothing; when all are in use, the oldest goes. */
  #forget(): void {
    for (const [address, bucket] of this.#buckets) {
      if (bucket.isFull(this.#shared.now())) this.#buckets.delete(address)
    }
    const [oldest] = this.#buckets.keys()
    if (oldest !== undefined && this.#buckets.size >= ADDRESSES_REMEMBERED) {
      this.#buckets.delete(oldest)
    }
  }
}

function hostOf(connection: MultiaddrConnection): string {
  const components = connection.remoteAddr.getComponents()
  return components.find(({ name }) => name === 'ip4' || name === 'ip6')?.value ?? 'unknown'
}

/** libp2p logs every frame. Here it keeps quiet; what gossipsub could not decode is counted. */
function quietLogger(onGossipError: () => void): ComponentLogger {
  const silent = createLogger(() => undefined)
  const gossip = createLogger((first) => {
    if (first instanceof Error) onGossipError()
  })
  return {
    forComponent: (name) => (name.startsWith('libp2p:gossipsub') ? gossip : silent),
  }
}

function createLogger(write: (first: unknown) => void): Logger {
  const logger: Logger = Object.assign((first: unknown) => write(first), {
    enabled: false,
    trace: () => undefined,
    error: () => undefined,
    newScope: (): Logger => logger,
  })
  return logger
}
