// The composition of this package: transport, supervisor, lanes, requests, gossip.
//
// A peer's way in: the gater asks for its address and its key, the supervisor makes a link, the hello
// decides, and only then are its streams read. Everything that leaves goes over the one link in use.

import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import { peerIdFromPrivateKey, peerIdFromString } from '@libp2p/peer-id'
import { AllowList } from './allow-list.ts'
import { CHANNEL_PROTOCOLS } from './channels.ts'
import { createCounters } from './counters.ts'
import { messageOf, NetworkError } from './errors.ts'
import { encodeFrame, tooLarge } from './frames.ts'
import { Gossip } from './gossip.ts'
import { answerHello, createInstance, HELLO_PROTOCOL, type Hello } from './hello.ts'
import { defaultLimits } from './limits.ts'
import type { Link, Shared } from './link.ts'
import { nameOf } from './neighbour.ts'
import { Requests } from './request.ts'
import { REQUEST_PROTOCOLS, requestTerms } from './request-terms.ts'
import { Supervisor } from './supervisor.ts'
import { createTransport, type Services } from './transport.ts'
import type { Channel, Network, NetworkHandlers, NetworkOptions } from './types.ts'

const CHANNELS: Channel[] = ['urgent', 'bulk']
const STREAMS_PER_CHANNEL = 4
const STREAMS_PER_REQUEST = 8

interface Parts {
  node: Libp2p<Services>
  shared: Shared
  allowList: AllowList
  supervisor: Supervisor
  gossip: Gossip
  requests: Requests
  ownHello: () => Hello
}

export async function startNetwork(
  options: NetworkOptions,
  handlers: NetworkHandlers,
): Promise<Network> {
  const parts = await createParts(options, handlers)
  const { node, supervisor, gossip } = parts
  await registerProtocols(parts)
  node.addEventListener('connection:open', ({ detail }) => supervisor.opened(detail))
  supervisor.refresh()
  try {
    await node.start()
  } catch (error) {
    await node.stop()
    throw listenFailed(options.listen, error)
  }
  gossip.start()
  supervisor.start()
  return createFacade(parts, startClock(parts))
}

async function createParts(options: NetworkOptions, handlers: NetworkHandlers): Promise<Parts> {
  const shared: Shared = {
    limits: { ...defaultLimits, ...options.limits },
    counters: createCounters(),
    handling: { ms: 0 },
    log: options.log,
    now: () => performance.now(),
  }
  const privateKey = await generateKeyPairFromSeed('Ed25519', options.transportSeed)
  const ownPeerId = peerIdFromPrivateKey(privateKey).toString()
  const allowList = new AllowList(ownPeerId, options.members, options.local)
  const instance = createInstance()
  const ownHello = (): Hello => ({
    networkId: options.networkId,
    genesisDigest: options.genesisDigest,
    protocolVersions: [...options.protocolVersions],
    instance,
    height: handlers.status().height,
  })
  const requests = new Requests(shared, (peerId, protocol, payload) =>
    handlers.onRequest(peerId, protocol, payload),
  )
  const gossip: Gossip = new Gossip({
    networkId: options.networkId,
    shared,
    allowList,
    handlers,
    heard: (peerId) => supervisor.linkTo(peerId)?.heard(),
  })
  const supervisor: Supervisor = new Supervisor({
    ownPeerId,
    shared,
    allowList,
    addresses: options.addresses,
    dial: (addresses, signal) => node.dial(addresses, { signal }),
    forget(peerId) {
      requests.forget(peerId)
      gossip.forget(peerId)
      node.peerStore.delete(peerIdFromString(peerId)).catch((error: unknown) => {
        options.log('warn', 'peer not forgotten', { peerId, reason: messageOf(error) })
      })
    },
    ownHello,
    handlers,
    onMessage: (peerId, channel, frame) => handlers.onMessage(peerId, channel, frame),
  })
  const node = await createTransport({ ...options, privateKey }, shared, {
    gossip: gossip.factory,
    door: {
      members: () => allowList.size,
      isBanned: (host) => allowList.hasBanned(host),
      isMember: (peerId) => allowList.has(peerId),
      admitsInbound: (peerId) => supervisor.admitsInbound(peerId),
      admitsOutbound: (peerId) => supervisor.admitsOutbound(peerId),
    },
  })
  return { node, shared, allowList, supervisor, gossip, requests, ownHello }
}

async function registerProtocols(parts: Parts): Promise<void> {
  const { node, supervisor, requests } = parts
  await node.handle(
    HELLO_PROTOCOL,
    (stream, connection) => {
      void meet(parts, stream, connection)
    },
    { maxInboundStreams: 1 },
  )
  for (const channel of CHANNELS) {
    await node.handle(
      CHANNEL_PROTOCOLS[channel],
      (stream, connection) => {
        const link = supervisor.linkOn(connection)
        if (link === undefined) stream.abort(strangeStream())
        else void link.receive(channel, stream)
      },
      { maxInboundStreams: STREAMS_PER_CHANNEL },
    )
  }
  const terms = requestTerms(parts.shared.limits)
  for (const protocol of REQUEST_PROTOCOLS) {
    await node.handle(
      terms[protocol].id,
      (stream, connection) => {
        const link = supervisor.linkOn(connection)
        if (link?.hello == null) stream.abort(strangeStream())
        else void requests.serve(link, protocol, stream)
      },
      { maxInboundStreams: STREAMS_PER_REQUEST },
    )
  }
}

