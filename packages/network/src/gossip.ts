// Gossip: transactions in batches, and final headers with their certificates.
//
// Messages carry no signature of their own: who hands one over is known from the connection, and what
// is in it is signed already. (A signature for each message would be checked before its size, and cost
// more than everything else here together.) A message is named by the hash of its bytes, which start
// with a random tag, so that the same transactions can be offered again. A tag with four zeros in front says that its
// sender has sent the message to every member itself: nobody hands it on, for nobody is left who lacks it.
//
// Two budgets stand in front of gossipsub: bytes per stream (the stream pauses) and messages per peer
// (the rest of an RPC is dropped; it may come again). Then: size, messages in flight, and last the
// handler, whose answer is the verdict.
//
// Scores are kept for observers. An authority's score has a floor far above every threshold: cutting
// an authority off would turn a nuisance into a partition, so misbehaviour is counted and alarmed.
//
// gossipsub does not notice when one of two connections to a peer goes away and may stay without a
// stream or without the peer's subscriptions. `repair` finds such peers and lets both sides start
// over, on the same connection.

import { createHash, randomBytes } from 'node:crypto'
import { gossipsub, type Message, TopicValidatorResult } from '@libp2p/gossipsub'
import type { Connection, PeerId } from '@libp2p/interface'
import type { AllowList } from './allow-list.ts'
import { messageOf, NetworkError } from './errors.ts'
import {
  type GossipComponents,
  type GossipFactory,
  GossipGuard,
  type GossipRouter,
  isGossipRouter,
} from './gossip-guard.ts'
import type { Limits } from './limits.ts'
import type { Link, Shared } from './link.ts'
import type {
  Acceptance,
  GossipTopic,
  MonotonicMs,
  NetworkHandlers,
  NetworkOptions,
} from './types.ts'

const AUTHORITY_SCORE = 1e12
const PROTOCOL_PREFIX = '/meshsub/'
const TAG_BYTES = 8
const SENT_TO_ALL = new Uint8Array(4)

export interface GossipParts {
  networkId: NetworkOptions['networkId']
  shared: Shared
  allowList: AllowList
  handlers: Pick<NetworkHandlers, 'onTransactions' | 'onHeader' | 'onJudged'>
  heard: (peerId: string) => void
}

interface Repair {
  at: MonotonicMs
  waitMs: number
}

export class Gossip {
  readonly transactionsTopic: string
  readonly headersTopic: string
  readonly #parts: GossipParts
  readonly #guard: GossipGuard
  readonly #repairs = new Map<string, Repair>()
  #router: GossipRouter | null = null
  #validations = 0

  constructor(parts: GossipParts) {
    this.#parts = parts
    this.#guard = new GossipGuard(parts.shared, (peerId) => parts.allowList.isCandidate(peerId))
    this.transactionsTopic = `${parts.networkId}/transactions`
    this.headersTopic = `${parts.networkId}/headers`
  }

