// Every number of this package, with its unit: what a peer may cost us, and how long we wait.
//
// The rule behind them: a member may be hostile, up to a third of them at once, and a stranger always
// is. So whatever a peer can make us hold is bounded in bytes, whatever it can make us do is bounded
// by a bucket, and an honest peer under full load stays far below both. A bucket that runs dry slows
// the stream down (the sender feels it through flow control) and never cuts a member off.

const KIB = 1024
const MIB = 1024 * KIB

export const defaultLimits = {
  // connections: a full mesh of 100 authorities, twice while both sides dial, and some room
  connectionsMax: 256,
  pendingInboundMax: 64,
  dialsParallelMax: 32,
  dialTimeoutMs: 5_000,
  upgradeTimeoutMs: 5_000,
  inboundPerAddressBurst: 64,
  inboundPerAddressPerSecond: 8,
  inboundPerPeerBurst: 20,
  inboundPerPeerPerSecond: 1,

  // redial: the first retries come fast, for a neighbour that only restarts; then for ever, rarely where
  // somebody answers and refuses, often where nobody does: that path may be back at any moment
  fastRetries: 8,
  fastRetryMs: 250,
  backoffMinMs: 1_000,
  backoffMaxMs: 30_000,
  unansweredMaxMs: 2_000,
  secondDiallerDelayMs: 150,
  dialPreferenceMs: 1_000,
  stableAfterMs: 10_000,
  earlyCloseMs: 2_000,
  goodbyeMs: 2_000,

  // liveness
  helloTimeoutMs: 5_000,
  helloBytesMax: KIB,
  keepAliveMs: 1_000,
  aliveWithinMs: 2_500,
  silentAfterMs: 5_000,
  pingIntervalMs: 10_000,
  pingTimeoutMs: 5_000,

  // channels
  urgentFrameBytesMax: 256 * KIB,
  bulkFrameBytesMax: 8 * MIB,
  urgentQueueBytesMax: 4 * MIB,
  bulkQueueBytesMax: 32 * MIB,
  urgentBytesPerSecond: 8 * MIB,
  bulkBytesPerSecond: 32 * MIB,
  burstSeconds: 2,
  frameOverheadBytes: 512,
  writeBytesMax: 65_000,
  reopenDelayMs: 100,
  reopenDelayMaxMs: 5_000,
  streamOpenTimeoutMs: 5_000,
  streamsOpenedBurst: 32,
  streamsOpenedPerSecond: 2,
  violationsBurst: 3,
  violationsPerSecond: 0.05,

  // processing time: when all peers together take more of a core than this, those over their own
  // allowance (some even parts, never more than the bound) are not read for a moment
  peersTimeMsPerSecond: 800,
  peersTimeBurstMs: 400,
  peerTimeEvenParts: 4,
  peerTimeMsPerSecondMax: 400,
  peerTimeBurstMs: 200,
  connectionPauseMaxMs: 100,
  connectionTurnMs: 15,

  // muxer: the receive window is what a bulk transfer may have in flight ahead of an urgent frame
  streamsMax: 64,
  streamWindowBytes: 256 * KIB,
  streamWindowBytesMax: MIB,
  streamReadBufferBytes: 2 * MIB,
  streamWriteBufferBytes: 8 * MIB,

  // requests
  requestBytesMax: 64 * KIB,
  responseBytesMax: 9 * MIB,
  requestsPerPeer: 2,
  requestsWaitingMax: 64,
  requestServeTimeoutMs: 10_000,
  responseBytesPerSecond: 16 * MIB,
  // what finding an answer may cost us, however short it is
  requestOverheadBytes: 64 * KIB,

  // requests for records: their own sizes, places and budget, so that they crowd out nothing else
  recordsRequestBytesMax: 5 * MIB,
  recordsResponseBytesMax: 5 * MIB,
  recordsPerPeer: 4,
  recordsPlacesMax: 24,
  recordsServeTimeoutMs: 30_000,
  recordsBytesPerSecond: 64 * MIB,
  recordsOverheadBytes: 32 * KIB,
  // a stream that nothing is asked on is ended by who asks, or later by who answers
  idleAskerMs: 10_000,
  idleAnswererMs: 20_000,

  // gossip
  gossipMessageBytesMax: 64 * KIB,
  gossipRpcBytesMax: MIB,
  gossipBytesPerSecond: 8 * MIB,
  gossipMessagesPerSecond: 2_000,
  // what cannot be decoded costs its sender so many times its size
  gossipUndecodableFactor: 16,
  gossipValidationsMax: 256,
  gossipSeenMs: 60_000,
  gossipFloodMembersMax: 16,
  // a message that costs no more than this to all members together goes to each of them at once, not hop by hop
  gossipFloodBytesMax: 64 * KIB,
  gossipAnnounceBytes: 16 * KIB,
  gossipRepairAfterMs: 3_000,
  gossipRepairMaxMs: 60_000,
}

export type Limits = typeof defaultLimits
