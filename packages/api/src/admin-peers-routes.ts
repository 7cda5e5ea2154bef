/**
 * The part of the table by which an operator decides about single peers.
 */

import { AdminPeers, PeerOutcome, PeerPing, PeerProbe } from './admin-peers-answers.ts'
import { body, json, table } from './route-forms.ts'
import { Type } from './schema.ts'

const BODY_MAX = 64 * 1024
const TARGETS_MAX = 256
const BAN_MS_MAX = 10 * 365 * 86_400_000
const PINGS_MAX = 20

const peerId = Type.String({ pattern: '^[A-Za-z0-9]{40,64}$', description: 'Peer id.' })
const address = Type.String({ maxLength: 400, description: 'Multiaddress.' })
const targets = Type.Array(Type.String({ minLength: 2, maxLength: 64 }), {
  minItems: 1,
  maxItems: TARGETS_MAX,
  description: 'Peer ids, or addresses of computers.',
})
const shared = { tag: 'admin', role: 'operator', bodyBytesMax: BODY_MAX } as const
const one = body({ peerId })
const all = { 200: json('The peers, as they are now.', AdminPeers) }

export const adminPeersRoutes = table({
  listAdminPeers: {
    method: 'GET',
    path: '/v1/admin/peers',
    tag: 'admin',
    role: 'operator',
    summary: 'Everybody this node may speak with, and what was decided here about them',
    responses: all,
  },
  addPeer: {
    ...shared,
    method: 'POST',
    path: '/v1/admin/peers/add',
    summary: 'Let a peer connect, or say where a member is to be dialled',
    accepts: body({
      peerId,
      addresses: Type.Array(address, { maxItems: 8 }),
      note: Type.String({ maxLength: 200 }),
    }),
    responses: all,
    problems: [409, 413, 415, 422],
  },
  removePeer: {
    ...shared,
    method: 'POST',
    path: '/v1/admin/peers/remove',
    summary: 'Take a peer off the local list',
    accepts: one,
    responses: all,
    problems: [404, 413, 415],
  },
  banPeers: {
    ...shared,
    method: 'POST',
    path: '/v1/admin/peers/ban',
    summary: 'Cut peers off, members or not, and let them in no more',
    accepts: body({
      targets,
      reason: Type.String({ maxLength: 200 }),
      forMs: Type.Unsafe<number | null>({
        type: ['integer', 'null'],
        minimum: 1,
        maximum: BAN_MS_MAX,
      }),
    }),
    responses: all,
    problems: [409, 413, 415, 422],
  },
  unbanPeers: {
    ...shared,
    method: 'POST',
    path: '/v1/admin/peers/unban',
    summary: 'Lift bans',
    accepts: body({ targets }),
    responses: all,
    problems: [404, 413, 415],
  },
  connectPeer: {
    ...shared,
    method: 'POST',
    path: '/v1/admin/peers/connect',
    summary: 'Dial a peer now, and say what came of it',
    accepts: one,
    responses: { 200: json('What came of it.', PeerOutcome) },
    problems: [404, 409, 413, 415],
  },
  disconnectPeer: {
    ...shared,
    method: 'POST',
    path: '/v1/admin/peers/disconnect',
    summary: 'Close the connection with a peer; it is made again by itself',
    accepts: one,
    responses: { 200: json('What came of it.', PeerOutcome) },
    problems: [404, 413, 415],
  },
  pingPeer: {
    ...shared,
    method: 'POST',
    path: '/v1/admin/peers/ping',
    summary: 'Measure round trips over the connection with a peer',
    accepts: body({ peerId, count: Type.Integer({ minimum: 1, maximum: PINGS_MAX }) }),
    responses: { 200: json('The round trips.', PeerPing) },
    problems: [404, 413, 415, 503],
  },
  probePeer: {
    ...shared,
    method: 'POST',
    path: '/v1/admin/peers/probe',
    summary: 'Go to a peer step by step, and say at which one it ends',
    accepts: one,
    responses: { 200: json('The steps.', PeerProbe) },
    problems: [404, 413, 415],
  },
})