/** Answers the hello of a peer that dialled us. */
async function meet(parts: Parts, stream: Stream, connection: Connection): Promise<void> {
  const { supervisor, shared, ownHello } = parts
  const { limits } = shared
  const link = supervisor.linkOn(connection)
  if (link === undefined || link.hello !== null || connection.direction === 'outbound') {
    stream.abort(strangeStream())
    return
  }
  const signal = AbortSignal.timeout(limits.helloTimeoutMs)
  let hello: Hello
  try {
    hello = await answerHello(stream, ownHello(), { limits, signal })
  } catch (error) {
    const message = `no hello: ${messageOf(error)}`
    const malformed = new NetworkError('hello_malformed', message, {}, { cause: error })
    supervisor.refuse(link, error instanceof NetworkError ? error : malformed)
    return
  }
  supervisor.greeted(link, hello)
}

function strangeStream(): NetworkError {
  return new NetworkError('refused', 'no stream before the hello')
}

function listenFailed(listen: string[], cause: unknown): NetworkError {
  const addresses = listen.join(', ')
  const message = `cannot listen on ${addresses}: ${messageOf(cause)}`
  return new NetworkError('listen_failed', message, { addresses }, { cause })
}

/** One clock for keep-alives, silences, pings and repairs. It knows when it was itself late. */
function startClock(parts: Parts): NodeJS.Timeout {
  const { node, shared, supervisor, gossip } = parts
  const { limits, now } = shared
  let last = now()
  return setInterval(() => {
    const isLate = now() - last > limits.keepAliveMs * 2
    last = now()
    supervisor.tick(isLate)
    const links = supervisor.activeLinks()
    gossip.repair(links, (connection) => node.services.identify.identify(connection))
    for (const link of links) {
      if (now() - link.pingedAt >= limits.pingIntervalMs) void ping(parts, link)
    }
  }, limits.keepAliveMs)
}

async function ping(parts: Parts, link: Link): Promise<void> {
  try {
    await measure(parts, link)
  } catch (error) {
    const fields = { peer: link.member.name, reason: messageOf(error) }
    parts.shared.log('debug', 'no pong', fields)
  }
}

async function measure({ node, shared }: Parts, link: Link): Promise<void> {
  const { limits, now } = shared
  link.pingedAt = now()
  const signal = AbortSignal.timeout(limits.pingTimeoutMs)
  try {
    link.rttMs = await node.services.ping.ping(link.connection.remotePeer, { signal })
  } catch (error) {
    const message = `no pong from ${nameOf(link.member)}: ${messageOf(error)}`
    throw new NetworkError('timeout', message, { peer: link.member.peerId }, { cause: error })
  }
  link.heard()
}

function notConnected(peerId: string): NetworkError {
  return new NetworkError('not_connected', `${peerId} is not connected`)
}

function createFacade(parts: Parts, clock: NodeJS.Timeout): Network {
  const { node, shared, allowList, supervisor, gossip, requests } = parts
  const { limits, counters } = shared
  const bytesMax = { urgent: limits.urgentFrameBytesMax, bulk: limits.bulkFrameBytesMax }
  const framed = (channel: Channel, frame: Uint8Array) => {
    if (frame.length > bytesMax[channel]) throw tooLarge(frame.length, bytesMax[channel])
    return encodeFrame(frame)
  }
  return {
    peerId: node.peerId.toString(),
    addresses: () => node.getMultiaddrs().map(String),
    send: (peerId, channel, frame) =>
      supervisor.linkTo(peerId)?.send(channel, framed(channel, frame)) ?? false,
    speaks: (peerId, version) =>
      supervisor.linkTo(peerId)?.hello?.protocolVersions.includes(version) ?? false,
    broadcast(channel, frame) {
      const bytes = framed(channel, frame)
      const links = supervisor
        .activeLinks()
        .filter((link) => allowList.isAuthority(link.member.peerId))
      return links.filter((link) => link.send(channel, bytes)).length
    },
    publishTransactions: (batch) => gossip.publish(gossip.transactionsTopic, batch),
    publishHeader: (header) => gossip.publish(gossip.headersTopic, header),
    async request(peerId, protocol, payload, { timeoutMs }) {
      const link = supervisor.linkTo(peerId)
      if (link === null) throw notConnected(peerId)
      return await requests.request(link, protocol, payload, timeoutMs)
    },
    disconnect: (peerId, reason) => supervisor.disconnect(peerId, reason),
    hangUp: (peerId, reason) => supervisor.hangUp(peerId, reason),
    connect: (peerId) => supervisor.connect(peerId),
    async ping(peerId) {
      const link = supervisor.linkTo(peerId)
      if (link === null) throw notConnected(peerId)
      await measure(parts, link)
      return link.rttMs ?? 0
    },
    peers: () => supervisor.peers().map((peer) => ({ ...peer, gossipScore: gossip.scoreOf(peer) })),
    refresh: () => supervisor.refresh(),
    stats: () => ({
      ...counters,
      connections: node.getConnections().length,
      mesh: gossip.mesh(),
      queuedBytes: supervisor.activeLinks().reduce((sum, link) => sum + link.queuedBytes, 0),
    }),
    sayGoodbye: () => supervisor.sayGoodbye(),
    async close() {
      clearInterval(clock)
      supervisor.close()
      await node.stop()
    },
  }
}
