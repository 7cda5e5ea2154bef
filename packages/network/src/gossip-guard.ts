// What stands between gossipsub and the peers: budgets of bytes and of messages for each of them.
//
// gossipsub reads on after an RPC that it could not decode, so that one costs its sender many times its size.
// Here are also the parts of gossipsub 17.1.1 that its exported type leaves out, and that all of this hooks into.

import type { GossipSub, gossipsub } from '@libp2p/gossipsub'
import type { Connection, PeerId, Stream, StreamHandler } from '@libp2p/interface'
import type { Shared } from './link.ts'
import { TokenBucket } from './token-bucket.ts'
import { Valve } from './valve.ts'

export type GossipComponents = Parameters<ReturnType<typeof gossipsub>>[0]

interface PublishOptions {
  floodPublish: boolean
  batchPublish: boolean
  allowPublishToZeroTopicPeers: boolean
}

interface RpcBytes {
  subarray(): Uint8Array
}

export interface GossipRouter extends GossipSub {
  readonly streamsOutbound: Map<string, unknown>
  readonly mesh: Map<string, Set<string>>
  getScore(peerId: string): number
  handleReceivedRpc(from: PeerId, rpc: { messages: unknown[] }): Promise<void>
  pipePeerReadStream(from: PeerId, source: AsyncIterable<RpcBytes>): Promise<void>
  decodeRpc(bytes: Uint8Array): unknown
  publish(
    topic: string,
    data: Uint8Array,
    options?: PublishOptions,
  ): Promise<{ recipients: PeerId[] }>
}

export type GossipFactory = (components: GossipComponents) => GossipRouter

export class GossipGuard {
  readonly #shared: Shared
  readonly #isCandidate: (peerId: string) => boolean
  readonly #messageBudgets = new Map<string, TokenBucket>()
  readonly #byteBudgets = new Map<string, TokenBucket>()

  constructor(shared: Shared, isCandidate: (peerId: string) => boolean) {
    this.#shared = shared
    this.#isCandidate = isCandidate
  }

  forget(peerId: string): void {
    this.#messageBudgets.delete(peerId)
    this.#byteBudgets.delete(peerId)
  }

  /** Before gossipsub has anything: messages that are too many, and bytes that are none. */
  guard(router: GossipRouter): void {
    this.#guardRpcs(router)
    this.#guardDecoding(router)
  }

  #guardRpcs(router: GossipRouter): void {
    const { limits, counters, now } = this.#shared
    const perSecond = limits.gossipMessagesPerSecond
    const handle = router.handleReceivedRpc.bind(router)
    router.handleReceivedRpc = (from, rpc) => {
      const budget = bucketOf(this.#messageBudgets, from.toString(), () => {
        return new TokenBucket(perSecond * limits.burstSeconds, perSecond, now())
      })
      const count = rpc.messages.length
      const taken = budget.takeUpTo(count, now())
      counters.gossipOffered += taken
      if (taken < count) {
        counters.gossipOverBudget += count - taken
        rpc.messages = rpc.messages.slice(0, taken)
      }
      // Before gossipsub has seen them: what it has seen once it does not take from a member either.
      if (this.#isCandidate(from.toString())) {
        counters.gossipIgnored += taken
        rpc.messages = []
      }
      return handle(from, rpc)
    }
  }

  /** It reads on after what it could not decode: that has to cost whoever sent it more than it costs us. */
  #guardDecoding(router: GossipRouter): void {
    const { limits, now } = this.#shared
    const senders = new WeakMap<Uint8Array, string>()
    const read = router.pipePeerReadStream.bind(router)
    router.pipePeerReadStream = (from, source) => read(from, named(source, from, senders))
    const decode = router.decodeRpc.bind(router)
    router.decodeRpc = (bytes) => {
      try {
        return decode(bytes)
      } catch (error) {
        const budget = this.#byteBudgets.get(senders.get(bytes) ?? '')
        budget?.spend(bytes.length * limits.gossipUndecodableFactor, now())
        throw error
      }
    }
  }

  /** gossipsub registers its own stream handlers; ours looks at every inbound stream first. */
  guardRegistrar(components: GossipComponents): GossipComponents['registrar'] {
    const { registrar } = components
    const handle: typeof registrar.handle = (protocol, handler, options) => {
      const watched: StreamHandler = (stream, connection) => {
        this.#watch(stream, connection)
        return handler(stream, connection)
      }
      return registrar.handle(protocol, watched, options)
    }
    return new Proxy(registrar, {
      get: (target, name): unknown => (name === 'handle' ? handle : Reflect.get(target, name)),
    })
  }

  #watch(stream: Stream, connection: Connection): void {
    const { limits, counters, now } = this.#shared
    const perSecond = limits.gossipBytesPerSecond
    const budget = bucketOf(this.#byteBudgets, connection.remotePeer.toString(), () => {
      return new TokenBucket(perSecond * limits.burstSeconds, perSecond, now())
    })
    const valve = new Valve(stream)
    stream.addEventListener('message', (event) => {
      const cost = event.data.byteLength + limits.frameOverheadBytes
      const waitMs = budget.spend(cost, now())
      if (waitMs === 0) return
      counters.gossipPauses += 1
      valve.pauseFor(waitMs)
    })
  }
}

/** Who sent which bytes, for whoever decodes them. */
async function* named(
  source: AsyncIterable<RpcBytes>,
  from: PeerId,
  senders: WeakMap<Uint8Array, string>,
): AsyncGenerator<RpcBytes> {
  for await (const piece of source) {
    const bytes = piece.subarray()
    senders.set(bytes, from.toString())
    yield { subarray: () => bytes }
  }
}

export function isGossipRouter(router: GossipSub): router is GossipRouter {
  return (
    'pipePeerReadStream' in router &&
    'decodeRpc' in router &&
    'handleReceivedRpc' in router &&
    typeof router.handleReceivedRpc === 'function' &&
    'streamsOutbound' in router &&
    router.streamsOutbound instanceof Map
  )
}

function bucketOf(
  buckets: Map<string, TokenBucket>,
  peerId: string,
  create: () => TokenBucket,
): TokenBucket {
  const known = buckets.get(peerId)
  if (known !== undefined) return known
  const created = create()
  buckets.set(peerId, created)
  return created
}
