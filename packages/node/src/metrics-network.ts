// What is measured of connections with other members, and of gossip. Only members have names; whoever
// else comes is counted by what became of him.

import { type Declaration, SHORT_SECONDS } from './metrics-declaration.ts'

export const declareNetwork = (to: Declaration) => ({
  p2pPeers: to.gauge('p2p_peers', 'Connected peers.', ['kind', 'direction']),
  p2pPeerUp: to.gauge('p2p_peer_up', '1 while the member is connected.', ['peer']),
  p2pPeerRtt: to.gauge('p2p_peer_rtt_seconds', 'Round trip to a member.', ['peer']),
  p2pPeerClockSkew: to.gauge(
    'p2p_peer_clock_skew_seconds',
    'Clock of a member minus ours, within half a round trip.',
    ['peer'],
  ),
  p2pDials: to.counter('p2p_dials_total', 'Dials by result.', ['result']),
  p2pDisconnects: to.counter('p2p_disconnects_total', 'Lost connections.', ['reason']),
  p2pDenied: to.counter('p2p_denied_total', 'Connections refused.', ['stage', 'reason']),
  p2pReconnectBackoff: to.gauge(
    'p2p_reconnect_backoff_seconds',
    'Pause before a member that is away is dialled again; 0 while it is connected.',
    ['peer'],
  ),
  p2pBytes: to.counter('p2p_bytes_total', 'Bytes sent and received.', ['direction', 'protocol']),
  gossipMessages: to.counter('gossip_messages_total', 'Gossip by what became of it.', [
    'topic',
    'result',
  ]),
  gossipMeshPeers: to.gauge('gossip_mesh_peers', 'Peers that pass gossip on to us.', ['topic']),
  gossipValidation: to.histogram(
    'gossip_validation_seconds',
    'Time to judge one message of gossip.',
    SHORT_SECONDS,
    ['topic'],
  ),
  gossipScore: to.gauge('gossip_score', 'What gossip thinks of a member; below 0 it misbehaved.', [
    'peer',
  ]),
})
