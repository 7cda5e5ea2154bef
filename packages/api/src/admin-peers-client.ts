/**
 * Calls for decisions about single peers.
 */

import type { AdminPeers, PeerOutcome, PeerPing, PeerProbe } from './admin-peers-answers.ts'
import type { Call, Http } from './client.ts'

/** A probe dials each address in turn. */
const PROBE_MS = 60_000

const path = (verb: string) => `/v1/admin/peers/${verb}`

export function adminPeersCalls({ read }: Pick<Http, 'read'>) {
  const post = <T>(path: string, body: object, waitMs = 0) => {
    const headers = { 'content-type': 'application/json' }
    const call: Call = { method: 'POST', headers, body: JSON.stringify(body), waitMs }
    return read<T>(path, call)
  }
  return {
    list: () => read<AdminPeers>('/v1/admin/peers'),
    add: (peer: { peerId: string; addresses: readonly string[]; note: string }) =>
      post<AdminPeers>(path('add'), peer),
    remove: (peerId: string) => post<AdminPeers>(path('remove'), { peerId }),
    ban: (ban: { targets: readonly string[]; reason: string; forMs: number | null }) =>
      post<AdminPeers>(path('ban'), ban),
    unban: (targets: readonly string[]) => post<AdminPeers>(path('unban'), { targets }),
    connect: (peerId: string) => post<PeerOutcome>(path('connect'), { peerId }),
    disconnect: (peerId: string) => post<PeerOutcome>(path('disconnect'), { peerId }),
    ping: (peerId: string, count: number) => post<PeerPing>(path('ping'), { peerId, count }),
    probe: (peerId: string) => post<PeerProbe>(path('probe'), { peerId }, PROBE_MS),
  }
}
