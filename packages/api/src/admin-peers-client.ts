/**
 * Calls for decisions about single peers.
 */

import type { AdminPeers, PeerOutcome, PeerPing, PeerProbe } from './admin-peers-answers.ts'
import type { Call, Http } from './client.ts'

/** A probe dials each address in turn. */
const PROBE_MS = 60_000

const pathOf = (verb: string) => `/v1/admin/peers/${verb}`

export function adminPeersCalls({ read }: Pick<Http, 'read'>) {
  const post = <T>(path: string, body: object, waitMs = 0) => {
    const headers = { 'content-type': 'application/json' }
    const call: Call = { method: 'POST', headers, body: JSON.stringify(body), waitMs }
    return read<T>(path, call)
  }
  return {
    list: () => read<AdminPeers>('/v1/admin/peers'),
    add: (peer: { peerId: string; addresses: readonly string[]; note: string }) =>
      post<AdminPeers>(pathOf('add'), peer),
    remove: (peerId: string) => post<AdminPeers>(pathOf('remove'), { peerId }),
    ban: (ban: { targets: readonly string[]; reason: string; forMs: number | null }) =>
      post<AdminPeers>(pathOf('ban'), ban),
    unban: (targets: readonly string[]) => post<AdminPeers>(pathOf('unban'), { targets }),
    connect: (peerId: string) => post<PeerOutcome>(pathOf('connect'), { peerId }),
    disconnect: (peerId: string) => post<PeerOutcome>(pathOf('disconnect'), { peerId }),
    ping: (peerId: string, count: number) => post<PeerPing>(pathOf('ping'), { peerId, count }),
    probe: (peerId: string) => post<PeerProbe>(pathOf('probe'), { peerId }, PROBE_MS),
  }
}
