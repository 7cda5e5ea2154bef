// Which authorities this node hears, and what there is to say about those it misses.

import type { PeerInfo } from '@mooring/network'
import type { NodeParts } from './node-parts.ts'
import { formatDuration } from './option-values.ts'

/** As far behind as a node may be that still counts as following. */
export const BLOCKS_BEHIND = 3

export interface Presence {
  /** Position in the authority set. */
  index: number
  name: string
  isSelf: boolean
  /** Heard within the time after which agreement passes a leader over; for ourselves: not halted. */
  isLive: boolean
  peer: PeerInfo | undefined
}

export type PresenceParts = Pick<
  NodeParts,
  'clock' | 'driver' | 'execution' | 'members' | 'network' | 'heightOfPeer'
>

export function presenceOf(parts: PresenceParts): Presence[] {
  const { members, network, clock, execution } = parts
  const { config, isHalted } = parts.driver()
  const now = clock.monotonic()
  const byIndex = new Map<number, PeerInfo>()
  for (const peer of network.peers()) {
    const index = members.indexOfPeer(peer.peerId)
    if (index !== undefined) byIndex.set(index, peer)
  }
  return execution.authorities.organisations.map((name, index) => {
    const peer = byIndex.get(index)
    const isSelf = index === config.me
    const isHeard = peer?.connected === true && now - peer.lastHeard < config.skipMs
    return { index, name, isSelf, isLive: isSelf ? !isHalted : isHeard, peer }
  })
}

export function liveCount(authorities: readonly Presence[]): number {
  return authorities.filter(({ isLive }) => isLive).length
}

/** "riverside last seen 52s ago, connection refused", for an authority that does not take part. */
export function describeAbsence(presence: Presence, parts: PresenceParts): string {
  const { name, isSelf, isLive, peer } = presence
  const { view } = parts.driver()
  if (isSelf) {
    return isLive
      ? `${name} (this node) has not voted yet`
      : `${name} (this node) has stopped voting`
  }
  if (peer === undefined) return `${name} is no peer of this node`
  const silentMs = parts.clock.monotonic() - peer.lastHeard
  if (!peer.connected) {
    const seen =
      peer.lastHeard === 0
        ? 'not seen since this node started'
        : `last seen ${formatAge(silentMs)} ago`
    const reason = peer.lastError === null ? '' : `, ${withoutName(peer.lastError.message, peer)}`
    return `${name} ${seen}${reason}`
  }
  if (!isLive) return `${name} connected, but silent for ${formatAge(silentMs)}`
  const behind = parts.execution.tip.meta.height - (parts.heightOfPeer(peer.peerId) ?? Infinity)
  if (behind > BLOCKS_BEHIND) return `${name} connected, but ${behind} blocks behind`
  const shown = parts.driver().shownViews[presence.index] ?? 0
  if (shown < view - 1) return `${name} connected, but still in view ${shown}`
  return `${name} connected, but has not voted in view ${view}`
}

/** Whole seconds, at least one: people read it. */
export function formatAge(ms: number): string {
  return formatDuration(Math.max(1, Math.round(ms / 1_000)) * 1_000)
}

/** The network's sentences begin with the peer, which is named already. */
function withoutName(message: string, { name, peerId }: PeerInfo): string {
  return message.replace(`${name} (${peerId}) `, '').replace(`${name} `, '')
}