  get factory(): GossipFactory {
    return (components) => {
      const guarded = { ...pick(components), registrar: this.#guard.guardRegistrar(components) }
      const router = gossipsub(this.#routerOptions())(guarded)
      if (!isGossipRouter(router)) throw new TypeError('this gossipsub is not the one we guard')
      this.#guard.guard(router)
      this.#router = router
      return router
    }
  }

  start(): void {
    const { onTransactions, onHeader } = this.#parts.handlers
    this.#follow('transactions', onTransactions)
    if (onHeader !== undefined) this.#follow('headers', onHeader)
  }

  mesh(): Record<GossipTopic, number> {
    const mesh = this.#router?.mesh
    const peersOf = (topic: string): number => mesh?.get(topic)?.size ?? 0
    return {
      transactions: peersOf(this.transactionsTopic),
      headers: peersOf(this.headersTopic),
    }
  }

  scoreOf({ peerId, authority }: { peerId: string; authority: boolean }): number {
    const score = this.#router?.getScore(peerId) ?? 0
    return authority && score !== 0 ? score - AUTHORITY_SCORE : score
  }

  async publish(topic: string, data: Uint8Array): Promise<number> {
    const { limits, counters } = this.#parts.shared
    const { gossipMessageBytesMax: bytesMax } = limits
    if (data.length > bytesMax) {
      const message = `a gossip message of ${data.length} bytes, at most ${bytesMax}`
      throw new NetworkError('too_large', message, { bytes: data.length, bytesMax })
    }
    const floodPublish = isSentToAll(data.length, this.#parts.allowList.size, limits)
    const mark = floodPublish && this.#isHeardByAll(topic) ? SENT_TO_ALL : new Uint8Array(0)
    const tagged = Buffer.concat([mark, randomBytes(TAG_BYTES - mark.length), data])
    const { recipients } = await this.#started().publish(topic, tagged, {
      floodPublish,
      batchPublish: true,
      allowPublishToZeroTopicPeers: true,
    })
    counters.gossipPublished += 1
    if (recipients.length === 0) counters.gossipPublishedToNobody += 1
    return recipients.length
  }

  /** Whether every member is connected with us and has subscribed. */
  #isHeardByAll(topic: string): boolean {
    const subscribers = new Set(this.#started().getSubscribers(topic).map(String))
    return this.#parts.allowList.members().every((peerId) => subscribers.has(peerId))
  }

  /** Peers that are linked but unknown to gossipsub start over; the wait doubles while it is in vain. */
  repair(links: Link[], identify: (connection: Connection) => Promise<unknown>): void {
    const { shared } = this.#parts
    const subscribers = new Set(this.#started().getSubscribers(this.transactionsTopic).map(String))
    for (const link of links) {
      const { peerId } = link.member
      const isWell = this.#started().streamsOutbound.has(peerId) && subscribers.has(peerId)
      if (isWell) this.#repairs.delete(peerId)
      else if (this.#isDue(link)) this.#startOver(link, identify, shared)
    }
  }

  forget(peerId: string): void {
    this.#guard.forget(peerId)
    this.#repairs.delete(peerId)
  }

  #isDue(link: Link): boolean {
    const { limits, now } = this.#parts.shared
    const { peerId } = link.member
    const last = this.#repairs.get(peerId)
    const since = Math.max(last?.at ?? 0, link.openedAt)
    const waitMs = last?.waitMs ?? limits.gossipRepairAfterMs
    if (now() - since < waitMs) return false
    this.#repairs.set(peerId, {
      at: now(),
      waitMs: Math.min(waitMs * 2, limits.gossipRepairMaxMs),
    })
    return true
  }

  #startOver(
    link: Link,
    identify: (connection: Connection) => Promise<unknown>,
    shared: Shared,
  ): void {
    shared.counters.gossipRepairs += 1
    for (const stream of link.connection.streams) {
      if (stream.protocol.startsWith(PROTOCOL_PREFIX)) stream.abort(new Error('gossip starts over'))
    }
    identify(link.connection).catch((error: unknown) => {
      const fields = { peer: link.member.name, reason: messageOf(error) }
      shared.log('debug', 'gossip not repaired', fields)
    })
  }

  #started(): GossipRouter {
    if (this.#router === null) throw new NetworkError('closed', 'gossip has not started')
    return this.#router
  }

  #routerOptions() {
    const { shared, allowList } = this.#parts
    const { limits } = shared
    return {
      ...meshOptions(allowList.size, limits),
      globalSignaturePolicy: 'StrictNoSign' as const,
      fallbackToFloodsub: false,
      floodPublish: true,
      doPX: false,
      allowedTopics: [this.transactionsTopic, this.headersTopic],
      maxInboundDataLength: limits.gossipRpcBytesMax,
      maxOutboundBufferSize: limits.streamWriteBufferBytes,
      maxInboundStreams: 2,
      maxOutboundStreams: 2,
      maxTopicBytesPerPeer: 4_096,
      seenTTL: limits.gossipSeenMs,
      msgIdFn: ({ data }: Message) => createHash('sha256').update(data).digest(),
      decodeRpcLimits: {
        maxSubscriptions: 16,
        maxMessages: 256,
        maxIhaveMessageIDs: 1_000,
        maxIwantMessageIDs: 1_000,
        maxIdontwantMessageIDs: 256,
        maxControlMessages: 64,
        maxPeerInfos: 0,
      },
      scoreParams: {
        appSpecificScore: (peer: string) => appScore(allowList, peer),
        appSpecificWeight: 1,
        IPColocationFactorWeight: 0,
        topics: {
          [this.transactionsTopic]: SCORE_INVALID_ONLY,
          [this.headersTopic]: SCORE_INVALID_ONLY,
        },
      },
    }
  }

  #follow(name: GossipTopic, handler: NetworkHandlers['onTransactions']): void {
    const router = this.#started()
    const topic = name === 'transactions' ? this.transactionsTopic : this.headersTopic
    router.topicValidators.set(topic, async (peer, message) => {
      const { now } = this.#parts.shared
      const began = now()
      const verdict = await this.#validate(peer, message, handler)
      this.#parts.handlers.onJudged?.(name, ACCEPTANCE[verdict], now() - began)
      const isForNobodyElse = verdict === TopicValidatorResult.Accept && wasSentToAll(message)
      return isForNobodyElse ? TopicValidatorResult.Ignore : verdict
    })
    router.subscribe(topic)
  }

  async #validate(
    peer: PeerId,
    message: Message,
    handler: NetworkHandlers['onTransactions'],
  ): Promise<TopicValidatorResult> {
    const { limits, counters } = this.#parts.shared
    counters.gossipReceived += 1
    this.#parts.heard(peer.toString())
    const bytes = message.data.length - TAG_BYTES
    if (bytes < 0 || bytes > limits.gossipMessageBytesMax) {
      counters.gossipRejected += 1
      return TopicValidatorResult.Reject
    }
    if (this.#validations >= limits.gossipValidationsMax) {
      counters.gossipOverBudget += 1
      return TopicValidatorResult.Ignore
    }
    this.#validations += 1
    try {
      return this.#verdict(
        await handler(peer.toString(), new Uint8Array(message.data.subarray(TAG_BYTES))),
      )
    } finally {
      this.#validations -= 1
    }
  }

  #verdict(acceptance: Acceptance): TopicValidatorResult {
    const { counters } = this.#parts.shared
    if (acceptance === 'accept') {
      counters.gossipAccepted += 1
      return TopicValidatorResult.Accept
    }
    if (acceptance === 'ignore') {
      counters.gossipIgnored += 1
      return TopicValidatorResult.Ignore
    }
    counters.gossipRejected += 1
    return TopicValidatorResult.Reject
  }
}

