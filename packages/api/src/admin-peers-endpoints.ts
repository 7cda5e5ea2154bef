/**
 * Endpoints for decisions about single peers.
 */

import type { adminPeersRoutes } from './admin-peers-routes.ts'
import { current, type Endpoint } from './endpoints.ts'

export type AdminPeersEndpoints = { [K in keyof typeof adminPeersRoutes]: Endpoint<K> }

export const adminPeersEndpoints: AdminPeersEndpoints = {
  listAdminPeers: (_request, { handlers }) => current(handlers.admin.peers.list()),
  addPeer: async ({ body }, { handlers }) => current(await handlers.admin.peers.add(body)),
  removePeer: async ({ body }, { handlers }) =>
    current(await handlers.admin.peers.remove(body.peerId)),
  banPeers: async ({ body }, { handlers }) => current(await handlers.admin.peers.ban(body)),
  unbanPeers: async ({ body }, { handlers }) =>
    current(await handlers.admin.peers.unban(body.targets)),
  connectPeer: async ({ body }, { handlers }) =>
    current(await handlers.admin.peers.connect(body.peerId)),
  disconnectPeer: ({ body }, { handlers }) => current(handlers.admin.peers.disconnect(body.peerId)),
  pingPeer: async ({ body }, { handlers }) =>
    current(await handlers.admin.peers.ping(body.peerId, body.count)),
  probePeer: async ({ body }, { handlers }) =>
    current(await handlers.admin.peers.probe(body.peerId)),
}
