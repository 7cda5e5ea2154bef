/**
 * What a node supplies for decisions about single peers.
 */

import type { AdminPeers, PeerOutcome, PeerPing, PeerProbe } from './admin-peers-answers.ts'

/** Those that change something may throw a Refusal. */
export interface AdminPeersHandlers {
  list(): AdminPeers
  add(peer: { peerId: string; addresses: readonly string[]; note: string }): Promise<AdminPeers>
  remove(peerId: string): Promise<AdminPeers>
  ban(ban: {
    targets: readonly string[]
    reason: string
    forMs: number | null
  }): Promise<AdminPeers>
  unban(targets: readonly string[]): Promise<AdminPeers>
  connect(peerId: string): Promise<PeerOutcome>
  disconnect(peerId: string): PeerOutcome
  ping(peerId: string, count: number): Promise<PeerPing>
  probe(peerId: string): Promise<PeerProbe>
}