const ACCEPTANCE: Record<TopicValidatorResult, Acceptance> = {
  [TopicValidatorResult.Accept]: 'accept',
  [TopicValidatorResult.Ignore]: 'ignore',
  [TopicValidatorResult.Reject]: 'reject',
}

function wasSentToAll({ data }: Message): boolean {
  return SENT_TO_ALL.every((byte, at) => data[at] === byte)
}

/** Below nothing a peer is in no mesh: a candidate takes no member's place there. */
function appScore(allowList: AllowList, peer: string): number {
  if (allowList.isAuthority(peer)) return AUTHORITY_SCORE
  return allowList.isCandidate(peer) ? -1 : 0
}

const SCORE_INVALID_ONLY = {
  topicWeight: 1,
  timeInMeshWeight: 0,
  timeInMeshQuantum: 1,
  timeInMeshCap: 1,
  firstMessageDeliveriesWeight: 0,
  firstMessageDeliveriesDecay: 0.5,
  firstMessageDeliveriesCap: 1,
  meshMessageDeliveriesWeight: 0,
  meshMessageDeliveriesDecay: 0.5,
  meshMessageDeliveriesCap: 1,
  meshMessageDeliveriesThreshold: 1,
  meshMessageDeliveriesWindow: 10,
  meshMessageDeliveriesActivation: 5_000,
  meshFailurePenaltyWeight: 0,
  meshFailurePenaltyDecay: 0.5,
  invalidMessageDeliveriesWeight: -10,
  invalidMessageDeliveriesDecay: 0.9,
}

/**
 * Whether a message of our own goes to every member at once. In a large network what is small does: each hop of the
 * mesh costs the delay of a link, and somebody may be waiting. Of a busy node's batches the mesh carries a few copies.
 */
export function isSentToAll(bytes: number, members: number, limits: Limits): boolean {
  return members <= limits.gossipFloodMembersMax || members * bytes <= limits.gossipFloodBytesMax
}

/** What a small network floods needs little forwarding, and no notes about what not to send. */
function meshOptions(members: number, limits: Limits) {
  const isFlooded = members <= limits.gossipFloodMembersMax
  const D = isFlooded ? 2 : members <= 30 ? 4 : 6
  return {
    D,
    Dlo: D - 1,
    Dhi: 3 * D,
    Dscore: D,
    Dlazy: 3,
    Dout: isFlooded ? 0 : 1,
    idontwantMinDataSize: isFlooded ? limits.gossipRpcBytesMax : limits.gossipAnnounceBytes,
  }
}

function pick(components: GossipComponents): GossipComponents {
  const { privateKey, peerId, peerStore, registrar, connectionManager, logger } = components
  return { privateKey, peerId, peerStore, registrar, connectionManager, logger }
}
