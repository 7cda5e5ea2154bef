/** Peers of the node in memory, as its operator decides about them. */

import type { AdminPeersHandlers } from '../src/admin-peers-handlers.ts'
import { Refusal } from '../src/errors.ts'

const SINCE = '2026-11-20T09:00:00.000Z'

export function memoryPeers(): AdminPeersHandlers {
  const booked = new Map<string, { addresses: readonly string[]; note: string }>()
  const bans = new Map<string, string>()
  const peers: AdminPeersHandlers = {
    list: () => ({
      items: [],
      booked: [...booked].map(([peerId, { addresses, note }]) => {
        return { peerId, addresses: [...addresses], note, addedAt: SINCE }
      }),
      bans: [...bans].map(([target, reason]) => {
        return { target, name: null, reason, bannedAt: SINCE, until: null }
      }),
      allow: 'members+list',
    }),
    add: ({ peerId, ...terms }) => {
      booked.set(peerId, terms)
      return Promise.resolve(peers.list())
    },
    remove: (peerId) =>
      booked.delete(peerId)
        ? Promise.resolve(peers.list())
        : Promise.reject(new Refusal('peer_unknown', `${peerId} is not on the local list.`)),
    ban: ({ targets, reason }) => {
      for (const target of targets) bans.set(target, reason)
      return Promise.resolve(peers.list())
    },
    unban: (targets) => {
      for (const target of targets) bans.delete(target)
      return Promise.resolve(peers.list())
    },
    connect: (peerId) => Promise.resolve({ peerId, connected: true, code: null, detail: null }),
    disconnect: (peerId) => ({ peerId, connected: false, code: null, detail: null }),
    ping: (peerId, count) =>
      Promise.resolve({ peerId, roundTripsMs: Array.from({ length: count }, () => 1.5) }),
    probe: (peerId) => Promise.resolve({ peerId, name: null, ok: true, height: 7, steps: [] }),
  }
  return peers
}
