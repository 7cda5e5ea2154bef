/**
 * What a node tells its operator of single peers.
 */

import { Peer } from './answers.ts'
import {
  countOrNull,
  flag,
  list,
  named,
  numberOrNull,
  text,
  textOrNull,
  time,
} from './answer-forms.ts'
import { type Static, Type } from './schema.ts'

export const PeerBan = named('PeerBan', 'Who may not connect to this node.', {
  target: text('A peer id, or the address of a computer.'),
  name: textOrNull('Its organisation, when it is that of a member.'),
  reason: text('Why, in the words of the operator.'),
  bannedAt: time('Since when.'),
  until: textOrNull('RFC 3339, UTC; null: until it is lifted.'),
})
export type PeerBan = Static<typeof PeerBan>

export const BookedPeer = named('BookedPeer', 'What the local list says of a peer.', {
  peerId: text('Peer id.'),
  addresses: Type.Array(text('Multiaddress.'), { description: 'It is dialled there only.' }),
  note: text('In the words of the operator.'),
  addedAt: time('Since when.'),
})
export type BookedPeer = Static<typeof BookedPeer>

export const AdminPeers = named(
  'AdminPeers',
  'Everybody this node may speak with, and who may not.',
  {
    items: list(Peer),
    booked: list(BookedPeer),
    bans: list(PeerBan),
    allow: text('[p2p] allow: `members`, `members+list` or `list`.'),
  },
)
export type AdminPeers = Static<typeof AdminPeers>

export const PeerOutcome = named('PeerOutcome', 'What became of an attempt to connect.', {
  peerId: text('Peer id.'),
  connected: flag('Whether a connection is open now.'),
  code: textOrNull('Why not; a code of the catalogue.'),
  detail: textOrNull('The same in a sentence.'),
})
export type PeerOutcome = Static<typeof PeerOutcome>

export const PeerPing = named('PeerPing', 'Round trips to a peer over its connection.', {
  peerId: text('Peer id.'),
  roundTripsMs: Type.Array(Type.Unsafe<number | null>({ type: ['number', 'null'] }), {
    description: 'One after the other; null where no answer came.',
  }),
})
export type PeerPing = Static<typeof PeerPing>

export const ProbeStep = named('ProbeStep', 'One step on the way to a peer.', {
  step: text('`address`, `tcp`, `handshake` or `hello`.'),
  address: textOrNull('Where.'),
  ok: flag('Whether it was taken.'),
  ms: numberOrNull('How long it took.'),
  detail: text('What was found.'),
})
export type ProbeStep = Static<typeof ProbeStep>

export const PeerProbe = named('PeerProbe', 'How far one comes on the way to a peer.', {
  peerId: text('Peer id.'),
  name: textOrNull('Its organisation, when it is that of a member.'),
  ok: flag('Whether all steps were taken.'),
  height: countOrNull('Final height it last reported.'),
  steps: list(ProbeStep),
})
export type PeerProbe = Static<typeof PeerProbe>
