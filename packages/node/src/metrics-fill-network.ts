// Fills what is measured of connections, gossip and the clocks of others, right before a scrape.

import type { NetworkStats, PeerInfo } from '@mooring/network'
import type { Metrics } from './metrics.ts'
import type { NodeParts } from './node-parts.ts'

/** A counter elsewhere that only grows, brought into one of ours, which begins at 0. */
export class Totals {
  readonly #seen = new Map<string, number>()

  add(name: string, total: number, inc: (by: number) => void): void {
    const before = this.#seen.get(name)
    const by = Math.max(0, total - (before ?? 0))
    if (by === 0 && before !== undefined) return
    this.#seen.set(name, (before ?? 0) + by)
    inc(by)
  }
}

/** Only members have names; whoever is let in by a local list is counted, and is no label. */
export function fillPeers(parts: Pick<NodeParts, 'network' | 'members' | 'clocks'>, to: Metrics) {
  const { network, members, clocks } = parts
  for (const gauge of [
    to.p2pPeers,
    to.p2pPeerUp,
    to.p2pPeerRtt,
    to.p2pPeerClockSkew,
    to.p2pReconnectBackoff,
    to.gossipScore,
  ])
    gauge.reset()
  // Nobody connected is a figure too, or no alert could compare it.
  for (const kind of ['authority', 'observer'])
    for (const direction of ['inbound', 'outbound']) to.p2pPeers.set({ kind, direction }, 0)
  for (const peer of network.peers()) {
    const { peerId, authority, connected, direction } = peer
    const isMember = members.hasPeer(peerId)
    if (isMember) fillMember(to, peer, clocks.skewMs(peerId))
    if (!connected || direction === null) continue
    const kind = authority ? 'authority' : isMember ? 'observer' : 'guest'
    to.p2pPeers.inc({ kind, direction })
  }
  to.clockOffset.set((clocks.offsetMs() ?? 0) / 1_000)
}

function fillMember(to: Metrics, member: PeerInfo, skewMs: number | null): void {
  const { name: peer, connected, rttMs, redialMs, gossipScore } = member
  to.p2pPeerUp.set({ peer }, connected ? 1 : 0)
  if (rttMs !== null) to.p2pPeerRtt.set({ peer }, rttMs / 1_000)
  if (skewMs !== null) to.p2pPeerClockSkew.set({ peer }, skewMs / 1_000)
  to.p2pReconnectBackoff.set({ peer }, (redialMs ?? 0) / 1_000)
  to.gossipScore.set({ peer }, gossipScore ?? 0)
}

export function fillNetwork(stats: NetworkStats, to: Metrics, totals: Totals): void {
  const dials = { ok: stats.dials - stats.dialFailures, failed: stats.dialFailures }
  for (const [result, total] of Object.entries(dials))
    totals.add(`dials ${result}`, total, (by) => to.p2pDials.inc({ result }, by))
  for (const [reason, total] of Object.entries(disconnectsOf(stats)))
    totals.add(`disconnects ${reason}`, total, (by) => to.p2pDisconnects.inc({ reason }, by))
  for (const { stage, reason, total } of denialsOf(stats))
    totals.add(`denied ${stage} ${reason}`, total, (by) => to.p2pDenied.inc({ stage, reason }, by))
  for (const { direction, protocol, total } of bytesOf(stats))
    totals.add(`bytes ${direction} ${protocol}`, total, (by) =>
      to.p2pBytes.inc({ direction, protocol }, by),
    )
  const topic = 'transactions'
  const gossip = {
    accept: stats.gossipAccepted,
    ignore: stats.gossipIgnored,
    reject: stats.gossipRejected,
    duplicate: stats.gossipOffered - stats.gossipReceived,
    over_budget: stats.gossipOverBudget,
  }
  for (const [result, total] of Object.entries(gossip))
    totals.add(`gossip ${result}`, total, (by) => to.gossipMessages.inc({ topic, result }, by))
  for (const [name, peers] of Object.entries(stats.mesh))
    to.gossipMeshPeers.set({ topic: name }, peers)
}

function disconnectsOf(stats: NetworkStats): Record<string, number> {
  const ours = {
    duplicate: stats.duplicatesClosed,
    silent: stats.silencesClosed,
    hello: stats.hellosRefused,
    cause: stats.disconnectsForCause,
  }
  const byUs = Object.values(ours).reduce((sum, total) => sum + total, 0)
  return { ...ours, lost: stats.connectionsClosed - byUs }
}

function denialsOf(stats: NetworkStats) {
  return [
    { stage: 'connection', reason: 'address', total: stats.addressesRefused },
    { stage: 'handshake', reason: 'stranger', total: stats.strangersRefused },
    { stage: 'handshake', reason: 'peer', total: stats.peersRefused },
    { stage: 'hello', reason: 'mismatch', total: stats.hellosRefused },
    { stage: 'stream', reason: 'limit', total: stats.streamsRefused },
    { stage: 'frame', reason: 'malformed', total: stats.framesRefused },
    { stage: 'gossip', reason: 'malformed', total: stats.gossipErrors },
    { stage: 'request', reason: 'limit', total: stats.requestsRefused },
  ]
}

function bytesOf(stats: NetworkStats) {
  return [
    { direction: 'out', protocol: 'urgent', total: stats.urgentBytesSent },
    { direction: 'out', protocol: 'bulk', total: stats.bulkBytesSent },
    { direction: 'in', protocol: 'urgent', total: stats.urgentBytesReceived },
    { direction: 'in', protocol: 'bulk', total: stats.bulkBytesReceived },
    { direction: 'out', protocol: 'records', total: stats.recordsBytesSent },
    { direction: 'in', protocol: 'records', total: stats.recordsBytesReceived },
  ]
}
