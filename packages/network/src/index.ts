export { NetworkError, type NetworkErrorCode } from './errors.ts'
export { defaultLimits, type Limits } from './limits.ts'
export { startNetwork } from './network.ts'
export { TokenBucket } from './token-bucket.ts'
export type {
  Acceptance,
  Channel,
  GossipTopic,
  Level,
  LocalList,
  Log,
  Member,
  MonotonicMs,
  Network,
  NetworkHandlers,
  NetworkOptions,
  NetworkStats,
  PeerHello,
  PeerInfo,
  RequestProtocol,
} from './types.ts'
