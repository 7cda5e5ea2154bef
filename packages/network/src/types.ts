// What a caller of this package passes in and gets back.

import type { NetworkError } from './errors.ts'
import type { Counters } from './counters.ts'
import type { Limits } from './limits.ts'

export type MonotonicMs = number

export type Channel = 'urgent' | 'bulk'

export type RequestProtocol = 'blocks' | 'certificates' | 'snapshot' | 'records' | 'clock' | 'reach'

export type Acceptance = 'accept' | 'ignore' | 'reject'

export type Level = 'debug' | 'info' | 'warn' | 'error'

export type Log = (
  level: Level,
  sentence: string,
  fields: Record<string, string | number | boolean>,
) => void

export interface Member {
  peerId: string
  name: string
  authority: boolean
  /** It may connect and ask, and is no member yet: nothing that it gossips is taken or handed on. */
  isCandidate?: boolean
}

/** What this node alone decides, beside the membership; read again at every `refresh`. */
export interface LocalList {
  /** Peer ids that may connect although they are no members. */
  allowed: readonly string[]
  /** Peer ids that may not, members or not. */
  banned: readonly string[]
  /** Addresses of computers from which nobody may, such as 203.0.113.7. */
  bannedHosts: readonly string[]
}

export interface PeerHello {
  networkId: string
  genesisDigest: Uint8Array
  protocolVersions: number[]
  instance: Uint8Array
  height: number
}

export type GossipTopic = 'transactions' | 'headers'

export interface NetworkOptions {
  listen: string[]
  announce: string[]
  transportSeed: Uint8Array
  networkId: string
  genesisDigest: Uint8Array
  /** What this node reads; who shares none of them is not talked to. */
  protocolVersions: readonly number[]
  members: () => Member[]
  addresses: (peerId: string) => string[]
  local?: () => LocalList
  limits?: Partial<Limits>
  log: Log
}

export interface NetworkHandlers {
  /** Frames, batches and headers are the handler's own: nobody else holds their bytes. */
  onMessage(peerId: string, channel: Channel, frame: Uint8Array): void
  onTransactions(peerId: string, batch: Uint8Array): Acceptance | Promise<Acceptance>
  /** Final headers; without this handler the node does not subscribe to them. */
  onHeader?(peerId: string, header: Uint8Array): Acceptance | Promise<Acceptance>
  onRequest(peerId: string, protocol: RequestProtocol, payload: Uint8Array): Promise<Uint8Array>
  onPeer(peerId: string, event: 'connected' | 'disconnected', reason?: string): void
  onHello?(peerId: string, hello: PeerHello): void
  /** A message of gossip was judged, which took so long. */
  onJudged?(topic: GossipTopic, verdict: Acceptance, ms: number): void
  status(): { height: number }
}

export interface PeerInfo {
  peerId: string
  name: string
  authority: boolean
  connected: boolean
  /** Monotonic time of the last inbound frame, answer or pong; 0 before the first. */
  lastHeard: MonotonicMs
  rttMs: number | null
  direction: 'inbound' | 'outbound' | null
  height: number | null
  lastError: NetworkError | null
  /** Pause before it is dialled again; 0 while it is connected or being dialled. */
  redialMs?: number
  /** What gossip thinks of it, without what an authority has for being one. */
  gossipScore?: number
}

export interface NetworkStats extends Counters {
  connections: number
  queuedBytes: number
  /** Peers that pass the gossip of a topic on to us. */
  mesh: Record<GossipTopic, number>
}

export interface Network {
  readonly peerId: string
  addresses(): string[]
  /** False when the peer is not connected; a full queue drops its oldest frames and counts them. */
  send(peerId: string, channel: Channel, frame: Uint8Array): boolean
  /** Whether the peer is connected and has said that it reads this version of what members say to each other. */
  speaks(peerId: string, version: number): boolean
  /** To every connected authority; the answer is how many that were. */
  broadcast(channel: Channel, frame: Uint8Array): number
  /** The answer is how many peers it went to. */
  publishTransactions(batch: Uint8Array): Promise<number>
  publishHeader(header: Uint8Array): Promise<number>
  request(
    peerId: string,
    protocol: RequestProtocol,
    payload: Uint8Array,
    options: { timeoutMs: number },
  ): Promise<Uint8Array>
  /** For a peer whose frames are provably bad: cuts the connection, and dials again after a pause. */
  disconnect(peerId: string, reason: string): void
  /** Closes the connection without a charge; it is made again as one that was lost. */
  hangUp(peerId: string, reason: string): void
  /** Dials at once, whatever the pace says. @throws NetworkError when nothing comes of it */
  connect(peerId: string): Promise<void>
  /** Milliseconds of one round trip. @throws NetworkError */
  ping(peerId: string): Promise<number>
  peers(): PeerInfo[]
  /** The membership or the local list changed: removed members go at once, new ones are dialled. */
  refresh(): void
  stats(): NetworkStats
  /** Lets go of every peer at once and lets none in: each learns it now, not by our silence. */
  sayGoodbye(): void
  close(): Promise<void>
}
